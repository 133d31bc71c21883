"""The run loop of every process: python -m room serve, work, migrate or rebuild-tables."""

import asyncio
import contextlib
import faulthandler
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import psutil
import uvicorn
import uvloop

from kit import room
from kit.base import clock, db, logs, settings, telemetry, web
from kit.base.migrate import migrate, refuse_other_version
from kit.base.probe import Probe
from kit.base.telemetry import Metric
from kit.rebuild import rebuild_tables
from kit.room import Job, Resources, Service
from kit.server import connections, http, management
from kit.stream import kafka, sandbox_clock
from kit.stream.consumer import Consumer
from kit.stream.publish import Relay

log = logging.getLogger(__name__)

LOOP_BEAT_S: Final = 0.5
INNER_CONNECTIONS: Final = 64
GC_OBJECTS: Final = 50_000  # more than a full poll leaves; with fewer, each is scanned repeatedly


@dataclass(frozen=True, kw_only=True)
class Wired:
    """A service put together from its parts: one application, its consumers, jobs and loops."""

    asgi: Any = None
    consumers: Sequence[Consumer] = ()
    jobs: Sequence[Job] = ()
    tasks: Sequence[Callable[[], Awaitable[None]]] = ()


def main(service: Service) -> None:
    """Run one command of a service; exits 0 after a graceful end, 1 with the reason logged."""
    command = sys.argv[1] if len(sys.argv) > 1 else "serve"
    faulthandler.enable()  # a crash in a C library leaves a traceback in the log
    try:
        match command:
            case "migrate":
                telemetry.configure(service.name, level="INFO")
                names = asyncio.run(migrate(settings.owner_dsn(), service.migrations))
                log.info("migrated %s: %s", service.name, names or "nothing new")
            case "serve" | "work":
                uvloop.run(_serve(service, http=command == "serve"))
            case "rebuild-tables":
                uvloop.run(_rebuild(service))
            case _:
                raise settings.SettingsError(f"{command}: serve, work, migrate or rebuild-tables")
    except Exception:
        log.exception("%s stopped", service.name)
        sys.exit(1)


async def _serve(service: Service, *, http: bool) -> None:
    config = settings.load(service.settings, room=service.name)
    telemetry.configure(
        config.room, level=config.log_level, endpoint=config.otlp_endpoint, ratio=config.trace_ratio
    )
    kafka.secure(config)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    try:
        if config.database_dsn and service.migrations is not None:
            await refuse_other_version(config.database_dsn, service.migrations)
        async with _opened(config) as resources, wired(service, resources) as app:
            calm_collector()
            await Process(resources, app, http=http).run(stop)
    finally:
        logs.settle()
        telemetry.shutdown()


async def _rebuild(service: Service) -> None:
    config = settings.load(service.settings, room=service.name)
    telemetry.configure(config.room, level="INFO")
    kafka.secure(config)
    async with _opened(msgspec.structs.replace(config, database_dsn=settings.owner_dsn())) as owner:
        parts = [make(owner) for make in service.parts]
        done = await rebuild_tables(service.name, parts, owner)
    log.info("rebuilt of %s, records by topic: %s", service.name, done or "it has no local table")


def calm_collector() -> None:
    """Let Python look for cycles seldom: a batch makes many objects and hardly ever a cycle."""
    gc.freeze()  # what is here lives as long as the process
    gc.set_threshold(GC_OBJECTS, 20, 50)


@asynccontextmanager
async def wired(service: Service, resources: Resources) -> AsyncGenerator[Wired]:
    """A service's parts, made in their order and opened."""
    parts = [make(resources) for make in service.parts]
    async with AsyncExitStack() as stack:
        for part in parts:
            for context in part.opened:
                await stack.enter_async_context(context)
        yield Wired(
            asgi=service.application(service.name, parts, resources),
            consumers=room.consumers(service.name, parts, resources, service.crash),
            jobs=[
                *room.heartbeats(service.name, resources),
                *(job for part in parts for job in part.jobs),
            ],
            tasks=[task for part in parts for task in part.tasks],
        )


@asynccontextmanager
async def _opened(config: settings.ServiceSettings) -> AsyncGenerator[Resources]:
    producer = await kafka.Producer.open(config.kafka_bootstrap, client_id=config.room)
    database, relay = None, None
    if config.database_dsn:
        database = await db.Database.open(config.database_dsn)
        relay = Relay(config.database_dsn, database, producer, config.room, config.generation)
    time_of: clock.Clock = sandbox_clock.SandboxClock() if config.sandbox else clock.SystemClock()
    try:
        yield Resources(
            settings=config,
            producer=producer,
            clock=time_of,
            relay=relay,
            opened=database,
            cluster=await kafka.cluster_id(config.kafka_bootstrap),
        )
    finally:
        await producer.close()
        if database is not None:
            await database.close()


@dataclass
class Process:
    """One service at work: HTTP, consumers, relay and jobs in one task group."""

    resources: Resources
    app: Wired
    http: bool = True
    draining: bool = field(default=False, init=False)
    probes: dict[str, Probe] = field(default_factory=dict[str, Probe], init=False)

    def __post_init__(self) -> None:
        """Readiness probes broker and database: a consumer does not notice that a broker died."""
        self.probes["kafka"] = Probe(self.resources.producer.ask)
        if self.resources.opened is not None:
            self.probes["database"] = Probe(self.resources.opened.ask)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stop is set, then drain. Raises whatever fails first."""
        config: settings.ServiceSettings = self.resources.settings
        server, inner = self._servers(config)
        try:
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(inner.serve(), name="management")
                answering = tasks.create_task(server.serve(), name="http")
                consuming = [tasks.create_task(c.run(), name=c.group) for c in self.app.consumers]
                endless = self._endless(tasks)
                await stop.wait()
                log.info("draining")
                self.draining = True
                server.should_exit = True
                for consumer in self.app.consumers:
                    consumer.stop()
                relay = self.resources.relay
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(config.drain_s):
                        await asyncio.wait([answering, *consuming])
                        if relay is not None:
                            await relay.flushed()
                for task in (answering, *consuming, showing, *endless):
                    task.cancel()
        except* Exception as group:
            for error in group.exceptions:
                log.error("failed: %r", error, exc_info=error)
            raise

    def _endless(self, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """What runs until it is cancelled."""
        endless = [tasks.create_task(_beat(), name="beat")]
        endless += [tasks.create_task(p.run()) for p in self.probes.values()]
        endless += [tasks.create_task(_as_coroutine(t)) for t in self.app.tasks]
        endless += [tasks.create_task(self._repeat(j), name=j.name) for j in self.app.jobs]
        if self.resources.relay is not None:
            endless.append(tasks.create_task(self.resources.relay.run(), name="relay"))
        if isinstance(self.resources.clock, sandbox_clock.SandboxClock):
            following = self.resources.clock.run(self.resources.settings.kafka_bootstrap)
            endless.append(tasks.create_task(following, name="clock"))
        return endless

    def _servers(self, config: settings.ServiceSettings) -> tuple[uvicorn.Server, uvicorn.Server]:
        """The server of the callers and the one for operators."""
        asgi = self.app.asgi if self.http and self.app.asgi is not None else web.app("work", "1")
        checks = asgi.state.readiness
        checks["draining"] = lambda: not self.draining
        checks["clock"] = lambda: self.resources.clock.ready
        for server, probe in self.probes.items():
            checks[server] = lambda p=probe: p.alive
        for consumer in self.app.consumers:
            checks[consumer.group] = lambda c=consumer: c.ready
        limits = connections.fitting(_limits(config), connections.raise_descriptors())
        few = msgspec.structs.replace(limits, in_all=INNER_CONNECTIONS)
        callers, drain = connections.Connections(limits), config.drain_s
        inner, admins = management.Management(asgi).asgi(), connections.Connections(few, "inner")
        servers = (
            http.server(asgi, config.http_host, config.http_port, callers, drain, config.http_tls),
            http.server(inner, config.inner_host, config.inner_port, admins, drain),
        )
        for server in servers:
            setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010 - signals are ours: the drain has an order
        return servers

    async def _repeat(self, job: Job) -> None:
        """Run a job at its interval; a failed run is logged, counted and repeated at the next."""
        while True:
            relay = self.resources.relay
            elected = relay is not None and relay.elected
            if (elected or not job.elected) and self.resources.clock.ready:
                started = time.monotonic()
                try:
                    await job.run()
                except Exception:
                    telemetry.count(Metric.JOB_FAILURES, job.name)
                    log.exception("job %s failed", job.name)
                telemetry.observe(Metric.JOB_SECONDS, time.monotonic() - started, job.name)
            await asyncio.sleep(job.every_s)


async def _as_coroutine(task: Callable[[], Awaitable[None]]) -> None:
    await task()


def _limits(config: settings.ServiceSettings) -> connections.Limits:
    return connections.Limits(
        head_bytes=config.head_bytes, head_fields=config.head_fields, head_s=config.head_s,
        body_gap_s=config.body_gap_s, body_bytes_per_s=config.body_bytes_per_s,
        idle_s=config.idle_s, write_s=config.write_s, in_all=config.connections_max,
        per_address=config.address_connections_max,
    )  # fmt: skip


def memory_bytes() -> int:
    """Resident memory of this process. Raises OSError where no descriptor is left."""
    return int(psutil.Process().memory_info().rss)


async def _beat(measure: Callable[[], int] = memory_bytes, every_s: float = LOOP_BEAT_S) -> None:
    """Measure how late the loop is and how much memory is held: heartbeats share this loop.

    What cannot be measured is left out: a process without descriptors is full, not broken.
    """
    while True:
        with contextlib.suppress(Exception):
            telemetry.gauge(Metric.RSS_BYTES, measure())
        logs.settle()
        before = time.monotonic()
        await asyncio.sleep(every_s)
        telemetry.gauge(Metric.LOOP_LAG_SECONDS, time.monotonic() - before - every_s)
