"""Routes of the road: plain Starlette and msgspec, nothing between (platform reference 6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gateway.clients import Services
from gateway.domain.keys import Role
from gateway.usecases import status, submit
from gateway.usecases.access import Access
from gateway.usecases.submit import Ended, Road
from kit import errors, telemetry, web

TRANSACTIONS: Final = "/v1/transactions"
TRANSACTION: Final = "/v1/transactions/{id}"
HISTORY: Final = "/v1/history"
_PROBLEM: Final = b"application/problem+json"
_JSON: Final = b"application/json"

Act = Callable[[Request, telemetry.Span], Awaitable[Ended]]


@dataclass(frozen=True, slots=True)
class Transactions:
    """What the routes call."""

    road: Road
    access: Access
    services: Services

    def routes(self) -> list[BaseRoute]:
        """The road's quieter routes; a till's own request comes in by post_transaction."""
        return [
            Route("/v1/transactions/{id:path}", self.get_transaction, methods=["GET"]),
            Route(HISTORY, self.post_history, methods=["POST"]),
        ]

    async def post_transaction(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /v1/transactions, under a terminal's key; bare ASGI, behind kit's door alone."""
        scope["route_path"] = TRANSACTIONS
        authorization = traceparent = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"traceparent":
                traceparent = value.decode("latin-1")
        with telemetry.start_span("POST /v1/transactions", traceparent) as span:
            try:
                caller = await self.access.terminal(authorization)
                raw: bytes = (await receive()).get("body", b"")  # whole: the door has held it
                ended = await submit.submit_transaction(self.road, caller, raw, span)
            except errors.Problem as error:
                span.set("problem", error.code)
                await web.problem(error, TRANSACTIONS)(scope, receive, send)
                return
        headers = _headers(ended)
        await send({"type": "http.response.start", "status": ended.status, "headers": headers})
        await send({"type": "http.response.body", "body": ended.body})

    async def post_history(self, request: Request) -> Response:
        """POST /v1/history, by an operator with that right."""
        return await _answered(request, HISTORY, self._import)

    async def get_transaction(self, request: Request) -> Response:
        """GET /v1/transactions/{id}, by the merchant's terminals or an operator."""
        return await _answered(request, TRANSACTION, self._find)

    async def _import(self, request: Request, span: telemetry.Span) -> Ended:
        header = request.headers.get("authorization")
        caller = await self.access.operator(header, Role.HISTORY)
        return await submit.submit_history(self.road, caller, await request.body(), span)

    async def _find(self, request: Request, span: telemetry.Span) -> Ended:
        caller = await self.access.caller(request.headers.get("authorization"))
        asked: str = request.path_params["id"]
        span.set("transaction", asked[:200])
        return await status.find_transaction(self.road, self.services, caller, asked)


async def _answered(request: Request, route: str, act: Act) -> Response:
    """Run one request under one span; a refusal becomes its problem+json."""
    request.scope["route_path"] = route
    with telemetry.start_span(
        f"{request.method} {route}", request.headers.get("traceparent")
    ) as span:
        try:
            ended = await act(request, span)
        except errors.Problem as error:
            span.set("problem", error.code)
            return web.problem(error, request.url.path)
    response = Response(ended.body, ended.status)
    response.raw_headers = _headers(ended)
    return response


def _headers(ended: Ended) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", _PROBLEM if ended.status >= 400 else _JSON),
        (b"content-length", b"%d" % len(ended.body)),
    ]
    if ended.retry_after_s:
        headers.append((b"retry-after", b"%d" % ended.retry_after_s))
    return headers
