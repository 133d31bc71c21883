"""The first thing a request meets: the ways in, chosen by path and method; pure ASGI."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.api.administration import Passing, find_passage
from gateway.api.document import Book
from gateway.api.transactions import HISTORY, TRANSACTIONS, Transactions
from gateway.domain import problems
from gateway.domain.problems import Code
from gateway.usecases.access import address_of
from gateway.usecases.shares import Shares
from kit import errors, web

# for a balancer; readiness is on the inner port
_LIVE: Final = Response(b'{"status":"live"}', media_type="application/json")


@dataclass(frozen=True, slots=True)
class Front:
    """Tills straight to the road, administration to its service; the rest is small and limited.

    A body is read by whoever knows whose it is, and by nobody else. state.readiness: what
    readiness asks, by name; kit.run adds to it.
    """

    transactions: Transactions
    passing: Passing
    book: Book
    shares: Shares
    state: SimpleNamespace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await web.Door(self._patiently, None)(scope, receive, send)

    async def _patiently(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it; who is over a limit hears so only after a while."""
        try:
            await self._serve(scope, receive, send)
        except errors.Problem as error:
            await self.shares.hold(error, address_of(scope))
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path == TRANSACTIONS and method == "POST":
            await self.transactions.post_transaction(scope, receive, send)
            return
        passage = find_passage(path)
        if passage is not None:
            await self.passing.serve(passage, scope, receive, send)
        elif path == HISTORY and method == "POST":
            await self.transactions.post_history(scope, receive, send)
        elif path.startswith(TRANSACTIONS + "/") and method == "GET":
            await self.transactions.get_transaction(scope, receive, send)
        else:
            await self._open(scope, receive, send)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What everybody may ask for, within the limit of his address; no body is read."""
        self.shares.stranger(address_of(scope))
        path = scope["path"]
        if path in (TRANSACTIONS, HISTORY) or path.startswith(TRANSACTIONS + "/"):
            raise errors.NotAllowed(f"{scope['method']} is not served here")
        if scope["method"] not in ("GET", "HEAD"):
            raise problems.refusal(Code.NO_SUCH_ADDRESS)
        request = Request(scope)
        match path:
            case "/health/live":
                response = _LIVE
            case "/openapi.json":
                response = self.book.document(request)
            case "/docs":
                response = self.book.page(request)
            case _:
                raise problems.refusal(Code.NO_SUCH_ADDRESS)
        scope["route_path"] = path
        await response(scope, receive, send)
