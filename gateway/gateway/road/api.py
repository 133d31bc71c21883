"""Routes of the road: plain ASGI and msgspec, nothing between."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from gateway.access.usecases import Access, address_of
from gateway.clients import Services
from gateway.road.usecases import status, submit
from gateway.road.usecases.sending import HttpResult, Road
from kit.base import errors, telemetry, web
from kit.base.auth import Role

TRANSACTIONS: Final = "/v1/transactions"
TRANSACTION: Final = "/v1/transactions/{id}"
HISTORY: Final = "/v1/history"
_PROBLEM: Final = b"application/problem+json"
_JSON: Final = b"application/json"

Handler = Callable[[Scope, Receive, telemetry.Span], Awaitable[HttpResult]]


@dataclass(frozen=True, slots=True)
class Transactions:
    """The road's routes. Each knows its caller before it reads a body."""

    road: Road
    access: Access
    services: Services

    async def post_transaction(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /v1/transactions, under a terminal's key."""
        await self._answer(TRANSACTIONS, self._submit, scope, receive, send)

    async def post_history(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /v1/history, by an operator with that right."""
        await self._answer(HISTORY, self._import, scope, receive, send)

    async def get_transaction(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /v1/transactions/{id}, by the merchant's terminals or an operator."""
        await self._answer(TRANSACTION, self._find, scope, receive, send)

    async def _submit(self, scope: Scope, receive: Receive, span: telemetry.Span) -> HttpResult:
        caller = await self.access.terminal(_header(scope, b"authorization"), address_of(scope))
        submit.admit_transaction(self.road, caller)
        with self.road.quotas.reading_body(caller.quota_key):
            raw = await web.read_body(scope, receive)
        return await submit.submit_transaction(self.road, caller, raw, span)

    async def _import(self, scope: Scope, receive: Receive, span: telemetry.Span) -> HttpResult:
        header = _header(scope, b"authorization")
        caller = await self.access.operator(header, address_of(scope), Role.HISTORY)
        submit.admit_history(self.road, caller)
        with self.road.quotas.reading_body(caller.name):
            raw = await web.read_body(scope, receive)
        return await submit.submit_history(self.road, caller, raw, span)

    async def _find(self, scope: Scope, receive: Receive, span: telemetry.Span) -> HttpResult:
        del receive
        caller = await self.access.caller(_header(scope, b"authorization"), address_of(scope))
        public_id: str = scope["path"].removeprefix(TRANSACTIONS + "/")
        span.set("transaction", public_id[:200])
        with self.road.quotas.status_query(caller.quota_key):
            return await status.find_transaction(self.road, self.services, caller, public_id)

    async def _answer(
        self, route: str, handler: Handler, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Run one request under one span. A refusal is raised, outside the span."""
        scope["route_path"] = route
        name = f"{scope['method']} {route}"
        with telemetry.start_root(name, _header(scope, b"traceparent")) as span:
            try:
                result = await handler(scope, receive, span)
            except errors.Problem as error:
                span.set("problem", error.code)
                refused = error
            else:
                headers = _headers(result)
                await send(
                    {"type": "http.response.start", "status": result.status, "headers": headers}
                )
                await send({"type": "http.response.body", "body": result.body})
                return
        raise refused


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


def _headers(result: HttpResult) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", _PROBLEM if result.status >= 400 else _JSON),
        (b"content-length", b"%d" % len(result.body)),
    ]
    if result.retry_after_s:
        headers.append((b"retry-after", b"%d" % result.retry_after_s))
    return headers
