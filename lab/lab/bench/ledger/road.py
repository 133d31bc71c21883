"""Kafka in: commands produced, the ledger's consumer as a process, outcomes and replies counted."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import psutil

from cluster import children, kafka_server, paths
from contracts import topics
from kit.stream import kafka
from kit.stream.kafka import Producer
from kit.stream.outbox import Message
from lab.bench.ledger.place import ROOM, Place
from lab.bench.ledger.records import REPLY_PARTITION, SHARD, Translator
from lab.bench.ledger.workloads import Command

TOPICS: Final = (
    topics.LEDGER_COMMANDS,
    topics.LEDGER_ENTRIES,
    topics.GATEWAY_REPLIES,
    topics.DEAD_LETTERS,
)
WORKER: Final = "bench-ledger"
_COMMANDS: Final = (topics.LEDGER_COMMANDS.name, SHARD)
_ENTRIES: Final = (topics.LEDGER_ENTRIES.name, SHARD)
_REPLIES: Final = (topics.GATEWAY_REPLIES.name, REPLY_PARTITION)
_SENT_AT_A_TIME: Final = 2_000
_START_WAIT_S: Final = 60.0
_STOP_WAIT_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.02


class RoadFailed(RuntimeError):
    """The consumer ended, or what came out is not what went in."""


@dataclass(slots=True)
class Road:
    """A database on the road: its producer, its worker, and where the topics stood before."""

    place: Place
    database: str
    producer: Producer
    translator: Translator
    before: dict[kafka.Place, int]
    numbered: int
    sent: int = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, place: Place, database: str, translator: Translator
    ) -> AsyncGenerator["Road"]:
        """Topics as they should be, the stored offset at the end of ledger.commands."""
        bootstrap = place.home.bootstrap
        await kafka.ensure_topics(bootstrap, TOPICS, shards=1)
        before = await kafka.end_offsets(bootstrap, [t.name for t in TOPICS])
        async with place.superuser(database) as connection:
            await connection.execute(
                "update consumer_offsets set next = $1, cluster = $2",
                before[_COMMANDS],
                await kafka.cluster_id(bootstrap),
            )
        producer = await Producer.open(bootstrap, client_id="bench")
        try:
            numbered = await _numbers_given(place, database)
            yield cls(place, database, producer, translator, before, numbered)
        finally:
            await producer.close()

    def messages(self, commands: Sequence[Command]) -> list[Message]:
        """Commands as their producer sends them."""
        return [
            Message(event.topic, SHARD, event.key, event.raw, tuple(event.headers.items()))
            for event in self.translator.events(commands)
        ]

    async def send(self, messages: Sequence[Message]) -> None:
        """Produce messages; returns once they are durable."""
        for start in range(0, len(messages), _SENT_AT_A_TIME):
            part = messages[start : start + _SENT_AT_A_TIME]
            await self.producer.send(part, deadline_s=60.0)
        self.sent += len(messages)

    def start_worker(self) -> psutil.Process:
        """The ledger's consumer as a process."""
        home = self.place.home
        settings = {
            "KAFKA_BOOTSTRAP": home.bootstrap,
            "DATABASE_DSN": self.place.dsn(self.database, ROOM),
            "HTTP_PORT": "0",
            "ACTOR_SECRET": "none",
            "SHARDS": "1",
            "LOG_LEVEL": "WARNING",
        }
        environment = children.plain_environment()
        environment |= {f"PEYVAND_{key}": value for key, value in settings.items()}
        if "PYTHONPATH" in os.environ:
            environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        return children.launch(
            children.Launch(
                folder=home.folder,
                name=WORKER,
                command=(sys.executable, "-m", f"{__package__}.worker"),
                environment=environment,
                log=home.folder / "logs" / f"{WORKER}.log",
                working_folder=paths.PROJECT,
            )
        )

    async def stop_worker(self, worker: psutil.Process) -> None:
        """End it in good order: what it has said is then with the broker."""
        await asyncio.to_thread(children.stop, worker, sign=signal.SIGTERM, wait_s=_STOP_WAIT_S)

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[psutil.Process]:
        """A worker while the block runs."""
        worker = self.start_worker()
        try:
            yield worker
        finally:
            await self.stop_worker(worker)

    async def drain(self, worker: psutil.Process, last: int) -> tuple[int, float, dict[str, float]]:
        """Wait until the shard has reached a sequence number.

        Gives commands, seconds and CPU seconds by process, from the first poll's commit on.
        """
        first = await self._reach(worker, last - self.sent + 1)
        began, cpu = time.perf_counter(), self._cpu(worker)
        reached = await self._reach(worker, last)
        took = time.perf_counter() - began
        after = self._cpu(worker)
        spent = {name: round(seconds - cpu.get(name, 0.0), 2) for name, seconds in after.items()}
        return reached - first, took, spent

    async def check(self) -> int:
        """As many outcomes, by number, as commands; a reply each; nothing unsent.

        Gives how many went out again because the broker was late to acknowledge: whoever hears
        outcomes drops those by their numbers. Raises RoadFailed.
        """
        after = await kafka.end_offsets(self.place.home.bootstrap, [t.name for t in TOPICS])
        counts = {p[0]: after[p] - self.before[p] for p in (_COMMANDS, _ENTRIES, _REPLIES)}
        numbered = await _numbers_given(self.place, self.database) - self.numbered
        async with self.place.superuser(self.database) as connection:
            unsent = await connection.fetchval("select count(*) from outbox_batches")
        if numbered != self.sent or unsent or min(counts.values()) < self.sent:
            raise RoadFailed(
                f"{self.sent} commands, but {numbered} numbers, {counts}, {unsent} batches unsent"
            )
        return counts[_ENTRIES[0]] - self.sent

    async def _reach(self, worker: psutil.Process, sequence: int) -> int:
        deadline = time.monotonic() + _START_WAIT_S
        last = -1
        async with self.place.superuser(self.database) as connection:
            while True:
                now = await connection.fetchval(
                    "select last_sequence from shards where shard = $1", SHARD
                )
                if now >= sequence:
                    return now
                if now != last:
                    last, deadline = now, time.monotonic() + _START_WAIT_S
                if time.monotonic() > deadline or not children.alive(worker):
                    raise RoadFailed(f"the shard stands at {now}; see logs/{WORKER}.log")
                await asyncio.sleep(_LOOK_EVERY_S)

    def _cpu(self, worker: psutil.Process) -> dict[str, float]:
        """CPU seconds so far: the worker, the broker, PostgreSQL's sessions for the room."""
        broker = children.find(self.place.home.folder, kafka_server.NAME)
        by_process = {"ledger": seconds(worker)}
        if broker is not None:
            by_process["kafka"] = seconds(broker)
        sessions = self.place.postmaster.children(recursive=True)
        by_process["postgres"] = sum(seconds(session) for session in sessions)
        return by_process


async def _numbers_given(place: Place, database: str) -> int:
    """Numbers given so far to messages of ledger.entries."""
    async with place.superuser(database) as connection:
        query = "select coalesce(sum(n), 0) from stream_sequences where topic = $1"
        return int(await connection.fetchval(query, _ENTRIES[0]))


def seconds(process: psutil.Process) -> float:
    """CPU seconds of a process so far."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


class Replies:
    """Reads replies as a gateway does, and wakes whoever waits."""

    def __init__(self, reader: kafka.Assigned) -> None:
        self._reader = reader
        self._waiting: dict[bytes, asyncio.Future[float]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, bootstrap: str, place: kafka.Place = _REPLIES) -> AsyncGenerator["Replies"]:
        """Listen while the block runs."""
        reader = await kafka.Assigned.open(bootstrap, client_id="bench", start={place: None})
        replies = cls(reader)
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(replies._listen())
                yield replies
                listening.cancel()
        finally:
            await reader.close()

    def expect(self, message: Message) -> "asyncio.Future[float]":
        """When the reply to a message is heard, by the loop's monotonic clock."""
        correlation = dict(message.headers).get("correlation-id", message.key)
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[correlation] = future
        return future

    async def _listen(self) -> None:
        while True:
            for record in await self._reader.poll(timeout_ms=500):
                future = self._waiting.pop(record.key or b"", None)
                if future is not None and not future.done():
                    future.set_result(time.perf_counter())
