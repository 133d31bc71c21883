"""The simulator's application: the provider's calls, its callbacks, and a door for tests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Final

import aiohttp
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulators.sms import wire
from simulators.sms.exchange import Exchange, Message

TICK_S: Final = 0.05
CALLBACK_WORKERS: Final = 8
CALLBACK_TRIES_MAX: Final = 30
CALLBACK_RETRY_S: Final = 2.0
CALLBACK_TIMEOUT_S: Final = 10.0
CALLBACKS_WAITING_MAX: Final = 50_000

Callback = tuple[int, int, int]  # message id, status, tries so far


def build(exchange: Exchange, key: str) -> Starlette:
    """The application; its deliveries run while it is up."""

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncGenerator[None]:
        waiting: asyncio.Queue[Callback] = asyncio.Queue(CALLBACKS_WAITING_MAX)
        timeout = aiohttp.ClientTimeout(total=CALLBACK_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            workers = [tasks.create_task(_deliver(exchange, waiting))]
            workers += [
                tasks.create_task(_call_back(exchange, session, waiting))
                for _ in range(CALLBACK_WORKERS)
            ]
            yield
            for task in workers:
                task.cancel()

    call = wire.endpoint(exchange, key)
    provider = Route("/v1/{key}/{scope}/{method}.json", call, methods=["GET", "POST"])
    return Starlette(routes=[provider, *_doors(exchange)], lifespan=running)


def _doors(exchange: Exchange) -> list[Route]:
    """What tests and people use; the real provider has none of it."""

    async def change(request: Request) -> Response:
        try:
            exchange.change(msgspec.json.decode(await request.body(), type=dict[str, Any]))
        except (ValueError, msgspec.MsgspecError) as error:
            return JSONResponse({"detail": str(error)}, status_code=422)
        return await controls(request)

    async def controls(_: Request) -> Response:
        return JSONResponse(asdict(exchange.controls))

    async def counters(_: Request) -> Response:
        return wire.counters(exchange)

    async def phone(request: Request) -> Response:
        messages = exchange.phone(request.path_params["number"])
        return JSONResponse([{"messageid": m.message_id, "text": m.text} for m in messages])

    async def page(_: Request) -> Response:
        return HTMLResponse(wire.page(exchange))

    async def ready(_: Request) -> Response:
        return JSONResponse({"status": "ready"})

    return [
        Route("/", page, methods=["GET"]),
        Route("/controls", change, methods=["POST"]),
        Route("/controls", controls, methods=["GET"]),
        Route("/counters", counters, methods=["GET"]),
        Route("/phones/{number}", phone, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
    ]


async def _deliver(exchange: Exchange, waiting: asyncio.Queue[Callback]) -> None:
    while True:
        for message in exchange.deliver_due():
            _announce(exchange, waiting, message)
        wait_s = exchange.wait_s()
        await asyncio.sleep(TICK_S if wait_s is None else min(TICK_S, max(wait_s, 0.005)))


def _announce(exchange: Exchange, waiting: asyncio.Queue[Callback], message: Message) -> None:
    if not exchange.controls.callbacks or not exchange.controls.callback_url:
        return
    try:
        waiting.put_nowait((message.message_id, int(message.status), 0))
    except asyncio.QueueFull:
        exchange.counters.callbacks_dropped += 1


async def _call_back(
    exchange: Exchange, session: aiohttp.ClientSession, waiting: asyncio.Queue[Callback]
) -> None:
    while True:
        message_id, status, tries = await waiting.get()
        if await _send_receipt(exchange, session, message_id, status):
            exchange.counters.callbacks_sent += 1
            continue
        exchange.counters.callbacks_failed += 1
        if tries + 1 < CALLBACK_TRIES_MAX:
            later = (message_id, status, tries + 1)
            asyncio.get_running_loop().call_later(
                CALLBACK_RETRY_S, _put_again, exchange, waiting, later
            )


def _put_again(exchange: Exchange, waiting: asyncio.Queue[Callback], callback: Callback) -> None:
    try:
        waiting.put_nowait(callback)
    except asyncio.QueueFull:
        exchange.counters.callbacks_dropped += 1


async def _send_receipt(
    exchange: Exchange, session: aiohttp.ClientSession, message_id: int, status: int
) -> bool:
    form = {"messageid": str(message_id), "status": str(status)}
    try:
        async with session.post(exchange.controls.callback_url, data=form) as response:
            await response.read()
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
