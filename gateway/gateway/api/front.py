"""The first thing a request meets: three ways in, chosen by its path; pure ASGI."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.administration import Passing, find_passage
from gateway.api.transactions import TRANSACTIONS, Transactions
from kit import errors, web


@dataclass(frozen=True, slots=True)
class Front:
    """Tills straight to the road, administration to its service, all else to FastAPI.

    A till's request passes kit's door and nothing more: FastAPI's own layers cost as much again
    as all that the road does.
    """

    app: FastAPI
    tills: ASGIApp
    passing: ASGIApp

    @property
    def state(self) -> Any:
        """The application's state: kit.run adds to its readiness."""
        return self.app.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path = scope["path"]
            if path == TRANSACTIONS and scope["method"] == "POST":
                await self.tills(scope, receive, send)
                return
            if find_passage(path) is not None:
                await self.passing(scope, receive, send)
                return
        await self.app(scope, receive, send)


def front(app: FastAPI, transactions: Transactions, passing: Passing) -> Front:
    """Put the ways in together; what nobody foresaw is a problem+json on each of them."""

    async def passed(scope: Scope, receive: Receive, send: Send) -> None:
        passage = find_passage(scope["path"])
        if passage is not None:
            await passing.serve(passage, scope, receive, send)

    tills = web.Door(transactions.post_transaction, {})
    return Front(
        app,
        tills=ServerErrorMiddleware(tills, handler=_unforeseen),
        passing=ServerErrorMiddleware(passed, handler=_unforeseen),
    )


async def _unforeseen(request: Request, error: Exception) -> Response:
    del error  # the server logs it with its trace; the caller learns nothing of our insides
    return web.problem(errors.Problem("unforeseen error; send the same again"), request.url.path)
