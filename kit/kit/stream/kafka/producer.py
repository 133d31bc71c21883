"""The producer of a process: idempotent, with a deadline of our own on every send."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportPrivateUsage=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# ruff: noqa: TID251 - this package alone imports aiokafka, which carries no types

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.partitioner import murmur2
from aiokafka.protocol.admin import ApiVersionRequest

from contracts import topics
from kit.base import errors, telemetry
from kit.base.message import Message
from kit.stream.kafka.security import OPTIONS

log = logging.getLogger(__name__)

Place = tuple[str, int]  # topic and partition; TopicPartition is one

BATCH_BYTES: Final = (
    131_072  # send() blocks once a partition's open batch is full: 16 KiB is a trap
)
REBUILDS_MAX: Final = 5
_REPLIES: Final = topics.GATEWAY_REPLIES.name


class Ack(msgspec.Struct, frozen=True):
    """Where a message lies now; appended_at is the broker's stamp on topics that keep it."""

    partition: int
    offset: int
    appended_at: datetime


class Producer:
    """Idempotent producer of one process, with a deadline of our own on every send."""

    def __init__(self, bootstrap: str, client_id: str, compression: str | None) -> None:
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap, "client_id": client_id,
            "compression_type": compression, "max_batch_size": BATCH_BYTES,
            "acks": "all", "enable_idempotence": True, "linger_ms": 0,
            "retry_backoff_ms": 50, "request_timeout_ms": 5_000, "metadata_max_age_ms": 60_000,
        }  # fmt: skip
        self._inner: Any = None
        self._rebuilding = asyncio.Lock()

    @classmethod
    async def open(
        cls, bootstrap: str, *, client_id: str, compression: str | None = None
    ) -> "Producer":
        """Connect. Raises Unavailable."""
        producer = cls(bootstrap, client_id, compression)
        try:
            producer._inner = await producer._started()
        except kafka_errors.KafkaError as error:
            raise errors.Unavailable(f"broker: {error}") from error
        return producer

    async def send(
        self,
        messages: Sequence[Message],
        *,
        deadline_s: float = 5.0,
        homeless: set[Place] | None = None,
    ) -> None:
        """Send in order within each partition; returns once the broker has acknowledged all.

        homeless: collects the named places that the broker does not have; messages for them are
        not sent, and the caller keeps them. Raises SendUnknown at the deadline: what was sent may
        still arrive; Invalid for such a place where homeless is None. After fencing or a lost
        sequence the producer is rebuilt and what was not acknowledged is sent again.
        """
        left = messages
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(REBUILDS_MAX):
                    inner = self._inner
                    left, cause = await self._attempt(inner, left, homeless)
                    if cause is None:
                        return
                    await self._mend(inner, cause)
        except TimeoutError as late:
            raise self._unknown(len(left)) from late
        raise self._unknown(len(left))

    async def send_one(self, message: Message, *, deadline_s: float = 5.0) -> Ack:
        """Send one message; many callers at once share batches.

        Raises SendUnknown; Unavailable where the broker does not have its partition.
        """
        try:
            async with asyncio.timeout(deadline_s):
                for _ in range(REBUILDS_MAX):
                    inner = self._inner
                    try:
                        if not await _has(inner, message) and await _absent(inner, [message]):
                            raise errors.Unavailable(
                                f"{message.topic} has no partition {message.partition}"
                            )
                        put = (message.topic, message.value, message.key, message.partition)
                        sent = await inner.send(*put, None, list(message.headers))
                        meta = await sent
                    except kafka_errors.KafkaError as error:
                        await self._mend(inner, error)
                        continue
                    return Ack(meta.partition, meta.offset, _stamp(meta.timestamp))
        except TimeoutError as late:
            raise self._unknown(1) from late
        raise self._unknown(1)

    async def ask(self) -> None:
        """Have the broker answer something. Raises where it does not."""
        client = self._inner.client
        await client.send(client.get_random_node(), ApiVersionRequest())

    async def close(self) -> None:
        """Flush for at most five seconds, then let go."""
        await _stopped(self._inner, 5)

    def _unknown(self, count: int) -> errors.SendUnknown:
        telemetry.count(telemetry.Metric.SENDS_UNKNOWN)
        return errors.SendUnknown(f"{count} messages unacknowledged; send the same again")

    async def _attempt(
        self, inner: Any, messages: Sequence[Message], homeless: set[Place] | None
    ) -> tuple[list[Message], Exception | None]:
        """Send once. Gives what was not acknowledged and why."""
        places: dict[Place, list[Message]] = {}
        try:
            absent = await _absent(inner, messages)
            for message in messages:
                partition = message.partition
                if partition is None:
                    known = await inner.partitions_for(message.topic)
                    partition = partition_of(message.key, len(known))
                places.setdefault((message.topic, partition), []).append(message)
            for place in absent:
                del places[place]
            _turn_away(absent, homeless)
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
        left = [message for place in failed for message in places[place]]
        return left, next(iter(failed.values()), None)

    async def _mend(self, inner: Any, cause: Exception) -> None:
        """Prepare to send again. Raises where sending again cannot help."""
        if isinstance(cause, kafka_errors.MessageSizeTooLargeError):
            raise errors.Invalid(f"the broker refuses the message: {cause}") from cause
        if isinstance(cause, kafka_errors.UnknownTopicOrPartitionError):
            raise errors.Unavailable(f"a topic is missing; create topics first: {cause}") from cause
        if isinstance(cause, kafka_errors.KafkaTimeoutError):
            raise self._unknown(1) from cause  # the batch before is still on its way
        await self._rebuild(inner, cause)

    async def _rebuild(self, inner: Any, cause: Exception) -> None:
        """Replace a producer whose sequence is spent; its other callers fail and send again."""
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
        inner = AIOKafkaProducer(**self._options, **OPTIONS)
        try:
            await inner.start()
        except BaseException:
            await inner.stop()
            raise
        return inner


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key where no partition is named: Kafka's murmur2."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def _turn_away(absent: set[Place], homeless: set[Place] | None) -> None:
    for place in absent:
        if place[0] == _REPLIES:  # nobody can wait there
            log.warning("replies dropped: %s has no partition %s", *place)
        elif homeless is None:
            raise errors.Invalid(f"{place[0]} has no partition {place[1]}")
        else:
            homeless.add(place)


async def _absent(inner: Any, messages: Sequence[Message]) -> set[Place]:
    """Places that are named here and that the broker does not have.

    aiokafka would hold up everything until such a place appears, or fail an assertion; so they
    are looked up before anything is sent.
    """
    named = {(m.topic, m.partition) for m in messages if m.partition is not None}
    absent = await _missing(inner, named)
    if absent:
        await inner.client.force_metadata_update()  # partitions may have been added
        absent = await _missing(inner, absent)
    return absent


async def _has(inner: Any, message: Message) -> bool:
    """Whether its place is known; called for every sale, at a fifth of the cost of _absent."""
    partition = message.partition
    return partition is None or partition in await inner.partitions_for(message.topic)


async def _missing(inner: Any, named: set[Place]) -> set[Place]:
    known = {topic: await inner.partitions_for(topic) for topic in {place[0] for place in named}}
    return {(topic, partition) for topic, partition in named if partition not in known[topic]}


def _batches(inner: Any, messages: Sequence[Message]) -> list[Any]:
    batch = inner.create_batch()
    batches = [batch]
    for m in messages:
        put: dict[str, Any] = {
            "timestamp": None, "key": m.key, "value": m.value, "headers": list(m.headers)
        }  # fmt: skip
        if batch.append(**put) is None:
            batch = inner.create_batch()
            batches.append(batch)
            batch.append(**put)
    for full in batches:
        full.close()
    return batches


def _stamp(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


async def _stopped(inner: Any, bound_s: float) -> None:
    with suppress(TimeoutError, kafka_errors.KafkaError):
        async with asyncio.timeout(bound_s):
            await inner.stop()
            return
    await inner.client.close()
