"""One consumer group in one task: one poll, one transaction, every effect exactly once."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from kit.base import errors, settings, telemetry
from kit.base.db import Database, Tx
from kit.base.telemetry import Metric
from kit.stream import dead_letters, isolation, kafka, outbox
from kit.stream.dispatch import Hearers, Refused, Way
from kit.stream.event import Event, Handler, Poison, Subscription, event, read
from kit.stream.kafka import Place, Producer, Reader
from kit.stream.outbox import Message, StreamSequences
from kit.stream.publish import Crash, CrashPoint, Publisher, no_crash
from kit.stream.streams import Positions

log = logging.getLogger(__name__)

SWEEP_AFTER_S: Final = 0.5  # sooner, the next batch carries the deletion
REST_S: Final = 0.25  # of a batching consumer, from one poll to the next
POLL_AGE_MAX_S: Final = 10.0  # 2 s of waiting for facts, 5 s of a statement, 3 s of computing
FENCED_WAIT_S: Final = 15.0  # longer than a session: by then a fenced member has a new assignment


class Consumer:
    """A member of one group: road topics and state topics are read by separate consumers.

    batching: for rooms beside the road, where nobody waits: fewer and fuller batches.
    """

    def __init__(  # noqa: PLR0913 - all that a member of a group is wired from
        self,
        group: str,
        subscriptions: Sequence[Subscription],
        database: Database,
        producer: Producer,
        room: settings.ServiceSettings,
        *,
        batching: bool = False,
        crash: Crash = no_crash,
    ) -> None:
        self.group = group
        self._hearers = Hearers(room.room, group, subscriptions)
        self._database = database
        self._room = room
        self._crash = crash
        self._batching = batching
        set_aside = partial(dead_letters.keep_batch, database, room.room, group)
        self._publisher = Publisher(group, producer, set_aside, crash)
        self._stopping = asyncio.Event()
        self._taken = 0  # generation of the assignment whose offsets are loaded
        self.finished_at = time.monotonic()  # when a poll, or a part of one, last was
        self._with_retry = partial(isolation.repeated, group=group)
        self._pieces = isolation.Pieces(group, self._attempt, self._hearers.failing, self._instead)
        self._positions = Positions(group)
        self._numbers = StreamSequences(room.room, group, room.generation, {}, room.shards)
        self._committed: dict[Place, int] = {}
        self._cluster = ""
        self._reader: Reader | None = None

    @property
    def ready(self) -> bool:
        """Whether partitions are taken over and polls are finished, as a member of the group."""
        return self._taken > 0 and time.monotonic() - self.finished_at < POLL_AGE_MAX_S

    def stop(self) -> None:
        """Finish the batch at work, flush, leave the group; run() then returns."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped. Raises Alarm, and what outlasts its bound of retries."""
        bootstrap = self._room.kafka_bootstrap
        self._cluster = await kafka.cluster_id(bootstrap)
        reader = await Reader.open(
            bootstrap,
            group=self.group,
            topics=list(self._hearers.topics),
            instance=f"{self.group}-{self._room.instance}" if self._room.static_member else None,
            batching=self._batching,
        )
        self._reader = reader
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(self._publisher.run()),
                    tasks.create_task(self._tell_broker(reader)),
                ]
                await self._consume(reader)
                for task in beside:
                    task.cancel()
        finally:
            await reader.close()

    async def _consume(self, reader: Reader) -> None:
        size, busy_at = kafka.LIVE_RECORDS, 0.0
        while not self._stopping.is_set():
            if reader.generation != self._taken:
                await self._with_retry(partial(self._take_over, reader))
                continue
            records = await self._with_retry(partial(reader.poll, size))
            if reader.generation != self._taken:
                continue  # of an assignment that is over: dropped, the new owner reads them
            if not records:
                if reader.joined:
                    self.finished_at = time.monotonic()
                if time.monotonic() - busy_at > SWEEP_AFTER_S:
                    await self._with_retry(self._sweep)
                continue
            busy_at = time.monotonic()
            self._crash(CrashPoint.AFTER_POLL)
            full = sum(map(len, records.values())) >= size
            size = kafka.LIVE_RECORDS
            if full and reader.lag() > 2 * kafka.LAG_RECORDS:
                size = kafka.LAG_RECORDS
            reader.idle.clear()
            try:
                await self._settle(reader, self._events(records))
            finally:
                reader.idle.set()
            if self._batching and not full:
                await self._rest(busy_at)
        if self._taken < 0:  # a commit whose answer was lost: its rows go out before we leave
            await self._with_retry(partial(self._take_over, reader))
        await self._publisher.drained()
        await self._with_retry(self._sweep)
        await reader.commit(self._ours(reader))

    async def _rest(self, since: float) -> None:
        """Let records gather before the next poll; a stop ends the wait at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, since + REST_S - time.monotonic())):
                await self._stopping.wait()

    # --------------------------------------------------------------------------------- assignment

    async def _take_over(self, reader: Reader) -> None:
        """Claim what is assigned, publish what is unsent, seek to the stored offsets."""
        generation = reader.generation
        places = reader.assigned()
        await self._publisher.drained()
        acked = self._publisher.take_acked()
        room = self._room
        sequences = StreamSequences(room.room, self.group, room.generation, {}, room.shards)
        async with self._database.transaction() as tx:
            await outbox.delete_sent(tx, acked)
            positions = await Positions.claim(
                tx, self.group, places, self._cluster, room.generation
            )
            unsent, torn = await sequences.take_unsent(tx, places)
            await dead_letters.keep(tx, room.room, self.group, torn)
        await self._publisher.send(unsent)
        unread = [place for place, offset in positions.next.items() if offset < 0]
        offsets = positions.next | (await reader.beginnings(unread) if unread else {})
        if generation != reader.generation:
            return
        try:
            reader.seek(offsets)
        except errors.Fenced:
            return  # reassigned meanwhile: the loop comes back here
        self._positions, self._numbers, self._taken = positions, sequences, generation
        self._committed = {}
        telemetry.count(Metric.ASSIGNMENTS, self.group)
        log.info("%s owns %d partitions", self.group, len(places))

    async def _fenced(self, reader: Reader) -> None:
        """A compare-and-set failed: reload after our own commit, else wait for a rebalance."""
        if await self._with_retry(self._still_ours):
            self._taken = -1  # the outcome of a commit was unknown; the rows know
            return
        log.warning("%s was fenced; waiting for the new assignment", self.group)
        deadline = time.monotonic() + FENCED_WAIT_S
        while reader.generation == self._taken and not self._stopping.is_set():
            if time.monotonic() > deadline:
                raise errors.Fenced(f"{self.group} lost its partitions and heard of no rebalance")
            await asyncio.sleep(0.05)

    async def _still_ours(self) -> bool:
        async with self._database.read() as tx:
            return await self._positions.still_ours(tx)

    # ---------------------------------------------------------------------------------- one poll

    def _events(self, records: Mapping[Place, Sequence[Any]]) -> list[Event]:
        """Decode a poll in partition order. Raises Alarm where the log has a hole or has shrunk."""
        events: list[Event] = []
        for place in sorted(records):
            decoders = self._hearers.decoders[place[0]]
            topic = self._hearers.topics[place[0]]
            expected = self._positions.next[place]
            for record in records[place]:
                offset: int = record.offset
                if expected >= 0 and (
                    offset < expected or (offset > expected and not topic.compacted)
                ):
                    telemetry.count(Metric.ALARMS, "offset-gap")
                    raise errors.Alarm(f"{place}: expected offset {expected}, the log has {offset}")
                expected = offset + 1
                events.append(read(record, decoders))
        return events

    async def _settle(self, reader: Reader, events: Sequence[Event]) -> None:
        """Bring a poll to its end: committed, isolated by halving, or left to another owner."""
        started = time.monotonic()
        await isolation.await_facts(self._hearers.subscriptions, events)
        with ExitStack() as stack:
            span = self._observed(stack, events)
            try:
                if not await self._pieces.commit(events, lambda: reader.generation != self._taken):
                    return
            except errors.Fenced:
                await self._fenced(reader)
                return
            if span is not None:
                span.set("messaging.batch.message_count", len(events))
        telemetry.observe(Metric.BATCH_SECONDS, time.monotonic() - started, self.group)
        telemetry.observe(Metric.BATCH_EVENTS, len(events), self.group)

    def _observed(self, stack: ExitStack, events: Sequence[Event]) -> telemetry.Span | None:
        """A span for the poll; None where a header breaks it, for tracing must not stop a poll."""
        links = [event.headers.get("traceparent") for event in events]
        try:
            return stack.enter_context(telemetry.batch_span(self.group, links))
        except Exception:  # whatever it is, it only observes
            log.exception("no span for a poll")
            return None

    async def _instead(self, event: Event, behind: Sequence[Sequence[Event]]) -> bool:
        """Whether some other record passes where one timed out; that trial is rolled back.

        Raises Fenced where there is no other: the poll is read again, with what has come meanwhile.
        """
        telemetry.count(Metric.ALARMS, "record-timed-out")
        fit = [e for piece in behind for e in piece if e.envelope is not None and not e.expired]

        async def advance_and_rehearse(tx: Tx) -> None:
            place = (event.topic, event.partition)
            await self._positions.advance(tx, {place: event.offset + 1}, {}, [])
            await self._hearers.rehearse(tx, [secrets.choice(fit)] if fit else [])

        passed = await isolation.rehearsed(self._database, advance_and_rehearse)
        if passed and not fit:
            raise errors.Fenced("a record that timed out has none beside it")
        return passed

    async def _attempt(
        self, piece: Sequence[Event], refused: Refused = MappingProxyType({}), way: Way = Way.REFUSE
    ) -> bool:
        """One transaction. refused: parts that do not get the one event of piece, and why."""
        fresh, numbers = self._positions.sift(piece)
        ends = {(e.topic, e.partition): e.offset + 1 for e in piece}
        acked = self._publisher.take_acked()
        try:
            async with self._database.transaction() as tx:
                self._crash(CrashPoint.AFTER_BEGIN)
                await self._positions.advance(tx, ends, numbers, acked)
                self._crash(CrashPoint.AFTER_OFFSETS)
                await self._hearers.hand_out(tx, fresh, refused, way)
                self._crash(CrashPoint.AFTER_HANDLER)
                planned = self._numbers.plan(tx.take_messages(), list(ends))
                batches = await self._numbers.insert(tx, planned)
                self._crash(CrashPoint.BEFORE_COMMIT)
        except BaseException:
            self._publisher.give_back(acked)
            raise
        self._crash(CrashPoint.AFTER_COMMIT)
        if acked:
            self._crash(CrashPoint.AFTER_ACK_DELETE)
        self._positions.settle(ends, numbers)
        self._numbers.settle(batches)
        await self._publisher.put(batches)
        self.finished_at = time.monotonic()
        return True

    # ------------------------------------------------------------------------------------- beside

    async def _sweep(self) -> None:
        """Nothing came: delete acknowledged rows now, there is no next batch to carry it."""
        acked = self._publisher.take_acked()
        if acked:
            try:
                async with self._database.transaction() as tx:
                    await outbox.delete_sent(tx, acked)
            except BaseException:
                self._publisher.give_back(acked)
                raise
            self._crash(CrashPoint.AFTER_ACK_DELETE)

    async def _tell_broker(self, reader: Reader) -> None:
        """Commit the offsets to the broker about once a second, for lag graphs only."""
        while True:
            await asyncio.sleep(1)
            telemetry.gauge(Metric.LAG, reader.lag(), self.group)
            age_s = time.monotonic() - self.finished_at
            telemetry.gauge(Metric.POLL_AGE_SECONDS, age_s, self.group)
            ours = self._ours(reader)
            if ours:
                self._crash(CrashPoint.BEFORE_BROKER_COMMIT)
            await reader.commit(ours)

    def _ours(self, reader: Reader) -> dict[Place, int]:
        if reader.generation != self._taken:
            return {}
        changed = {
            place: offset
            for place, offset in self._positions.next.items()
            if offset >= 0 and self._committed.get(place) != offset
        }
        self._committed.update(changed)
        return changed


__all__ = [
    "Consumer", "CrashPoint", "Event", "Handler", "Message", "Poison", "Subscription", "event",
]  # fmt: skip
