"""A small platform for kit's promises: topics of its own, stages that pass on, what came out."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from cluster.servers import Servers
from contracts import topics
from contracts.topics import Spread, Topic
from kit.base import db, settings
from kit.base.db import Database
from kit.stream import kafka, outbox
from kit.stream.consumer import Consumer, Subscription
from kit.stream.kafka import Assigned, Producer, Record
from kit.stream.publish import Crash, no_crash

from .child import Options, note, passing_on, topic

PARTITIONS = 4
CHILD = Path(__file__).with_name("child.py")
EFFECTS = """
drop table if exists effects;
create table effects (number int not null, text text not null, at bigserial);
grant all on effects, effects_at_seq to public;
"""


@dataclass(frozen=True)
class Stage:
    """Topics and database of one test."""

    bootstrap: str
    dsn: str
    source: Topic
    sink: Topic
    group: str

    def room(self, **changes: Any) -> settings.ServiceSettings:
        """Settings of a process of this test."""
        given: dict[str, Any] = {
            "room": "test",
            "kafka_bootstrap": self.bootstrap,
            "database_dsn": self.dsn,
            "http_port": 0,
            "actor_secret": "s",
        }
        return settings.ServiceSettings(**{**given, **changes})

    async def records(self, of: Topic) -> list[Record]:
        """All that lies on a topic now, by partition."""
        places = [(of.name, p) for p in range(PARTITIONS if of.spread is Spread.FOUR else 1)]
        start: dict[tuple[str, int], int | None] = dict.fromkeys(places, 0)
        reader = await Assigned.open(self.bootstrap, client_id="look", start=start)
        try:
            ends = await reader.end_offsets()
            seen: list[Record] = []
            while any([await reader.position(*p) < ends[p] for p in places]):
                seen += await reader.poll(timeout_ms=50)
            return sorted(seen, key=lambda r: (r.partition, r.offset))
        finally:
            await reader.close()

    async def feed(self, producer: Producer, numbers: Iterable[int], **headers: bytes) -> None:
        """Put notes on the source, unnumbered, number n on partition n % 4."""
        said = [self.said(n, **headers) for n in numbers]
        await producer.send(said)

    def said(self, number: int, **headers: bytes) -> outbox.Message:
        """A note to the source as a message, with headers as given."""
        named = tuple((k.replace("_", "-"), v) for k, v in headers.items())
        made = outbox.message(
            self.source, note(number), partition=number % PARTITIONS, headers=named
        )
        return msgspec.structs.replace(made, numbered=False)

    async def effects(self) -> list[int]:
        """Numbers written, in the order of writing."""
        sql = "select number from effects order by at"
        return [row["number"] for row in await self.rows(sql)]

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        """Rows of the stage's database."""
        session = await db.connect(self.dsn)
        try:
            return await session.fetch(sql, *args)
        finally:
            await session.close()

    async def wrote(self, count: int, bound_s: float = 15) -> None:
        """Wait for so many effects."""

        async def enough() -> bool:
            return len(await self.effects()) >= count

        await until(enough, bound_s)

    async def published(self, count: int, bound_s: float = 15) -> None:
        """Wait for so many records on the sink."""

        async def enough() -> bool:
            return len(await self.records(self.sink)) >= count

        await until(enough, bound_s)

    async def onward(self) -> dict[int, list[int]]:
        """What a consumer of the sink uses, by partition: repeats dropped; asserts no gap."""
        last: dict[bytes, int] = {}
        used: defaultdict[int, list[int]] = defaultdict(list)
        for record in await self.records(self.sink):
            headers = dict(record.headers)
            n = int(headers["n"])
            before = last.get(headers["stream"], 0)
            if n <= before:
                continue
            assert n == before + 1, f"gap after {before}: {n} in {headers['stream']!r}"
            last[headers["stream"]] = n
            used[record.partition].append(int(record.key or b""))
        return used

    async def check(self, count: int) -> None:
        """Each of `count` notes had its effect once, and went on once, in order."""
        assert sorted(await self.effects()) == list(range(count))
        used = await self.onward()
        for partition in range(PARTITIONS):
            assert used[partition] == list(range(partition, count, PARTITIONS))


class Child(subprocess.Popen[bytes]):
    """A stage's own process."""

    port: int
    inner_port: int


async def until(check: Callable[[], Awaitable[bool]], bound_s: float = 15) -> None:
    """Wait until check holds."""
    deadline = time.monotonic() + bound_s
    while not await check():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running(
    stage: Stage,
    producer: Producer,
    *,
    room: settings.ServiceSettings | None = None,
    crash: Crash = no_crash,
    bound_s: float = 5.0,
    **changes: Any,
) -> AsyncGenerator[asyncio.Future[None]]:
    """A consumer at work in this process; stopped in good order unless it has ended.

    bound_s: of a statement.
    """
    database = await Database.open(stage.dsn, size=4, command_timeout_s=bound_s)
    given: dict[str, Any] = {"topic": stage.source, "handle": passing_on(stage.sink), **changes}
    subscriptions = [Subscription(**given)]
    given_room = room or stage.room()
    consumer = Consumer(stage.group, subscriptions, database, producer, given_room, crash=crash)
    task = asyncio.ensure_future(consumer.run())
    try:
        yield task
        if not task.done():
            consumer.stop()
            await asyncio.wait_for(task, 15)
    finally:
        task.cancel()
        with suppress(BaseException):
            await task
        await database.close()


@contextmanager
def child(stage: Stage, **changes: Any) -> Generator[Child]:
    """The stage's consumer in a process of its own, which dies with the test."""
    with socket.socket() as free, socket.socket() as other:
        free.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, inner_port = free.getsockname()[1], other.getsockname()[1]
    given: dict[str, Any] = {"room": stage.room(), **changes}
    given["room"] = msgspec.structs.replace(given["room"], http_port=port, inner_port=inner_port)
    options = Options(source=stage.source.name, sink=stage.sink.name, group=stage.group, **given)
    environ = {**os.environ, "CHILD": msgspec.json.encode(options).decode()}
    process = Child([sys.executable, str(CHILD), "serve"], env=environ)
    process.port, process.inner_port = port, inner_port
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


async def ended(process: Child, bound_s: float = 20) -> int:
    """The exit code of a child that ends by itself."""

    async def gone() -> bool:
        return process.poll() is not None

    await until(gone, bound_s)
    return process.returncode


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def producer(servers: Servers) -> AsyncGenerator[Producer]:
    """One producer for the tests' own sends."""
    made = await Producer.open(servers.bootstrap, client_id="tests")
    yield made
    await made.close()


Make = Callable[..., Awaitable[Stage]]


@pytest.fixture
def new_stage(
    servers: Servers,
    fresh_database: Callable[[str], Awaitable[str]],
    owner_dsn: Callable[[str], str],
) -> Make:
    """`await new_stage()`: a database with kit's tables and `effects`, a source and a sink."""

    async def make(**changes: Any) -> Stage:
        dsn = await fresh_database("test")
        return await stage_on(servers.bootstrap, dsn, owner_dsn(dsn), **changes)

    return make


async def stage_on(bootstrap: str, dsn: str, owner: str, **changes: Any) -> Stage:
    """A stage on these servers; changes are the source topic's."""
    session = await db.connect(owner)
    await session.execute(EFFECTS)
    await session.close()
    tag = secrets.token_hex(4)
    made = Stage(
        bootstrap=bootstrap,
        dsn=dsn,
        source=topic(f"t.{tag}.source", **changes),
        sink=topic(f"t.{tag}.sink"),
        group=f"test-{tag}",
    )
    wanted: Sequence[Topic] = [made.source, made.sink, topics.DEAD_LETTERS]
    await kafka.ensure_topics(bootstrap, wanted, shards=4)
    return made
