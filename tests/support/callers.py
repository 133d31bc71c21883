"""Requests to a service, signed as the gateway signs them."""

from collections.abc import Collection, Generator
from urllib.parse import unquote

import httpx

from kit.base import auth, clock


class Vouched(httpx.Auth):
    """Signs each request to a room as the gateway does for whoever it vouches for."""

    requires_request_body = True

    def __init__(
        self,
        room: str,
        secret: str,
        roles: Collection[str],
        *,
        subject: str = "tester",
        party: int | None = None,
        approved_by: str = "",
    ) -> None:
        self.room = room
        self.secret = secret
        self.actor = auth.Actor(subject, frozenset(roles), party, approved_by=approved_by)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the header to one request."""
        path, _, query = request.url.raw_path.decode().partition("?")
        call = auth.Call(self.room, request.method, unquote(path), query)
        signed = auth.sign(self.actor, self.secret, call, clock.wall(), body=request.content)
        request.headers[auth.HEADER] = signed
        yield request
