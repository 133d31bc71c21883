"""A merchant's program that really listens: it keeps what comes and answers as a test says."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


@dataclass
class Receiver:
    """url: to send to. answers: (status, headers) of the next requests, then 204 for ever.

    hang: requests stay unanswered while it is clear.
    """

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(
        default_factory=list[tuple[int, dict[str, str]]]
    )
    received: list[tuple[dict[str, str], bytes]] = field(
        default_factory=list[tuple[dict[str, str], bytes]]
    )
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)

    def messages(self) -> list[str]:
        """The webhook-id of each request, in the order in which they came."""
        return [headers["webhook-id"] for headers, _ in self.received]

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """The bodies of all requests, each verified by the official library."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.received]

    async def take(self, request: web.Request) -> web.Response:
        """Keep one request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((headers, await request.read()))
        await self.open_gate.wait()
        status, more = self.answers.pop(0) if self.answers else (204, {})
        return web.Response(status=status, headers=more)


@asynccontextmanager
async def listening() -> AsyncGenerator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    receiver.open_gate.set()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
