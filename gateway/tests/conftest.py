"""A gateway on a broker of its own, with a fake road and fake services behind it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
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
from gateway.tables.usecases.readiness import STATE_TOPICS
from kit import room, run
from kit.base import clock
from kit.stream import kafka
from support import databases

from .fakes import (
    ROOT,
    SECRET,
    SHARDS,
    TERMINAL,
    Answering,
    FakeRoad,
    FakeServices,
    base_records,
    bearer,
    completed,
    heartbeats,
    message_of,
)


@dataclass
class Edge:
    """A running gateway and everything around it."""

    client: httpx.AsyncClient
    settings: Settings
    producer: kafka.Producer
    services: FakeServices
    road: FakeRoad
    app: run.Wired

    async def publish(self, *records: Any) -> None:
        """Publish state events and wait until the gateway's tables have them."""
        await self.producer.send([message_of(record) for record in records])
        names = [topic.name for topic in STATE_TOPICS]
        ends = await kafka.end_offsets(self.settings.kafka_bootstrap, names)
        tables = self.app.asgi.transactions.road.lookups.tables
        async with asyncio.timeout(60):
            while any(at < ends[place] for place, at in tables.offsets(ends).items()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def post(
        self, body: Any, headers: Mapping[str, str] | None = None, path: str = "/v1/transactions"
    ) -> httpx.Response:
        """Send a body; bytes go as they are."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post(
            path, content=raw, headers=bearer(TERMINAL) if headers is None else headers
        )

    def last(self) -> tuple[kafka.Record, Envelope[PosTransaction]]:
        """The last transaction that entered the road."""
        return self.road.submitted[-1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker() -> AsyncIterator[servers.Servers]:
    """Kafka of the gateway's tests alone: its topics have one name on a platform."""
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
    fields: dict[str, Any] = {
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
        "pos_budget_ms": 20_000,  # a busy machine is no failure; `impatient` waits less
        "lookup_timeout_ms": 500,
        "lookup_rate_per_s": 1000.0,
        "lookup_burst": 1000.0,
        "terminal_rate_per_s": 10_000.0,
        "terminal_burst": 10_000.0,
        "pending_each": 5_000,
        "refusal_delay_ms": 0,
    }
    fields |= {
        f"{caller}_{limit}": 10_000.0
        for caller in ("history", "status", "administration", "reading", "stranger")
        for limit in ("rate_per_s", "burst")
    }
    rooms = ("ledger", "merchants", "members", "campaigns", "fraud", "notify", "identity")
    addresses: dict[str, Any] = {f"{room}_url": url for room in rooms}
    return Settings(**(fields | addresses | changes))


@asynccontextmanager
async def fake_services() -> AsyncIterator[tuple[FakeServices, int]]:
    """The fake services, on a free port."""
    services = FakeServices()
    app = aioweb.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{rest:.*}", services.serve)
    runner = aioweb.AppRunner(app)
    await runner.setup()
    site = aioweb.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield services, runner.addresses[0][1]
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
    opened = await kafka.Producer.open(broker.bootstrap, client_id="tests")
    first = heartbeats(settings_of(broker.bootstrap, Path(), 1))
    await opened.send(first, deadline_s=60)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def edge(
    broker: servers.Servers, producer: kafka.Producer, tmp_path_factory: Any
) -> AsyncIterator[Edge]:
    """A gateway that knows a member, three terminals, programmes and terms."""
    tables = tmp_path_factory.mktemp("tables")
    road = FakeRoad(broker.bootstrap, producer)
    async with fake_services() as (services, port):
        settings = settings_of(broker.bootstrap, tables, port)
        await producer.send([message_of(one) for one in base_records()])
        async with gateway_of(settings, producer) as app:
            running = asyncio.ensure_future(road.run())
            await asyncio.gather(ready(app), road.ready.wait())
            transport = httpx.ASGITransport(app=app.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
                yield Edge(client, settings, producer, services, road, app)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def impatient(edge: Edge, tmp_path_factory: Any) -> AsyncIterator[Edge]:
    """A second gateway beside it, which does not wait long for its answers."""
    settings = msgspec.structs.replace(
        edge.settings,
        pos_budget_ms=400,
        reply_partition=2,
        tables_dir=str(tmp_path_factory.mktemp("impatient")),
    )
    async with gateway_of(settings, edge.producer) as app:
        await ready(app)
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            yield Edge(client, settings, edge.producer, edge.services, edge.road, app)


@pytest.fixture
def answering(edge: Edge) -> Any:
    """Let the road answer otherwise for one test."""

    def set_to(answer: Answering) -> None:
        edge.road.answering = answer

    yield set_to
    edge.road.answering = completed
