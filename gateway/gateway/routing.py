"""The router of all requests, by path and method; pure ASGI."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway import limits, problems
from gateway.access.usecases import Quotas, access_of, address_of, noting, quotas_of
from gateway.clients import services_of
from gateway.openapi import api as openapi
from gateway.openapi.usecases import DocumentCache, document_cache_of
from gateway.problems import Code
from gateway.proxy.api import ReverseProxy, reverse_proxy_of
from gateway.proxy.domain import find_route
from gateway.road.api import HISTORY, TRANSACTIONS, Transactions
from gateway.road.usecases.sending import road_of
from gateway.tables.usecases import readiness_of
from kit.base import errors, web
from kit.room import Part, Resources

# for a balancer; readiness is on the inner port
_LIVE: Final = Response(b'{"status":"live"}', media_type="application/json")


@dataclass(frozen=True, slots=True)
class Router:
    """Sends tills' requests to the road, administration to its service, and answers public pages.

    A body is read only after the caller is known. state.readiness: the checks of readiness, by
    name; kit.run adds to it.
    """

    transactions: Transactions
    reverse_proxy: ReverseProxy
    documents: DocumentCache
    quotas: Quotas
    state: SimpleNamespace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        notes = noting()

        async def sending(message: Message) -> None:
            if notes and message["type"] == "http.response.start":
                told = limits.header_fields(notes, message["status"])
                message["headers"] = [*message["headers"], *told]
            await send(message)

        await web.RequestGate(self._serve_or_delay, None)(scope, receive, sending)

    async def _serve_or_delay(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it; a refusal by a limit of rate is answered only after a while."""
        try:
            await self._serve(scope, receive, send)
        except errors.Problem as error:
            await self.quotas.delay_refusal(error, address_of(scope))
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path == TRANSACTIONS and method == "POST":
            await self.transactions.post_transaction(scope, receive, send)
            return
        route = find_route(path)
        if route is not None:
            await self.reverse_proxy.serve(route, scope, receive, send)
        elif path == HISTORY and method == "POST":
            await self.transactions.post_history(scope, receive, send)
        elif path.startswith(TRANSACTIONS + "/") and method == "GET":
            await self.transactions.get_transaction(scope, receive, send)
        else:
            await self._serve_public(scope, receive, send)

    async def _serve_public(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer without a key, within the limit of the caller's address; no body is read."""
        self.quotas.take_stranger(address_of(scope))
        path = scope["path"]
        if path in (TRANSACTIONS, HISTORY) or path.startswith(TRANSACTIONS + "/"):
            raise errors.NotAllowed(f"{scope['method']} is not served here")
        if scope["method"] not in ("GET", "HEAD"):
            raise problems.refusal(Code.NO_SUCH_ADDRESS)
        match path:
            case "/health/live":
                response = _LIVE
            case "/openapi.json":
                response = openapi.document(self.documents, Request(scope))
            case "/docs":
                response = openapi.page()
            case _:
                raise problems.refusal(Code.NO_SUCH_ADDRESS)
        scope["route_path"] = path
        await response(scope, receive, send)


def application(_: str, __: Sequence[Part], opened: Resources) -> Router:
    """The gateway's router, in place of an application of FastAPI's routes."""
    road = opened.shared(road_of)
    return Router(
        transactions=Transactions(road, opened.shared(access_of), opened.shared(services_of)),
        reverse_proxy=opened.shared(reverse_proxy_of),
        documents=opened.shared(document_cache_of),
        quotas=opened.shared(quotas_of),
        state=SimpleNamespace(readiness=opened.shared(readiness_of).checks()),
    )
