"""Readers: a member of a group, for kit.consumer, and one that names its partitions itself."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportPrivateUsage=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# ruff: noqa: TID251 - this package alone imports aiokafka, which carries no types

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from kit.base import errors
from kit.stream.kafka.producer import Place
from kit.stream.kafka.security import OPTIONS

log = logging.getLogger(__name__)

LIVE_RECORDS: Final = 200
LAG_RECORDS: Final = 1_000
BATCHING_WAIT_MS: Final = 250
BATCHING_BYTES: Final = 262_144


class Reader:
    """Member of a consumer group. `generation` rises with every assignment; see kit.consumer."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.generation = 0
        self.idle = asyncio.Event()  # set while no batch is at work
        self.idle.set()

    @classmethod
    async def open(
        cls,
        bootstrap: str,
        *,
        group: str,
        topics: Sequence[str],
        instance: str | None,
        batching: bool = False,
    ) -> "Reader":
        """Join the group. instance: static membership. Raises Unavailable.

        batching: nobody waits for this group, so the broker gathers records before it answers.
        """
        inner = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            **OPTIONS,
            group_id=group, group_instance_id=instance, client_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # gaps are found by kit.consumer, which knows the offset
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=BATCHING_WAIT_MS if batching else 100,
            fetch_min_bytes=BATCHING_BYTES if batching else 1,
            session_timeout_ms=6_000, heartbeat_interval_ms=2_000, rebalance_timeout_ms=20_000,
            request_timeout_ms=5_000, retry_backoff_ms=50, metadata_max_age_ms=5_000,
        )  # fmt: skip
        reader = cls(inner)
        async with _starting(inner):
            inner.subscribe(list(topics), listener=_Listener(reader))
        return reader

    async def poll(self, max_records: int) -> dict[Place, list[Any]]:
        """What has come, of all partitions, waiting 50 ms at most. Raises Unavailable.

        Nothing is fetched ahead while the caller is at work on a poll: a fetch made then returns
        with the first record that comes, and every second poll would carry that one alone.
        """
        self._inner.resume(*self._inner.paused())
        try:
            records = await self._inner.getmany(timeout_ms=50, max_records=max_records)
        except kafka_errors.KafkaError as error:
            raise errors.Unavailable(f"broker: {error}") from error
        if records:
            self._inner.pause(*self._inner.assignment())
        return records

    def assigned(self) -> list[Place]:
        """Topic and partition of what this member owns, sorted."""
        return sorted((p.topic, p.partition) for p in self._inner.assignment())

    @property
    def joined(self) -> bool:
        """Whether the group knows this member, as far as its last heartbeats tell."""
        coordinator = self._inner._coordinator
        known = coordinator.generation > 0 and coordinator.coordinator_id is not None
        return known and not coordinator.need_rejoin(self._inner._subscription.subscription)

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

    @property
    def timestamp(self) -> int:
        """As a group's reader names it, so that kit.stream.event reads both."""
        return self.timestamp_ms


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
            bootstrap_servers=bootstrap, **OPTIONS, client_id=client_id,
            enable_auto_commit=False, auto_offset_reset="none",
            fetch_max_wait_ms=fetch_max_wait_ms,
            request_timeout_ms=5_000, retry_backoff_ms=50, metadata_max_age_ms=5_000,
        )  # fmt: skip
        reader = cls(inner)
        async with _starting(inner):
            inner.assign([TopicPartition(*place) for place in start])
            ends, firsts = await reader.end_offsets(), await reader.beginnings()
            for place, offset in start.items():
                tail = max(ends[place] - last, firsts[place])
                inner.seek(TopicPartition(*place), tail if offset is None else offset)
        return reader

    async def poll(self, *, max_records: int = 1_000, timeout_ms: int = 200) -> list[Record]:
        """What has come, in partition order. Raises OffsetGone, Unavailable."""
        try:
            records = await self._inner.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except (kafka_errors.OffsetOutOfRangeError, kafka_errors.NoOffsetForPartitionError) as gone:
            raise OffsetGone(str(gone)) from gone
        except kafka_errors.KafkaError as error:
            raise errors.Unavailable(f"broker: {error}") from error
        return [
            Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
            for place in sorted(records)
            for r in records[place]
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


@asynccontextmanager
async def _starting(inner: Any) -> AsyncGenerator[None]:
    """Start, and stop again when what follows fails or is cancelled."""
    try:
        await inner.start()
        yield
    except BaseException as error:
        await inner.stop()
        if isinstance(error, kafka_errors.KafkaError):
            raise errors.Unavailable(f"broker: {error}") from error
        raise


async def _offsets(ask: Callable[[Any], Awaitable[Any]], places: Any) -> dict[Place, int]:
    try:
        offsets = await ask(list(places))
    except kafka_errors.KafkaError as error:
        raise errors.Unavailable(f"broker: {error}") from error
    return {(p.topic, p.partition): offset for p, offset in offsets.items()}
