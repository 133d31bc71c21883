"""One consumer group in one task: one poll, one transaction, every effect exactly once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from kit import errors, kafka, letters, outbox, settings, telemetry
from kit.db import Database, Tx
from kit.event import Event, Handler, Poison, Subscription, event, read
from kit.kafka import Place, Producer, Reader
from kit.outbox import Message, Numbers
from kit.publish import Crash, CrashPoint, Publisher, no_crash
from kit.streams import Positions
from kit.telemetry import Metric

log = logging.getLogger(__name__)

FACTS_WAIT_S: Final = 2.0
FACTS_POLL_S: Final = 0.025
RETRY_BOUND_S: Final = 60.0
UNFORESEEN_MAX: Final = 3
SWEEP_AFTER_S: Final = 0.5  # sooner, the next batch carries the deletion
REST_S: Final = 0.25  # of a patient consumer, from one poll to the next
FENCED_WAIT_S: Final = 15.0  # longer than a session: a member that was fenced hears why by then
_ONWARD: Final = (
    "traceparent",
    "reply-topic",
    "reply-partition",
    "correlation-id",
    "deadline",
    "replay",
)


class Consumer:
    """A member of one group: road topics and state topics are read by separate consumers.

    patient: for rooms beside the road, where nobody waits: fewer and fuller batches.
    """

    def __init__(  # noqa: PLR0913 - all that a member of a group is wired from
        self,
        group: str,
        subscriptions: Sequence[Subscription],
        database: Database,
        producer: Producer,
        room: settings.Room,
        *,
        patient: bool = False,
        crash: Crash = no_crash,
    ) -> None:
        self.group = group
        self._subscriptions = {s.topic.name: s for s in subscriptions}
        self._decoders = {s.topic.name: dict(s.decoders or s.topic.events) for s in subscriptions}
        self._database = database
        self._room = room
        self._crash = crash
        self._patient = patient
        self._publisher = Publisher(group, producer, crash)
        self._stopping = asyncio.Event()
        self._taken = 0  # generation of the assignment whose offsets are loaded
        self._positions = Positions(group)
        self._numbers = Numbers(room.room, group, room.generation, {})
        self._told: dict[Place, int] = {}
        self._cluster = ""
        self._reader: Reader | None = None

    @property
    def ready(self) -> bool:
        """Whether an assignment has been taken over."""
        return self._taken > 0

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
            topics=list(self._subscriptions),
            instance=f"{self.group}-{self._room.instance}" if self._room.static_member else None,
            patient=self._patient,
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
            if self._patient and not full:
                await self._rest(busy_at)
        if self._taken < 0:  # a commit whose answer was lost: its rows go out before we leave
            await self._with_retry(partial(self._take_over, reader))
        await self._publisher.drained()
        await self._with_retry(self._sweep)
        await reader.commit(self._ours(reader))

    async def _rest(self, since: float) -> None:
        """Let records gather before the next poll; a stop is heard at once."""
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
        lanes = places
        numbers = Numbers(self._room.room, self.group, self._room.generation, {})
        async with self._database.transaction() as tx:
            await outbox.delete_sent(tx, acked)
            positions = await Positions.claim(
                tx, self.group, places, self._cluster, self._room.generation
            )
            await numbers.load(tx, lanes)
            unsent = await outbox.find_unsent(tx, self.group, lanes)
        await self._publisher.send(unsent)
        unread = [place for place, offset in positions.next.items() if offset < 0]
        offsets = positions.next | (await reader.beginnings(unread) if unread else {})
        if generation != reader.generation:
            return
        try:
            reader.seek(offsets)
        except errors.Fenced:
            return  # reassigned meanwhile: the loop comes back here
        self._positions, self._numbers, self._taken = positions, numbers, generation
        self._told = {}
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
            decoders = self._decoders[place[0]]
            topic = self._subscriptions[place[0]].topic
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
        pieces = [list(events)]
        await self._await_facts(events)
        links = (event.headers.get("traceparent") for event in events)
        with telemetry.batch_span(self.group, links) as span:
            while pieces:
                piece = pieces.pop(0)
                try:
                    if not await self._with_retry(partial(self._attempt, piece), reader):
                        return
                except errors.Permanent as error:
                    if len(piece) > 1:
                        half = len(piece) // 2
                        pieces[:0] = [piece[:half], piece[half:]]
                        continue
                    refused, why = piece[0], f"{error.code}: {error.detail}"
                    await self._with_retry(partial(self._attempt, [refused], why), reader)
                except errors.Fenced:
                    await self._fenced(reader)
                    return
            if span is not None:
                span.set("messaging.batch.message_count", len(events))
        telemetry.observe(Metric.BATCH_SECONDS, time.monotonic() - started, self.group)
        telemetry.observe(Metric.BATCH_EVENTS, len(events), self.group)

    async def _attempt(self, piece: Sequence[Event], refused: str = "") -> bool:
        """One transaction. refused: why the one event of piece goes to refuse, not to handle."""
        fresh, heard = self._positions.sift(piece)
        ends = {(e.topic, e.partition): e.offset + 1 for e in piece}
        acked = self._publisher.take_acked()
        try:
            async with self._database.transaction() as tx:
                self._crash(CrashPoint.AFTER_BEGIN)
                await self._positions.advance(tx, ends, heard, acked)
                self._crash(CrashPoint.AFTER_OFFSETS)
                await self._handle(tx, fresh, refused)
                self._crash(CrashPoint.AFTER_HANDLER)
                said = self._numbers.plan(tx.take_messages(), list(ends))
                batches = await self._numbers.insert(tx, said)
                self._crash(CrashPoint.BEFORE_COMMIT)
        except BaseException:
            self._publisher.give_back(acked)
            raise
        self._crash(CrashPoint.AFTER_COMMIT)
        if acked:
            self._crash(CrashPoint.AFTER_ACK_DELETE)
        self._positions.settle(ends, heard)
        self._numbers.settle(batches)
        await self._publisher.put(batches)
        return True

    async def _handle(self, tx: Tx, events: Sequence[Event], refused: str) -> None:
        for name, subscription in self._subscriptions.items():
            mine: list[Event] = []
            for one in events:
                if one.topic != name:
                    continue
                if one.error or refused:
                    await self._set_aside(tx, subscription, one, refused)
                if (one.error and subscription.poison is Poison.DEAD_LETTER) or refused:
                    continue
                if one.expired:
                    telemetry.count(Metric.EXPIRED_DROPPED, self.group)
                    continue
                mine.append(one)
            if mine:
                await subscription.handle(tx, mine)

    async def _set_aside(
        self, tx: Tx, subscription: Subscription, event: Event, refused: str
    ) -> None:
        """Dead-letter copy and alarm; a refusal too, where the road wants one."""
        answered = subscription.poison is Poison.PASS if event.error else bool(subscription.refuse)
        limit = None if answered else subscription.letters_max
        why = refused or f"undecodable: {event.error}"
        await letters.write(tx, self._room.room, self.group, event, why, limit=limit)
        if refused and subscription.refuse is not None:
            await subscription.refuse(tx, event, refused)

    async def _await_facts(self, events: Sequence[Event]) -> None:
        deadline = time.monotonic() + FACTS_WAIT_S
        for name, subscription in self._subscriptions.items():
            missing = subscription.facts_missing
            if missing is None:
                continue
            mine = [e for e in events if e.topic == name and e.envelope is not None]
            while mine and await missing(mine) and time.monotonic() < deadline:  # noqa: ASYNC110 - rows
                await asyncio.sleep(FACTS_POLL_S)

    # ------------------------------------------------------------------------------------- beside

    async def _with_retry(
        self, attempt: Callable[[], Awaitable[Any]], reader: Reader | None = None
    ) -> Any:
        """Repeat what fails transiently, within the bound; None when reassigned meanwhile."""
        started, unforeseen, pause = time.monotonic(), 0, 0.02
        while True:
            try:
                return await attempt()
            except (errors.Permanent, errors.Fenced, errors.Alarm):
                raise
            except Exception as error:
                known = isinstance(error, errors.Unavailable)
                unforeseen += 0 if known else 1
                telemetry.count(Metric.RETRIES, self.group)
                late = time.monotonic() - started > RETRY_BOUND_S
                if late or unforeseen >= UNFORESEEN_MAX:
                    raise
                log.warning("%s tries again: %r", self.group, error, exc_info=not known)
            if reader is not None and reader.generation != self._taken:
                return None
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)

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
        """About once a second: the offsets, for lag graphs only."""
        while True:
            await asyncio.sleep(1)
            telemetry.gauge(Metric.LAG, reader.lag(), self.group)
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
            if offset >= 0 and self._told.get(place) != offset
        }
        self._told.update(changed)
        return changed


__all__ = [
    "Consumer",
    "CrashPoint",
    "Event",
    "Handler",
    "Message",
    "Poison",
    "Subscription",
    "event",
]
