"""A small real HTTP server that answers what a test says, and a client of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

import peyvand

Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]


@dataclass
class ScriptedGateway:
    """The server: answers in turn from `script`, the last one for ever; keeps what it saw."""

    url: str = ""
    script: list[Answer] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(
            Seen(
                request.method,
                request.raw_path.partition("?")[0],
                dict(request.query),
                body,
                dict(request.headers),
            )
        )
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await answer(request, body)


def _reply(status: int, body: bytes, *, headers: dict[str, str] | None = None) -> Answer:
    """Answer so."""

    async def answer(request: web.Request, _: bytes) -> web.StreamResponse:
        return web.Response(
            status=status, body=body, content_type="application/json", headers=headers
        )

    return answer


def _hang(seconds: float) -> Answer:
    """Read the request and answer too late."""

    async def answer(request: web.Request, _: bytes) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response(status=200, body=b"too late")

    return answer


def _cut() -> Answer:
    """Read the request and break the connection."""

    async def answer(request: web.Request, _: bytes) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response(status=500)

    return answer


@pytest_asyncio.fixture
async def scripted() -> AsyncIterator[ScriptedGateway]:
    """A server on a free port."""
    found = ScriptedGateway()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
def reply() -> Callable[..., Answer]:
    """`reply(200, b"…")`: an answer for the script."""
    return _reply


@pytest.fixture
def hang() -> Callable[[float], Answer]:
    """`hang(seconds)`: an answer that comes too late."""
    return _hang


@pytest.fixture
def cut() -> Callable[[], Answer]:
    """`cut()`: a connection broken after the request was read."""
    return _cut


@pytest.fixture
def fast() -> peyvand.Options:
    """Options that do not wait long."""
    return FAST


FAST = peyvand.Options(
    timeouts=peyvand.Timeouts(connect_s=1.0, request_s=0.3),
    retry=peyvand.Retry(attempts_max=4, wait_first_s=0.01, wait_max_s=0.05),
)
FOLLOW = peyvand.Follow(wait_first_s=0.01, wait_max_s=0.02, poll_for_s=0.2, rounds_max=2)


@pytest_asyncio.fixture
async def client(scripted: ScriptedGateway) -> AsyncIterator[peyvand.Client]:
    """A terminal's client that does not wait long."""
    key = "pvt_7_abc_secret"
    async with peyvand.Client(scripted.url, key, options=FAST, follow=FOLLOW) as made:
        yield made


@pytest_asyncio.fixture
async def operator(scripted: ScriptedGateway) -> AsyncIterator[peyvand.Operator]:
    """An operator's client that does not wait long between attempts."""
    patient = peyvand.Options(timeouts=peyvand.Timeouts(request_s=60.0), retry=FAST.retry)
    async with peyvand.Operator(scripted.url, "pvo_ali_secret", options=patient) as made:
        yield made
