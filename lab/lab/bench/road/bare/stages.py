"""The bare stages: two that only pass on, one that inserts where the ledger would post.

Publishing overlaps the next batch's work; the broker hears the offsets on a timer.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from contracts.pos import Answer, Balance
from contracts.values import Kind, Status
from kit.base import db
from kit.stream import kafka, outbox
from lab.bench.road.bare import words

COMMIT_EVERY_S: Final = 1.0
POLL_RECORDS: Final = kafka.LIVE_RECORDS

Records = Mapping[kafka.Place, Sequence[Any]]
Work = Callable[[Records], Awaitable[Sequence[outbox.Message]]]

_carried: Final = msgspec.json.Decoder(words.Carried).decode
_encode: Final = msgspec.json.Encoder().encode


async def pass_on(settings: words.Settings, source: str, onward: str) -> None:
    """Hand every record to the next topic, on the partition it came on."""

    async def handle(records: Records) -> Sequence[outbox.Message]:
        return [
            outbox.Message(onward, place[1], record.key, record.value, record.headers)
            for place, those in records.items()
            for record in those
        ]

    async with _road(settings, source) as (reader, producer):
        await _turn(reader, producer, handle)


async def post(settings: words.Settings) -> None:
    """Insert a poll in one transaction with its offsets, then reply."""
    database = await db.Database.open(settings.database_dsn)
    try:
        async with _road(settings, words.COMMANDS.name) as (reader, producer):
            await _assigned(reader)
            async with database.read() as tx:
                rows = await tx.fetch("select shard, next from bare_offsets")
            reader.seek({(words.COMMANDS.name, row["shard"]): row["next"] for row in rows})

            async def handle(records: Records) -> Sequence[outbox.Message]:
                async with database.transaction() as tx:
                    return await _insert(tx, records)

            await _turn(reader, producer, handle)
    finally:
        await database.close()


async def _insert(tx: db.Tx, records: Records) -> Sequence[outbox.Message]:
    now = datetime.now(UTC)
    shards: list[int] = []
    positions: list[int] = []
    names: list[str] = []
    amounts: list[int] = []
    replies: list[outbox.Message] = []
    for place, those in records.items():
        for record in those:
            carried = _carried(record.value)
            sent = carried.data
            name = f"t.{sent.terminal}.{sent.epoch}.{sent.sequence}"
            shards.append(place[1])
            positions.append(record.offset)
            names.append(name)
            amounts.append(sent.amount_rial)
            replies.append(_reply(record.headers, f"{place[1]}.{name}", carried, now))
    moved = await tx.execute(
        _ADVANCE,
        [place[1] for place in records],
        [those[0].offset for those in records.values()],
        [those[-1].offset + 1 for those in records.values()],
    )
    if moved != f"UPDATE {len(records)}":
        raise RuntimeError("the stored offset is another: two bare roads run")
    await tx.execute(_INSERT, shards, positions, names, amounts)
    return replies


def _reply(headers: Any, name: str, carried: words.Carried, now: datetime) -> outbox.Message:
    correlation = words.header(headers, "correlation-id")
    balance = Balance(
        points=1_000,
        available_points=1_000,
        pending_points=0,
        credit_rial=0,
        expiring_points=0,
        expiring_at=None,
    )
    answer = Answer(
        id=name,
        kind=Kind(carried.data.kind.value),
        status=Status.COMPLETED,
        occurred_at=carried.occurred_at,
        accepted_at=now,
        points_earned=60,
        payable_rial=carried.data.amount_rial,
        balance=balance,
        fa="۶۰ امتیاز گرفتید؛ مانده ۱٬۰۰۰ امتیاز",
        en="60 points earned; balance 1,000 points",
    )
    return outbox.Message(
        words.header(headers, "reply-topic").decode(),
        int(words.header(headers, "reply-partition")),
        correlation,
        _encode(answer),
        (("correlation-id", correlation),),
    )


# ----------------------------------------------------------------------------------------- beside


@asynccontextmanager
async def _road(
    settings: words.Settings, source: str
) -> AsyncGenerator[tuple[kafka.Reader, kafka.Producer]]:
    producer = await kafka.Producer.open(settings.kafka_bootstrap, client_id=settings.room)
    try:
        reader = await kafka.Reader.open(
            settings.kafka_bootstrap, group=settings.room, topics=[source], instance=None
        )
        try:
            yield reader, producer
        finally:
            await reader.close()
    finally:
        await producer.close()


async def _assigned(reader: kafka.Reader) -> None:
    while reader.generation == 0:  # noqa: ASYNC110 - set by the client's own thread of control
        await asyncio.sleep(0.02)


async def _turn(reader: kafka.Reader, producer: kafka.Producer, handle: Work) -> None:
    """Poll, work, publish behind the next poll's work; for ever."""
    done: dict[kafka.Place, int] = {}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_tell_broker(reader, done))
        sending: asyncio.Task[None] | None = None
        while True:
            records: Records = await reader.poll(POLL_RECORDS)
            if not records:
                continue
            messages = await handle(records)
            if sending is not None:
                await sending
            sending = tasks.create_task(producer.send(messages, deadline_s=30.0))
            done.update({place: those[-1].offset + 1 for place, those in records.items()})


async def _tell_broker(reader: kafka.Reader, done: dict[kafka.Place, int]) -> None:
    while True:
        await asyncio.sleep(COMMIT_EVERY_S)
        offsets = dict(done)
        await reader.commit(offsets)


_ADVANCE: Final = """
update bare_offsets o set next = n.next
from unnest($1::int[], $2::bigint[], $3::bigint[]) as n (shard, expected, next)
where o.shard = n.shard and o.next = n.expected
"""
_INSERT: Final = """
insert into bare_entries (shard, position, name, amount_rial)
select shard, position, name, amount_rial
from unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[])
    as n (shard, position, name, amount_rial)
"""
