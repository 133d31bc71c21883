"""Routes of the road: plain Starlette and msgspec, nothing between (platform reference 6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.clients import Services
from gateway.domain.keys import Role
from gateway.usecases import status, submit
from gateway.usecases.access import Access
from gateway.usecases.submit import Ended, Road
from kit import errors, telemetry, web

TRANSACTIONS: Final = "/v1/transactions"
TRANSACTION: Final = "/v1/transactions/{id:path}"
HISTORY: Final = "/v1/history"
_PROBLEM: Final = "application/problem+json"
_JSON: Final = "application/json"

Act = Callable[[Request, telemetry.Span], Awaitable[Ended]]


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes call."""

    road: Road
    access: Access
    services: Services

    def routes(self) -> list[BaseRoute]:
        """The road's routes."""
        return [
            Route(TRANSACTIONS, self.post_transaction, methods=["POST"]),
            Route(TRANSACTION, self.get_transaction, methods=["GET"]),
            Route(HISTORY, self.post_history, methods=["POST"]),
        ]

    async def post_transaction(self, request: Request) -> Response:
        """POST /v1/transactions, under a terminal's key."""
        return await _answered(request, TRANSACTIONS, self._submit)

    async def post_history(self, request: Request) -> Response:
        """POST /v1/history, by an operator with that right."""
        return await _answered(request, HISTORY, self._import)

    async def get_transaction(self, request: Request) -> Response:
        """GET /v1/transactions/{id}, by the merchant's terminals or an operator."""
        return await _answered(request, "/v1/transactions/{id}", self._find)

    async def _submit(self, request: Request, span: telemetry.Span) -> Ended:
        caller = await self.access.terminal(request.headers.get("authorization"))
        return await submit.submit_transaction(self.road, caller, await request.body(), span)

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
    kind = _PROBLEM if ended.status >= 400 else _JSON
    response = Response(ended.body, ended.status, media_type=kind)
    if ended.retry_after_s:
        response.headers["retry-after"] = str(ended.retry_after_s)
    return response
