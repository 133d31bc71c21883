"""The messages of a transaction, the rows that keep them until the broker has them, numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import zstandard

from contracts import envelope as envelopes
from contracts import topics
from contracts.topics import Spread, Topic
from kit.base import errors
from kit.base.db import Tx
from kit.base.message import Headers, Message, decode, decode_all, encode
from kit.stream import kafka
from kit.stream.event import Event

MESSAGE_BYTES_MAX: Final = 900_000  # the broker takes 1 MiB with key and headers
AROUND_BYTES_MAX: Final = 100_000  # key and headers
UNPACKED_BYTES_MAX: Final = 1 << 30  # a spoilt head may claim any size
RELAY: Final = "relay"
_REPLIES: Final = topics.GATEWAY_REPLIES.name.encode()
_PARTITION_DIGITS: Final = 5
_COUNTS: Final = {Spread.FOUR: 4, Spread.ONE: 1}
_SPREADS: Final = {topic.name: topic.spread for topic in topics.TOPICS}
SHARDS_MAX: Final = 100_000  # a number of gateways, which nobody here knows, has five digits

SourcePartition = tuple[str, int]  # source topic and partition: its offset row fences the messages
Torn = tuple[str, int, int, list[bytes]]  # topic, partition and number of a row, its messages


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one outbox row: one topic, one partition, one stream of numbers."""

    id: int = 0
    source: SourcePartition
    topic: str
    partition: int | None
    stream: str | None  # service/writer/generation/partition
    first_n: int
    messages: Sequence[Message]

    def numbered(self) -> Iterable[Message]:
        """The messages as they go out: with stream and number in their headers."""
        if self.stream is None:
            return self.messages
        stream = ("stream", self.stream.encode())
        return [
            Message(m.topic, m.partition, m.key, m.value, (*m.headers, stream, ("n", b"%d" % n)))
            for n, m in enumerate(self.messages, self.first_n)
        ]


_UNREADABLE: Final = (ValueError, zstandard.ZstdError)  # msgspec's errors are ValueErrors
# an eighth of the size: half the cost of writing it, and what is on the broker is untouched
# of the event loop's thread alone: zstandard works without the GIL, and two at once end the process
_packer, _unpacker = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()


def message(
    topic: Topic,
    envelope: envelopes.Envelope[Any],
    *,
    partition: int | None = None,
    headers: Headers = (),
) -> Message:
    """Encode an envelope for a topic, keyed by envelope.key; on the road partition is the shard.

    partition None: by Kafka's murmur2 of the key, where the topic fixes how many there are.
    headers: usually event.onward, which carries trace and reply address to the next stage.
    """
    key = envelope.key.encode()
    if partition is None and topic.spread in _COUNTS:
        partition = kafka.partition_of(key, _COUNTS[topic.spread])
    return Message(topic.name, partition, key, envelopes.encode(envelope), headers, topic.numbered)


def add(tx: Tx, messages: Sequence[Message]) -> None:
    """Have messages sent once the transaction commits.

    Raises Invalid for one too large, or numbered (of the road) without a partition.
    """
    for message in messages:
        if len(message.key) + sum([len(k) + len(v) for k, v in message.headers]) > AROUND_BYTES_MAX:
            raise errors.Invalid(
                f"key and headers to {message.topic} are over {AROUND_BYTES_MAX} bytes"
            )
        if message.numbered and message.partition is None:
            raise errors.Invalid(f"message to {message.topic} names no shard")
        if message.value is not None and len(message.value) > MESSAGE_BYTES_MAX:
            raise errors.Invalid(f"message to {message.topic} is over {MESSAGE_BYTES_MAX} bytes")
    tx.messages.extend(messages)


def reply_message(event: Event, value: bytes) -> Message | None:
    """The answer to whoever waits for event, at the address in its headers; None without one.

    Answers go to the topic of replies and to no other.
    """
    topic = event.headers.get("reply-topic")
    partition = event.headers.get("reply-partition")
    correlation = event.headers.get("correlation-id")
    if topic is None or partition is None or correlation is None:
        return None
    if topic != _REPLIES or not partition.isdigit() or len(partition) > _PARTITION_DIGITS:
        return None  # spoilt: an answer to nowhere would hold up all that follows it
    headers: Headers = (("correlation-id", correlation),)
    trace = event.headers.get("traceparent")
    if trace is not None:
        headers = (*headers, ("traceparent", trace))
    return Message(topic.decode(), int(partition), correlation, value, headers)


@dataclass(slots=True)
class StreamSequences:
    """The last number of each stream of one writer process; its sources fence their rows."""

    service: str
    consumer: str
    generation: int
    last: dict[tuple[str, str, int], int]  # writer, topic, partition -> last number given
    shards: int = SHARDS_MAX  # of the platform

    def writer(self, source: SourcePartition) -> str:
        """Name of the stream's writer: one source has one owner, so one count."""
        return RELAY if self.consumer == RELAY else f"{self.consumer}:{source[0]}:{source[1]}"

    def plan(self, messages: Sequence[Message], sources: Sequence[SourcePartition]) -> list[Batch]:
        """Group by topic and partition and number what is numbered; self.last is not changed.

        sources: those whose offsets this transaction advances, at least one. A partition that is
        among them is written under its own source, any other under the first: one writer a stream.
        Raises Invalid for a partition that its topic does not have in this platform.
        """
        groups: defaultdict[tuple[str, int | None], list[Message]] = defaultdict(list)
        for message in messages:
            groups[message.topic, message.partition].append(message)
        by_partition = {source[1]: source for source in reversed(sources)}
        batches: list[Batch] = []
        for (topic, partition), group in groups.items():
            if partition is not None and partition >= self._partitions(topic):
                raise errors.Invalid(f"{topic} has no partition {partition}")
            source = sources[0] if partition is None else by_partition.get(partition, sources[0])
            stream, first = None, 0
            if group[0].numbered:
                if partition is None:
                    raise errors.Alarm(f"a message to {topic} needs a partition: it is numbered")
                writer = self.writer(source)
                stream = f"{self.service}/{writer}/{self.generation}/{partition}"
                first = self.last.get((writer, topic, partition), 0) + 1
            batch = Batch(
                source=source, topic=topic, partition=partition, stream=stream, first_n=first,
                messages=group,
            )  # fmt: skip
            batches.append(batch)
        return batches

    def _partitions(self, topic: str) -> int:
        spread = _SPREADS.get(topic)
        if spread is Spread.SHARDS:
            return self.shards
        return _COUNTS.get(spread, SHARDS_MAX) if spread is not None else SHARDS_MAX

    def settle(self, batches: Sequence[Batch]) -> None:
        """Remember the numbers of batches, once their transaction has committed."""
        for batch in batches:
            if batch.stream is not None and batch.partition is not None:
                key = (self.writer(batch.source), batch.topic, batch.partition)
                self.last[key] = batch.first_n + len(batch.messages) - 1

    async def load(self, tx: Tx, sources: Sequence[SourcePartition]) -> None:
        """Read the numbers of sources just claimed; another generation starts anew."""
        writers = list({self.writer(source) for source in sources})
        rows = await tx.fetch(
            "select writer, topic, partition, n from stream_sequences"
            " where writer = any($1::text[]) and generation = $2",
            writers,
            self.generation,
        )
        for row in rows:
            self.last[row["writer"], row["topic"], row["partition"]] = row["n"]

    async def take_unsent(
        self, tx: Tx, sources: Sequence[SourcePartition]
    ) -> tuple[list[Batch], list[Torn]]:
        """Load, and give the committed batches that no broker has acknowledged, in order.

        The second list has the torn rows, which do not unpack; the caller keeps them. A numbered
        one is replaced by an unreadable record that stands for all its numbers: no stream has a
        gap.
        """
        await self.load(tx, sources)
        names = (
            [source[0] for source in sources],
            [source[1] for source in sources],
        )
        unsent, torn = list[Batch](), list[Torn]()
        ends: dict[str | None, int] = {}  # of a stream: the number before the row that follows
        for row in reversed(await tx.fetch(_UNSENT, self.consumer, *names)):
            kept: dict[str, Any] = {name: row[name] for name in _OF_A_BATCH}
            batch = Batch(
                **kept, source=(row["source_topic"], row["source_partition"]), messages=()
            )
            key = (self.writer(batch.source), batch.topic, batch.partition or 0)
            last = ends.get(batch.stream, self.last.get(key, 0))
            ends[batch.stream] = batch.first_n - 1
            try:
                messages = _unpacked(row["body"])
            except _UNREADABLE:
                torn.append((batch.topic, batch.partition or 0, batch.id, [row["body"]]))
                if batch.stream is None or last < batch.first_n:
                    await delete_sent(tx, [batch.id])
                    continue
                messages = _stand_in(batch, last)
                batch = msgspec.structs.replace(batch, first_n=last)
                await tx.execute(_REPLACE, batch.id, last, _packed(messages))
            unsent.append(msgspec.structs.replace(batch, messages=messages))
        return unsent[::-1], torn[::-1]

    async def insert(self, tx: Tx, batches: Sequence[Batch]) -> list[Batch]:
        """Write one row a batch and advance the numbers, in one statement; gives them their ids."""
        if not batches:
            return []
        numbered = [b for b in batches if b.stream is not None]
        rows = await tx.fetch(
            _INSERT, self.consumer, [b.source[0] for b in batches], [b.source[1] for b in batches],
            [b.topic for b in batches], [b.partition for b in batches],
            [b.stream for b in batches], [b.first_n for b in batches],
            [_packed(b.messages) for b in batches],
            [self.writer(b.source) for b in numbered], [b.topic for b in numbered],
            [b.partition for b in numbered], [b.first_n + len(b.messages) - 1 for b in numbered],
            self.generation,
        )  # fmt: skip
        ids = sorted(row["id"] for row in rows)
        return [msgspec.structs.replace(batch, id=i) for batch, i in zip(batches, ids, strict=True)]


_INSERT: Final = """
with sequences as (
    insert into stream_sequences (writer, topic, partition, n, generation)
    select u.writer, u.topic, u.partition, u.n, $13
    from unnest($9::text[], $10::text[], $11::int[], $12::bigint[])
        as u (writer, topic, partition, n)
    on conflict (writer, topic, partition)
    do update set n = excluded.n, generation = excluded.generation
)
insert into outbox_batches
    (consumer, source_topic, source_partition, topic, partition, stream, first_n, body)
select $1, u.source_topic, u.source_partition, u.topic, u.partition, u.stream, u.first_n, u.body
from unnest($2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::bigint[], $8::bytea[])
    with ordinality
    as u (source_topic, source_partition, topic, partition, stream, first_n, body, place)
order by u.place
returning id
"""


_OF_A_BATCH: Final = ("id", "topic", "partition", "stream", "first_n")
_UNSENT: Final = """
select o.id, o.source_topic, o.source_partition, o.topic, o.partition, o.stream, o.first_n, o.body
from outbox_batches o join unnest($2::text[], $3::int[]) as u (topic, partition)
    on o.source_topic = u.topic and o.source_partition = u.partition
where o.consumer = $1 order by o.id
"""
_REPLACE: Final = "update outbox_batches set first_n = $2, body = $3 where id = $1"


async def take_messages(
    tx: Tx, limit: int, plan: Callable[[list[Message]], object] = len
) -> tuple[list[Message], list[Torn]]:
    """Remove the oldest unsent messages, in id order; and torn rows, which cannot be read or sent.

    plan: raises Invalid or Alarm for a message that cannot be sent. The caller keeps torn rows.
    """
    rows = await tx.fetch(
        "with taken as (delete from outbox_messages where id in"
        " (select id from outbox_messages order by id limit $1) returning id, body)"
        " select id, body from taken order by id",
        limit,
    )
    messages, torn = list[Message](), list[Torn]()
    for row in rows:
        try:
            message = decode(row["body"])
            plan([message])
            messages.append(message)
        except (*_UNREADABLE, errors.Invalid, errors.Alarm):
            torn.append(("", 0, row["id"], [row["body"]]))
    return messages, torn


def _packed(messages: Sequence[Message]) -> bytes:
    return _packer.compress(encode(messages))


def _unpacked(body: bytes) -> list[Message]:
    if zstandard.frame_content_size(body) > UNPACKED_BYTES_MAX:
        raise ValueError("no batch is so large")
    return decode_all(_unpacker.decompress(body))


def _stand_in(batch: Batch, last: int) -> list[Message]:
    """What is sent for a torn row: one record under its last number, the first in a header."""
    value = b"torn: %s, %d to %d" % ((batch.stream or "").encode(), batch.first_n, last)
    first = ("first-n", b"%d" % batch.first_n)
    return [Message(batch.topic, batch.partition, b"torn", value, (first,), numbered=True)]


async def delete_sent(tx: Tx, ids: Sequence[int]) -> None:
    """Forget batches that the broker has acknowledged."""
    if ids:
        await tx.execute("delete from outbox_batches where id = any($1::bigint[])", ids)
