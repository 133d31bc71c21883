"""Publishing of committed batches: one ordered task a writer, and the relay of HTTP and jobs."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Final

from kit.base import db, errors, telemetry
from kit.base.telemetry import Metric
from kit.stream import dead_letters, outbox
from kit.stream.kafka import Place, Producer
from kit.stream.outbox import Batch, SourcePartition, StreamSequences

log = logging.getLogger(__name__)

PUBLISH_BOUND_S: Final = 60.0
SEND_DEADLINE_S: Final = 5.0
RELAY_POLL_S: Final = 0.5
RELAY_ROWS: Final = 500
_ELECTION: Final = 7_202_612  # advisory lock of a service's database: one relay
_RELAY_SOURCE: Final[SourcePartition] = ("", 0)


class CrashPoint(Enum):
    """Where a test may kill or pause a writer."""

    AFTER_POLL = "after poll"
    AFTER_BEGIN = "after begin"
    AFTER_OFFSETS = "after offsets"
    AFTER_HANDLER = "after handler"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    AFTER_PUBLISH = "after publish"
    AFTER_ACK_DELETE = "after the acknowledged rows are deleted"
    BEFORE_BROKER_COMMIT = "before broker commit"


Crash = Callable[[CrashPoint], None]


def no_crash(point: CrashPoint) -> None:
    """Go on."""
    del point


class Publisher:
    """Sends what a writer has committed, in order, while the writer is at its next poll."""

    def __init__(
        self,
        name: str,
        producer: Producer,
        set_aside: Callable[[Batch], Awaitable[None]],
        crash: Crash = no_crash,
    ) -> None:
        """set_aside: keeps a batch whose partition does not exist."""
        self._name = name
        self._producer = producer
        self._set_aside = set_aside
        self._crash = crash
        self._queue: asyncio.Queue[Sequence[Batch]] = asyncio.Queue()
        self._acked: list[int] = []

    async def put(self, batches: Sequence[Batch]) -> None:
        """Queue committed batches; waits while those before them are unacknowledged.

        One poll is at work while another is on its way: a slow broker makes polls fuller, not more.
        """
        if batches:
            await self._queue.join()
            await self._queue.put(batches)

    def take_acked(self) -> list[int]:
        """Ids acknowledged since the last call; the taker deletes their rows."""
        acked, self._acked = self._acked, []
        return acked

    def give_back(self, acked: Sequence[int]) -> None:
        """Ids whose deletion did not commit."""
        self._acked.extend(acked)

    async def drained(self) -> None:
        """Wait until all that was queued is acknowledged."""
        await self._queue.join()

    async def run(self) -> None:
        """Send until cancelled. Raises SendUnknown when the broker stays away past the bound."""
        while True:
            polls = [await self._queue.get()]
            while not self._queue.empty():
                polls.append(self._queue.get_nowait())
            await self.send([batch for poll in polls for batch in poll])
            for _ in polls:
                self._queue.task_done()

    async def send(self, batches: Sequence[Batch]) -> None:
        """Send batches now, again and again until acknowledged or the bound is past.

        A batch for a partition that does not exist is set aside: it would stop every start.
        """
        if not batches:
            return
        telemetry.gauge(Metric.OUTBOX_UNSENT, len(batches), self._name)
        messages = [message for batch in batches for message in batch.numbered()]
        started, homeless = time.monotonic(), set[Place]()
        while True:
            try:
                await self._producer.send(messages, deadline_s=SEND_DEADLINE_S, homeless=homeless)
                break
            except errors.SendUnknown:
                waited = time.monotonic() - started
                telemetry.gauge(Metric.OUTBOX_AGE_SECONDS, waited, self._name)
                if waited > PUBLISH_BOUND_S:
                    raise
                log.warning("broker has not acknowledged for %.0f s; sending again", waited)
                await asyncio.sleep(0.1)
        self._crash(CrashPoint.AFTER_PUBLISH)
        for batch in batches:
            if batch.partition is not None and (batch.topic, batch.partition) in homeless:
                await self._set_aside(batch)
        self._acked.extend(batch.id for batch in batches)
        telemetry.gauge(Metric.OUTBOX_UNSENT, self._queue.qsize(), self._name)
        telemetry.gauge(Metric.OUTBOX_AGE_SECONDS, 0, self._name)
        telemetry.observe(Metric.PUBLISH_SECONDS, time.monotonic() - started, self._name)


class Relay:
    """Publishes the messages of HTTP and jobs; one a service, elected by an advisory lock."""

    def __init__(
        self, dsn: str, database: db.Database, producer: Producer, service: str, generation: int
    ) -> None:
        self._dsn = dsn
        self._database = database
        self._producer = producer
        self._service = service
        self._generation = generation
        self._wake = asyncio.Event()
        self.elected = False
        database.on_messages = self._wake.set

    async def run(self) -> None:
        """Wait for the lock, relay while it is held, again after every loss of it."""
        while True:
            try:
                await self._stand()
            except errors.Unavailable as lost:
                log.warning("relay lost its lock: %s", lost)
                await asyncio.sleep(1)

    async def flushed(self) -> None:
        """Wait until every message is sent, where this process is the one that relays."""
        while self.elected and await self._waiting():
            self._wake.set()
            await asyncio.sleep(0.02)

    async def _stand(self) -> None:
        session = await db.connect(self._dsn)
        try:
            while True:
                with db.translated():
                    if await session.fetchval("select pg_try_advisory_lock($1)", _ELECTION):
                        break
                await asyncio.sleep(RELAY_POLL_S)
            await self._lead(session)
        finally:
            self.elected = False
            telemetry.gauge(Metric.ELECTED, 0)
            await _closed(session)

    async def _lead(self, session: db.Connection) -> None:
        set_aside = partial(dead_letters.keep_batch, self._database, self._service, outbox.RELAY)
        publisher = Publisher(outbox.RELAY, self._producer, set_aside)
        numbers = StreamSequences(self._service, outbox.RELAY, self._generation, {})
        async with self._database.transaction() as tx:
            epoch: int = await tx.fetchval(_CLAIM, outbox.RELAY, self._generation)
            unsent, torn = await numbers.take_unsent(tx, [_RELAY_SOURCE])
            await dead_letters.keep(tx, self._service, outbox.RELAY, torn)
        await publisher.send(unsent)
        self.elected = True
        telemetry.gauge(Metric.ELECTED, 1)
        lost: list[str] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(publisher.run())
                try:
                    while not session.is_closed():
                        await self._turn(publisher, numbers, epoch)
                    raise errors.Unavailable("the session that holds the lock is gone")
                finally:
                    sending.cancel()
        except* (errors.Unavailable, errors.Fenced) as group:
            lost.append(repr(group.exceptions[0]))
        if lost:
            raise errors.Unavailable(f"relay: {lost[0]}")

    async def _turn(self, publisher: Publisher, numbers: StreamSequences, epoch: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(RELAY_POLL_S):
                await self._wake.wait()
        woken = self._wake.is_set()
        self._wake.clear()
        acked = publisher.take_acked()
        if not woken and not acked and not await self._waiting():
            return  # no message here, nor of another process of this service
        try:
            async with self._database.transaction() as tx:
                if await tx.execute(_HOLD, outbox.RELAY, epoch) != "UPDATE 1":
                    raise errors.Fenced("another relay was elected")
                await outbox.delete_sent(tx, acked)
                plan = partial(numbers.plan, sources=[_RELAY_SOURCE])
                messages, torn = await outbox.take_messages(tx, RELAY_ROWS, plan)
                await dead_letters.keep(tx, self._service, outbox.RELAY, torn)
                batches = await numbers.insert(tx, plan(messages))
        except BaseException:
            publisher.give_back(acked)
            raise
        numbers.settle(batches)
        if len(messages) + len(torn) == RELAY_ROWS:
            self._wake.set()
        await publisher.put(batches)

    async def _waiting(self) -> bool:
        async with self._database.read() as tx:
            return bool(
                await tx.fetchval(
                    "select exists (select from outbox_messages)"
                    " or exists (select from outbox_batches where consumer = $1)",
                    outbox.RELAY,
                )
            )


async def _closed(session: db.Connection) -> None:
    try:
        async with asyncio.timeout(2):
            await session.close()
    except TimeoutError:
        session.terminate()


_CLAIM: Final = """
insert into consumer_offsets (consumer, topic, partition, next, epoch, cluster, generation)
values ($1, '', 0, 0, 1, '', $2)
on conflict (consumer, topic, partition)
do update set epoch = consumer_offsets.epoch + 1, generation = excluded.generation
returning epoch
"""
_HOLD: Final = """
update consumer_offsets set next = next + 1
where consumer = $1 and topic = '' and partition = 0 and epoch = $2
"""
