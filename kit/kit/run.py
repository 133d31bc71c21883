"""The run loop of every process: python -m room serve, work or migrate."""

import asyncio
import contextlib
import faulthandler
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import uvicorn
import uvloop

from kit import clock, connections, db, inner, kafka, logs, serving, settings, telemetry, web
from kit.consumer import Consumer
from kit.migrate import migrate, refuse_other_version
from kit.publish import Relay
from kit.pulse import Pulse
from kit.telemetry import Metric

log = logging.getLogger(__name__)

LOOP_BEAT_S: Final = 0.5
INNER_CONNECTIONS: Final = 64
GC_OBJECTS: Final = 50_000  # more than a full poll leaves: else each poll is walked several times


@dataclass(frozen=True, kw_only=True)
class Job:
    """What time passing makes a room do. elected: only in the process that relays."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]
    elected: bool = True


@dataclass(frozen=True, kw_only=True)
class App:
    """What a room runs. tasks: its own endless loops (the gateway's reply reader)."""

    asgi: Any = None
    consumers: Sequence[Consumer] = ()
    jobs: Sequence[Job] = ()
    tasks: Sequence[Callable[[], Awaitable[None]]] = ()


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What kit opens for a room; database raises when the room has none."""

    settings: Any
    producer: kafka.Producer
    clock: clock.Clock
    relay: Relay | None
    opened: db.Database | None

    @property
    def database(self) -> db.Database:
        """The room's database."""
        if self.opened is None:
            raise settings.SettingsError("this room has no PEYVAND_DATABASE_DSN")
        return self.opened


@dataclass(frozen=True, kw_only=True)
class Main:
    """A room as a program: its settings, its migrations, and how its parts are wired."""

    room: str
    settings: type[settings.Room]
    build: Callable[[Parts], AbstractAsyncContextManager[App]]
    migrations: Path | None = None


def main(room: Main) -> None:
    """Run one command of a room; exits 0 after a graceful end, 1 with the reason logged."""
    command = sys.argv[1] if len(sys.argv) > 1 else "serve"
    faulthandler.enable()  # where a library in C breaks, the log says under what
    try:
        match command:
            case "migrate":
                telemetry.configure(room.room, level="INFO")
                names = asyncio.run(migrate(settings.owner_dsn(), room.migrations))
                log.info("migrated %s: %s", room.room, names or "nothing new")
            case "serve" | "work":
                uvloop.run(_serve(room, http=command == "serve"))
            case _:
                raise settings.SettingsError(f"{command}: say serve, work or migrate")
    except Exception:
        log.exception("%s stopped", room.room)
        sys.exit(1)


async def _serve(room: Main, *, http: bool) -> None:
    given = settings.load(room.settings, room=room.room)
    telemetry.configure(
        given.room, level=given.log_level, endpoint=given.otlp_endpoint, ratio=given.trace_ratio
    )
    kafka.secure(given)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    try:
        if given.database_dsn and room.migrations is not None:
            await refuse_other_version(given.database_dsn, room.migrations)
        async with _parts(given) as parts, room.build(parts) as app:
            calm_collector()
            await Process(parts, app, http=http).run(stop)
    finally:
        logs.settle()
        telemetry.shutdown()


def calm_collector() -> None:
    """Let Python look for cycles seldom: a batch makes many objects and hardly ever a cycle."""
    gc.freeze()  # what is here lives as long as the process
    gc.set_threshold(GC_OBJECTS, 20, 50)


@asynccontextmanager
async def _parts(given: settings.Room) -> AsyncGenerator[Parts]:
    producer = await kafka.Producer.open(given.kafka_bootstrap, client_id=given.room)
    database, relay = None, None
    if given.database_dsn:
        database = await db.Database.open(given.database_dsn)
        relay = Relay(given.database_dsn, database, producer, given.room, given.generation)
    time_of: clock.Clock = clock.HouseClock() if given.sandbox else clock.SystemClock()
    try:
        yield Parts(settings=given, producer=producer, clock=time_of, relay=relay, opened=database)
    finally:
        await producer.close()
        if database is not None:
            await database.close()


@dataclass
class Process:
    """One room at work: HTTP, consumers, relay and jobs in one task group."""

    parts: Parts
    app: App
    http: bool = True
    draining: bool = field(default=False, init=False)
    pulses: dict[str, Pulse] = field(default_factory=dict[str, Pulse], init=False)

    def __post_init__(self) -> None:
        """Readiness asks the servers behind: a consumer hears nothing of a broker that died."""
        self.pulses["kafka"] = Pulse(self.parts.producer.ask)
        if self.parts.opened is not None:
            self.pulses["database"] = Pulse(self.parts.opened.ask)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until stop is set, then drain. Raises whatever fails first."""
        given: settings.Room = self.parts.settings
        server, inner = self._servers(given)
        try:
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(inner.serve(), name="inner")
                answering = tasks.create_task(server.serve(), name="http")
                consuming = [tasks.create_task(c.run(), name=c.group) for c in self.app.consumers]
                endless = self._endless(tasks)
                await stop.wait()
                log.info("draining")
                self.draining = True
                server.should_exit = True
                for consumer in self.app.consumers:
                    consumer.stop()
                relay = self.parts.relay
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(given.drain_s):
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
        endless += [tasks.create_task(p.run()) for p in self.pulses.values()]
        endless += [tasks.create_task(_as_coroutine(t)) for t in self.app.tasks]
        endless += [tasks.create_task(self._repeat(j), name=j.name) for j in self.app.jobs]
        if self.parts.relay is not None:
            endless.append(tasks.create_task(self.parts.relay.run(), name="relay"))
        if isinstance(self.parts.clock, clock.HouseClock):
            following = self.parts.clock.run(self.parts.settings.kafka_bootstrap)
            endless.append(tasks.create_task(following, name="clock"))
        return endless

    def _servers(self, given: settings.Room) -> tuple[uvicorn.Server, uvicorn.Server]:
        """The server of the callers and the inner one."""
        asgi = self.app.asgi if self.http and self.app.asgi is not None else web.app("work", "1")
        checks = asgi.state.readiness
        checks["draining"] = lambda: not self.draining
        checks["clock"] = lambda: self.parts.clock.ready
        for server, pulse in self.pulses.items():
            checks[server] = lambda p=pulse: p.alive
        for consumer in self.app.consumers:
            checks[consumer.group] = lambda c=consumer: c.ready
        limits = connections.fitting(_limits(given), connections.raise_descriptors())
        few = msgspec.structs.replace(limits, in_all=INNER_CONNECTIONS)
        held, drain = connections.Connections(limits), given.drain_s
        beside, inside = inner.Inner(asgi).asgi(), connections.Connections(few, "inner")
        made = (
            serving.server(asgi, given.http_host, given.http_port, held, drain, given.http_tls),
            serving.server(beside, given.inner_host, given.inner_port, inside, drain),
        )
        for server in made:
            setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010 - signals are ours: the drain has an order
        return made

    async def _repeat(self, job: Job) -> None:
        """Run a job on its beat; one that fails is logged, counted and tried at the next."""
        while True:
            relay = self.parts.relay
            elected = relay is not None and relay.elected
            if (elected or not job.elected) and self.parts.clock.ready:
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


def _limits(given: settings.Room) -> connections.Limits:
    return connections.Limits(
        head_bytes=given.head_bytes, head_fields=given.head_fields, head_s=given.head_s,
        body_gap_s=given.body_gap_s, body_bytes_per_s=given.body_bytes_per_s,
        idle_s=given.idle_s, write_s=given.write_s, in_all=given.connections_max,
        per_address=given.address_connections_max,
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
