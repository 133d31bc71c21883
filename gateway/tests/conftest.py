"""A gateway on a broker of its own, with a small road and small services behind it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web as aioweb

from cluster import lockfile, servers
from contracts import topics
from contracts.envelope import Envelope
from contracts.pos import PosTransaction
from gateway import main
from gateway.access import domain as keys
from gateway.settings import Settings
from kit import room, run
from kit.base import clock
from kit.stream import kafka
from support import databases

from .around import (
    ROOT,
    SECRET,
    SHARDS,
    TERMINAL,
    Answering,
    Behind,
    Stage,
    bearer,
    completed,
    heartbeats,
    known,
    message_of,
)


@dataclass
class House:
    """One gateway at work and everything around it."""

    client: httpx.AsyncClient
    settings: Settings
    producer: kafka.Producer
    behind: Behind
    stage: Stage
    app: run.Wired

    async def say(self, *said: Any) -> None:
        """Publish state events and wait until the gateway's tables have them."""
        await self.producer.send([message_of(one) for one in said])
        await asyncio.sleep(0.3)

    async def post(
        self, body: Any, headers: dict[str, str] | None = None, path: str = "/v1/transactions"
    ) -> httpx.Response:
        """Send a body; bytes go as they are."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post(
            path, content=raw, headers=bearer(TERMINAL) if headers is None else headers
        )

    def last(self) -> tuple[kafka.Record, Envelope[PosTransaction]]:
        """The last transaction that entered the road."""
        return self.stage.heard[-1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker() -> AsyncIterator[servers.Servers]:
    """Kafka of the gateway's tests alone: its topics have one name in a house."""
    folder = databases.FOLDER / f"run-{os.getpid()}-gateway"
    lock = lockfile.take(folder / "run.lock")
    started = await asyncio.to_thread(servers.start_servers, folder, postgres=False)
    await kafka.ensure_topics(started.bootstrap, topics.TOPICS, shards=SHARDS, gateways=4)
    yield started
    await asyncio.to_thread(started.stop)
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def settings_of(bootstrap: str, tables: Path, port: int, **changes: Any) -> Settings:
    """Settings of a gateway whose services are all at one port."""
    url = f"http://127.0.0.1:{port}"
    roles = {
        "sara": "partners+terminals+money+enrol+support+rules",
        "reza": "reviewer",
        "importer": "history",
        "shop": "merchant:12",
        "partner": "enrol:12+merchant:7",
    }
    given: dict[str, Any] = {
        "room": "gateway",
        "kafka_bootstrap": bootstrap,
        "http_port": 0,
        "actor_secret": SECRET,
        "identifier_keys": (ROOT,),
        "tables_dir": str(tables),
        "shards": SHARDS,
        "operators": tuple(
            f"{name}:{role}:{keys.digest(f'{name}-secret')}" for name, role in roles.items()
        ),
        "tables_map_gib": 1,
        "pos_budget_ms": 20_000,  # a busy machine is no failure; `hasty` waits less
        "lookup_timeout_ms": 500,
        "lookup_rate_per_s": 1000.0,
        "lookup_burst": 1000.0,
        "terminal_rate_per_s": 10_000.0,
        "terminal_burst": 10_000.0,
        "pending_each": 5_000,
        "refusal_delay_ms": 0,
    } | {
        f"{whose}_{what}": 10_000.0
        for whose in ("history", "status", "administration", "reading", "stranger")
        for what in ("rate_per_s", "burst")
    }
    rooms = ("ledger", "merchants", "members", "campaigns", "fraud", "notify")
    return Settings(**(given | {f"{room}_url": url for room in rooms} | changes))


@asynccontextmanager
async def behind_of() -> AsyncIterator[tuple[Behind, int]]:
    """The small services, on a free port."""
    behind = Behind()
    app = aioweb.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{rest:.*}", behind.serve)
    runner = aioweb.AppRunner(app)
    await runner.setup()
    site = aioweb.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield behind, runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def gateway_of(settings: Settings, producer: kafka.Producer) -> AsyncIterator[run.Wired]:
    """A gateway's parts, wired as the program wires them, its loops running."""
    resources = room.Resources(
        settings=settings,
        producer=producer,
        clock=clock.SystemClock(),
        cluster=await kafka.cluster_id(settings.kafka_bootstrap),
    )
    async with run.wired(main.SERVICE, resources) as app:
        loops = [asyncio.ensure_future(task()) for task in app.tasks]
        loops += [asyncio.ensure_future(every(job)) for job in app.jobs]
        loops.append(asyncio.ensure_future(beat(settings, producer)))
        try:
            yield app
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


async def every(job: room.Job) -> None:
    while True:
        await job.run()
        await asyncio.sleep(min(job.every_s, 0.1))


async def beat(settings: Settings, producer: kafka.Producer) -> None:
    while True:
        await producer.send(heartbeats(settings))
        await asyncio.sleep(5)


async def ready(app: run.Wired) -> None:
    """Wait until the gateway takes traffic."""
    async with asyncio.timeout(60):
        while not all(check() for check in app.asgi.state.readiness.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def producer(broker: servers.Servers) -> AsyncIterator[kafka.Producer]:
    """The tests' own sends; the first waits until new topics have their leaders."""
    made = await kafka.Producer.open(broker.bootstrap, client_id="tests")
    first = heartbeats(settings_of(broker.bootstrap, Path(), 1))
    await made.send(first, deadline_s=60)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(
    broker: servers.Servers, producer: kafka.Producer, tmp_path_factory: Any
) -> AsyncIterator[House]:
    """A gateway that knows a member, three terminals, programmes and terms."""
    tables = tmp_path_factory.mktemp("tables")
    stage = Stage(broker.bootstrap, producer)
    async with behind_of() as (behind, port):
        settings = settings_of(broker.bootstrap, tables, port)
        await producer.send([message_of(one) for one in known()])
        async with gateway_of(settings, producer) as app:
            running = asyncio.ensure_future(stage.run())
            await asyncio.gather(ready(app), stage.ready.wait())
            transport = httpx.ASGITransport(app=app.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
                yield House(client, settings, producer, behind, stage, app)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hasty(house: House, tmp_path_factory: Any) -> AsyncIterator[House]:
    """A second gateway of the same house, which does not wait long for its answers."""
    settings = msgspec.structs.replace(
        house.settings,
        pos_budget_ms=400,
        reply_partition=2,
        tables_dir=str(tmp_path_factory.mktemp("hasty")),
    )
    async with gateway_of(settings, house.producer) as app:
        await ready(app)
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            yield House(client, settings, house.producer, house.behind, house.stage, app)


@pytest.fixture
def answering(house: House) -> Any:
    """Let the stage answer otherwise for one test."""

    def set_to(answer: Answering) -> None:
        house.stage.answering = answer

    yield set_to
    house.stage.answering = completed
