"""What a consumer knows of its partitions: next offset, epoch, last number of each stream."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from kit.base import errors, telemetry
from kit.base.telemetry import Metric
from kit.stream.kafka import Place

if TYPE_CHECKING:
    from kit.base.db import Tx
    from kit.stream.event import Event

Stream = tuple[str, int, str]  # topic, partition, service/writer
StreamPosition = tuple[int, int]  # generation, number


@dataclass(slots=True)
class Positions:
    """The consumer's rows in memory; valid while the compare-and-set on those rows succeeds."""

    consumer: str
    next: dict[Place, int] = field(default_factory=dict[Place, int])
    epoch: dict[Place, int] = field(default_factory=dict[Place, int])
    streams: dict[Stream, StreamPosition] = field(default_factory=dict[Stream, StreamPosition])

    @classmethod
    async def claim(
        cls, tx: "Tx", consumer: str, places: Sequence[Place], cluster: str, generation: int
    ) -> "Positions":
        """Take partitions over: their epochs rise, which fences whoever owned them before.

        Raises Alarm when the stored offsets are of another cluster or of a later generation.
        """
        positions = cls(consumer)
        names = ([p[0] for p in places], [p[1] for p in places])
        for row in await tx.fetch(_CLAIM, consumer, *names, cluster, generation):
            place = (row["topic"], row["partition"])
            if row["cluster"] != cluster or row["generation"] > generation:
                raise errors.Alarm(f"offset of {place} is of another cluster or generation")
            positions.next[place], positions.epoch[place] = row["next"], row["epoch"]
        for row in await tx.fetch(_STREAM_POSITIONS, consumer, *names):
            stream = (row["topic"], row["partition"], row["stream"])
            positions.streams[stream] = (row["generation"], row["n"])
        return positions

    def sift(self, events: Iterable["Event"]) -> tuple[list["Event"], dict[Stream, StreamPosition]]:
        """Drop repeats by number; gives what is new and the numbers to keep.

        Raises Alarm on a gap. An unknown stream starts where it starts; a lower generation is
        refused, a higher one starts anew. A replay of archived records leaves their stream out.
        """
        fresh: list[Event] = []
        moved: dict[Stream, StreamPosition] = {}
        for event in events:
            header = event.headers.get("stream")
            if header is None:
                fresh.append(event)
                continue
            parsed, n = _parsed(header), event.headers.get("n", b"")
            if parsed is None or not _NUMBER.fullmatch(n):
                fresh.append(msgspec.structs.replace(event, envelope=None, error="bad stream"))
                continue
            (name, generation), n = parsed, int(n)
            stream = (event.topic, event.partition, name)
            last = moved.get(stream) or self.streams.get(stream)
            if last is not None and not self._follows(event, last, (generation, n)):
                continue
            moved[stream] = (generation, n)
            fresh.append(event)
        return fresh, moved

    def _follows(self, event: "Event", last: StreamPosition, this: StreamPosition) -> bool:
        if this[0] > last[0]:
            return True
        if this[0] < last[0]:
            telemetry.count(Metric.STALE_GENERATIONS, self.consumer)
            return False
        if this[1] <= last[1]:
            telemetry.count(Metric.REPEATS_DROPPED, self.consumer)
            return False
        if this[1] > last[1] + 1 and _first(event) > last[1] + 1:
            telemetry.count(Metric.STREAM_GAPS, self.consumer)
            raise errors.Alarm(
                f"gap in a stream: after {last[1]} came {this[1]} at offset {event.offset}"
                f" of {event.topic}/{event.partition} ({event.headers['stream'].decode()})"
            )
        return True

    async def advance(
        self,
        tx: "Tx",
        ends: Mapping[Place, int],
        streams: Mapping[Stream, StreamPosition],
        acked: Sequence[int],
    ) -> None:
        """Move offsets by compare-and-set, keep numbers, forget acknowledged rows: one statement.

        Raises Fenced when any row is not as expected: another owner has come.
        """
        moved = await tx.fetchval(
            _ADVANCE, self.consumer,
            [p[0] for p in ends], [p[1] for p in ends], [self.next[p] for p in ends],
            list(ends.values()), [self.epoch[p] for p in ends],
            [s[0] for s in streams], [s[1] for s in streams], [s[2] for s in streams],
            [h[0] for h in streams.values()], [h[1] for h in streams.values()], acked,
        )  # fmt: skip
        if moved != len(ends):
            telemetry.count(Metric.OFFSET_CAS_FAILURES, self.consumer)
            raise errors.Fenced(f"{moved} of {len(ends)} offsets were as expected")

    def settle(self, ends: Mapping[Place, int], streams: Mapping[Stream, StreamPosition]) -> None:
        """Remember what has been committed."""
        self.next.update(ends)
        self.streams.update(streams)

    async def still_ours(self, tx: "Tx") -> bool:
        """Whether every epoch is the one claimed: a lost compare-and-set was our own commit."""
        places = list(self.epoch)
        rows = await tx.fetch(
            _EPOCHS, self.consumer, [p[0] for p in places], [p[1] for p in places]
        )
        return {(r["topic"], r["partition"]): r["epoch"] for r in rows} == self.epoch


@lru_cache(maxsize=4096)
def _parsed(header: bytes) -> tuple[str, int] | None:
    """Service/writer and generation; None where the header is no stream name that we can keep."""
    match = _STREAM.fullmatch(header)
    return None if match is None else (match[1].decode(), int(match[2]))


def _first(event: "Event") -> float:
    """The first number of a record that stands for several, of an outbox row that was torn."""
    number = event.headers.get("first-n", b"")
    return int(number) if _NUMBER.fullmatch(number) else math.inf


_STREAM: Final = re.compile(rb"([!-.0-~]{1,100}/[!-.0-~]{1,200})/(\d{1,9})/\d{1,5}")
_NUMBER: Final = re.compile(rb"\d{1,18}")
_CLAIM: Final = """
insert into consumer_offsets as o (consumer, topic, partition, next, epoch, cluster, generation)
select $1, u.topic, u.partition, -1, 1, $4, $5
from unnest($2::text[], $3::int[]) as u (topic, partition)
order by u.topic, u.partition
on conflict (consumer, topic, partition) do update set epoch = o.epoch + 1,
    generation = greatest(o.generation, excluded.generation)
returning topic, partition, next, epoch, cluster, generation
"""
_STREAM_POSITIONS: Final = """
select h.topic, h.partition, h.stream, h.generation, h.n
from stream_positions h join unnest($2::text[], $3::int[]) as u (topic, partition)
    on h.topic = u.topic and h.partition = u.partition
where h.consumer = $1
"""
_EPOCHS: Final = """
select o.topic, o.partition, o.epoch
from consumer_offsets o join unnest($2::text[], $3::int[]) as u (topic, partition)
    on o.topic = u.topic and o.partition = u.partition
where o.consumer = $1
"""
_ADVANCE: Final = """
with moved as (
    update consumer_offsets o set next = u.next
    from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])
        as u (topic, partition, was, next, epoch)
    where o.consumer = $1 and o.topic = u.topic and o.partition = u.partition
        and o.next = u.was and o.epoch = u.epoch
    returning 1
), kept as (
    insert into stream_positions (consumer, topic, partition, stream, generation, n)
    select $1, u.topic, u.partition, u.stream, u.generation, u.n
    from unnest($7::text[], $8::int[], $9::text[], $10::int[], $11::bigint[])
        as u (topic, partition, stream, generation, n)
    on conflict (consumer, topic, partition, stream)
    do update set generation = excluded.generation, n = excluded.n
), gone as (
    delete from outbox_batches where id = any($12::bigint[])
)
select count(*) from moved
"""
