"""Kafka: producer with deadlines, group reader, topics; alone imports aiokafka."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportPrivateUsage=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# aiokafka carries no types: what leaves this module is annotated by hand.

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.partitioner import murmur2

from contracts import topics as contract
from contracts.topics import Topic
from kit import errors, telemetry

if TYPE_CHECKING:
    from kit.outbox import Message

log = logging.getLogger(__name__)

BATCH_BYTES: Final = (
    131_072  # send() blocks once a partition's open batch is full: 16 KiB is a trap
)
REBUILDS_MAX: Final = 5
LIVE_RECORDS: Final = 200
LAG_RECORDS: Final = 1_000

Place = tuple[str, int]  # topic and partition; TopicPartition is one


class Ack(msgspec.Struct, frozen=True):
    """Where a message lies now; appended_at is the broker's stamp on topics that keep it."""

    partition: int
    offset: int
    appended_at: datetime


class Producer:
    """Idempotent producer of one process, with a deadline of our own on every send."""

    def __init__(self, bootstrap: str, client_id: str, compression: str | None) -> None:
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "client_id": client_id,
            "compression_type": compression,
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            "max_batch_size": BATCH_BYTES,
            "retry_backoff_ms": 50,
            "request_timeout_ms": 5_000,
            "metadata_max_age_ms": 60_000,
        }
        self._inner: Any = None
        self._rebuilding = asyncio.Lock()

    @classmethod
    async def open(
        cls, bootstrap: str, *, client_id: str, compression: str | None = None
    ) -> "Producer":
        """Connect. Raises Unavailable."""
        made = cls(bootstrap, client_id, compression)
        try:
            made._inner = await made._started()
        except kafka_errors.KafkaError as error:
            raise errors.Unavailable(f"broker: {error}") from error
        return made

    async def send(self, messages: Sequence["Message"], *, deadline_s: float = 5.0) -> None:
        """Send in order within each partition; returns once the broker has acknowledged all.

        Raises SendUnknown at the deadline: what was sent may still arrive. After fencing or a
        lost sequence the producer is rebuilt and what was not acknowledged is sent again.
        """
        left = messages
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(REBUILDS_MAX):
                    inner = self._inner
                    left, cause = await self._attempt(inner, left)
                    if cause is None:
                        return
                    await self._mend(inner, cause)
        except TimeoutError as late:
            raise self._unknown(len(left)) from late
        raise self._unknown(len(left))

    async def send_one(self, message: "Message", *, deadline_s: float = 5.0) -> Ack:
        """Send one message; many callers at once share batches. Raises SendUnknown."""
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(REBUILDS_MAX):
                    inner = self._inner
                    try:
                        sent = await inner.send(
                            message.topic,
                            message.value,
                            message.key,
                            message.partition,
                            None,
                            list(message.headers),
                        )
                        meta = await sent
                    except kafka_errors.KafkaError as error:
                        await self._mend(inner, error)
                        continue
                    return Ack(meta.partition, meta.offset, _stamp(meta.timestamp))
        except TimeoutError as late:
            raise self._unknown(1) from late
        raise self._unknown(1)

    async def close(self) -> None:
        """Flush for at most five seconds, then let go."""
        await _stopped(self._inner, 5)

    def _unknown(self, count: int) -> errors.SendUnknown:
        telemetry.count(telemetry.Metric.SENDS_UNKNOWN)
        return errors.SendUnknown(f"{count} messages unacknowledged; send the same again")

    async def _attempt(
        self, inner: Any, messages: Sequence["Message"]
    ) -> tuple[list["Message"], Exception | None]:
        """Send once. Gives what was not acknowledged and why."""
        places: dict[Place, list[Message]] = {}
        try:
            for said in messages:
                partition = said.partition
                if partition is None:
                    partition = partition_of(said.key, len(await inner.partitions_for(said.topic)))
                places.setdefault((said.topic, partition), []).append(said)
            futures: list[tuple[Place, Any]] = []
            for place, group in places.items():
                for batch in _batches(inner, group):
                    future = await inner.send_batch(batch, place[0], partition=place[1])
                    futures.append((place, future))
        except kafka_errors.KafkaError as error:
            return list(messages), error
        outcomes = await asyncio.gather(*(f for _, f in futures), return_exceptions=True)
        failed: dict[Place, Exception] = {}
        for (place, _), outcome in zip(futures, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failed[place] = outcome
        left = [said for place in failed for said in places[place]]
        return left, next(iter(failed.values()), None)

    async def _mend(self, inner: Any, cause: Exception) -> None:
        """Make ready to send again what failed. Raises what sending again cannot mend."""
        if isinstance(cause, kafka_errors.MessageSizeTooLargeError):
            raise errors.Invalid(f"the broker refuses the message: {cause}") from cause
        if isinstance(cause, kafka_errors.UnknownTopicOrPartitionError):
            raise errors.Unavailable(f"a topic is missing; create topics first: {cause}") from cause
        if isinstance(cause, kafka_errors.KafkaTimeoutError):
            raise self._unknown(1) from cause  # the batch before is still on its way
        await self._rebuild(inner, cause)

    async def _rebuild(self, inner: Any, cause: Exception) -> None:
        """Replace a producer whose sequence is spent; who else waits on it fails and resends."""
        async with self._rebuilding:
            if self._inner is not inner:
                return
            log.warning("producer rebuilt: %r", cause)
            telemetry.count(telemetry.Metric.PRODUCER_REBUILDS)
            while True:
                try:
                    self._inner = await self._started()
                    break
                except kafka_errors.KafkaError:
                    await asyncio.sleep(0.1)
            inner._message_accumulator.fail_all(kafka_errors.ProducerClosed())
            await _stopped(inner, 0.5)

    async def _started(self) -> Any:
        inner = AIOKafkaProducer(**self._options)
        try:
            await inner.start()
        except BaseException:
            await inner.stop()
            raise
        return inner


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key where no partition is named: Kafka's murmur2."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class Reader:
    """Member of a consumer group. `generation` rises with every assignment; see kit.consumer."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.generation = 0
        self.idle = asyncio.Event()  # set while no batch is at work
        self.idle.set()

    @classmethod
    async def open(
        cls, bootstrap: str, *, group: str, topics: Sequence[str], instance: str | None
    ) -> "Reader":
        """Join the group. instance: static membership. Raises Unavailable."""
        inner = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            group_instance_id=instance,
            client_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # gaps are found by kit.consumer, which knows the offset
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=100,
            fetch_min_bytes=1,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=2_000,
            rebalance_timeout_ms=20_000,
            request_timeout_ms=5_000,
            retry_backoff_ms=50,
            metadata_max_age_ms=5_000,
        )
        made = cls(inner)
        try:
            await inner.start()
            inner.subscribe(list(topics), listener=_Listener(made))
        except kafka_errors.KafkaError as error:
            await inner.stop()
            raise errors.Unavailable(f"broker: {error}") from error
        return made

    async def poll(self, max_records: int) -> dict[Place, list[Any]]:
        """What has come, of all partitions, waiting 50 ms at most. Raises Unavailable."""
        try:
            return await self._inner.getmany(timeout_ms=50, max_records=max_records)
        except kafka_errors.KafkaError as error:
            raise errors.Unavailable(f"broker: {error}") from error

    def assigned(self) -> list[Place]:
        """Topic and partition of what this member owns, sorted."""
        return sorted((p.topic, p.partition) for p in self._inner.assignment())

    def lag(self) -> int:
        """Records behind, as far as the last fetches tell."""
        total = 0
        for place in self._inner.assignment():
            state = self._inner._subscription.subscription.assignment.state_value(place)
            high = self._inner.highwater(place)
            if high is not None and state.has_valid_position:
                total += max(0, high - state.position)
        return total

    async def beginnings(self, places: Sequence[Place]) -> dict[Place, int]:
        """First offset that is still there, for each place. Raises Unavailable."""
        return await _offsets(self._inner.beginning_offsets, [TopicPartition(*p) for p in places])

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Read on from these offsets. Raises Fenced when one is no longer ours."""
        try:
            for place, offset in offsets.items():
                self._inner.seek(TopicPartition(*place), offset)
        except kafka_errors.IllegalStateError as error:
            raise errors.Fenced(str(error)) from error

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Tell the broker, for lag graphs only; a refusal in a rebalance is a warning."""
        if not offsets:
            return
        try:
            async with asyncio.timeout(3):
                await self._inner.commit({TopicPartition(*p): o for p, o in offsets.items()})
        except (kafka_errors.KafkaError, TimeoutError) as error:
            log.warning("broker commit refused: %r", error)

    async def close(self) -> None:
        """Leave the group."""
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._inner.stop()


class _Listener(ConsumerRebalanceListener):
    """Marks assignments; shares no lock with poll, which would deadlock."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002 # pyright: ignore[reportIncompatibleMethodOverride]
        with suppress(TimeoutError):  # bounded: what comes later is fenced by the epoch
            async with asyncio.timeout(2):
                await self._reader.idle.wait()

    def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ARG002
        self._reader.generation += 1


class Record(msgspec.Struct, frozen=True):
    """One record as an assigned reader gives it. value None: a tombstone."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Assigned:
    """Reads partitions it names itself: no group, no commit, no database."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @classmethod
    async def open(
        cls,
        bootstrap: str,
        *,
        client_id: str,
        start: Mapping[Place, int | None],
        last: int = 0,
        fetch_max_wait_ms: int = 100,
    ) -> "Assigned":
        """Assign the places of start: from an offset, or (None) `last` records before the end.

        An offset that is no longer there raises OffsetGone in poll. Raises Unavailable.
        """
        inner = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=fetch_max_wait_ms,
            request_timeout_ms=5_000,
            retry_backoff_ms=50,
            metadata_max_age_ms=5_000,
        )
        try:
            await inner.start()
            inner.assign([TopicPartition(*place) for place in start])
            made = cls(inner)
            ends, firsts = await made.end_offsets(), await made.beginnings()
            for place, offset in start.items():
                tail = max(ends[place] - last, firsts[place])
                inner.seek(TopicPartition(*place), tail if offset is None else offset)
        except kafka_errors.KafkaError as error:
            await inner.stop()
            raise errors.Unavailable(f"broker: {error}") from error
        return made

    async def poll(self, *, max_records: int = 1_000, timeout_ms: int = 200) -> list[Record]:
        """What has come, in partition order. Raises OffsetGone, Unavailable."""
        try:
            got = await self._inner.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except (kafka_errors.OffsetOutOfRangeError, kafka_errors.NoOffsetForPartitionError) as gone:
            raise OffsetGone(str(gone)) from gone
        except kafka_errors.KafkaError as error:
            raise errors.Unavailable(f"broker: {error}") from error
        return [
            Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
            for place in sorted(got)
            for r in got[place]
        ]

    async def end_offsets(self) -> dict[Place, int]:
        """Next offset of every assigned partition. Raises Unavailable."""
        return await _offsets(self._inner.end_offsets, self._inner.assignment())

    async def beginnings(self) -> dict[Place, int]:
        """First offset that is still there. Raises Unavailable."""
        return await _offsets(self._inner.beginning_offsets, self._inner.assignment())

    async def position(self, topic: str, partition: int) -> int:
        """Next offset to be read: it moves past what compaction removed."""
        return await self._inner.position(TopicPartition(topic, partition))

    async def close(self) -> None:
        """Disconnect."""
        await self._inner.stop()


class OffsetGone(Exception):
    """The offset to read from is not in the log any more: rebuild from the start."""


async def _offsets(ask: Callable[[Any], Awaitable[Any]], places: Any) -> dict[Place, int]:
    try:
        found = await ask(list(places))
    except kafka_errors.KafkaError as error:
        raise errors.Unavailable(f"broker: {error}") from error
    return {(p.topic, p.partition): offset for p, offset in found.items()}


async def ensure_topics(
    bootstrap: str,
    topics: Sequence[Topic],
    *,
    shards: int,
    gateways: int = 1,
    replication: int = 1,
) -> list[str]:
    """Create the topics that are missing; gives their names. Raises Unavailable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        new = [t for t in topics if t.name not in there]
        if new:
            answer: Any = await admin.create_topics(
                [_new_topic(t, shards, gateways, replication) for t in new]
            )
            for name, code, text in (e[:3] for e in answer.topic_errors):
                if code not in (0, 36):  # 36: somebody else was quicker
                    raise errors.Unavailable(f"topic {name} not created: {code} {text}")
        return [t.name for t in new]
    finally:
        await admin.close()


def _new_topic(topic: Topic, shards: int, gateways: int, replication: int) -> Any:
    options = {"cleanup.policy": "compact" if topic.compacted else "delete"}
    if not topic.compacted:
        keep = -1 if topic.retention_ms is None else topic.retention_ms
        options["retention.ms"] = str(keep)
    if topic.append_time:
        options["message.timestamp.type"] = "LogAppendTime"
    if topic.durable and replication == 1:
        options["flush.messages"] = "1"  # one node must survive a power cut
    if replication > 2:
        options["min.insync.replicas"] = "2"
    count = contract.partitions(topic, shards=shards, gateways=gateways)
    return NewTopic(topic.name, count, replication, topic_configs=options)


async def end_offsets(bootstrap: str, topics: Sequence[str]) -> dict[Place, int]:
    """Next offset of every partition of topics."""
    inner = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await inner.start()
    try:
        places: list[Any] = []
        for topic in topics:
            await inner._client._wait_on_metadata(topic)
            places += [TopicPartition(topic, p) for p in inner.partitions_for_topic(topic) or ()]
        return await _offsets(inner.end_offsets, places)
    finally:
        await inner.stop()


async def committed(bootstrap: str, group: str) -> dict[Place, int]:
    """The advisory offsets of a group, as lag graphs see them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
        return {(p.topic, p.partition): meta.offset for p, meta in found.items()}
    finally:
        await admin.close()


async def cluster_id(bootstrap: str) -> str:
    """The cluster's own id; offsets of one cluster mean nothing in another."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        return str((await admin.describe_cluster())["cluster_id"])
    except kafka_errors.KafkaError as error:
        raise errors.Unavailable(f"broker: {error}") from error
    finally:
        await admin.close()


def _batches(inner: Any, messages: Sequence["Message"]) -> list[Any]:
    batch = inner.create_batch()
    made = [batch]
    for said in messages:
        put = {
            "timestamp": None,
            "key": said.key,
            "value": said.value,
            "headers": list(said.headers),
        }
        if batch.append(**put) is None:
            batch = inner.create_batch()
            made.append(batch)
            batch.append(**put)
    for full in made:
        full.close()
    return made


def _stamp(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


async def _stopped(inner: Any, bound_s: float) -> None:
    with suppress(TimeoutError, kafka_errors.KafkaError):
        async with asyncio.timeout(bound_s):
            await inner.stop()
            return
    await inner.client.close()
