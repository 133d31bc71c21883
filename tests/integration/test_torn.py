"""A stored row that nobody can read or say is told and kept, and what follows it goes out."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest
import zstandard

from contracts import topics
from kit.base import errors
from kit.base.db import Database, Tx
from kit.stream import outbox
from kit.stream.consumer import Event
from kit.stream.kafka import Producer
from kit.stream.outbox import RELAY, Message, SourcePartition, StreamSequences
from kit.stream.streams import Positions

from .child import note
from .conftest import Make, Stage, running, until
from .test_relay import relaying, say, used

_pack = msgspec.msgpack.encode
SPOILT = (
    b"",
    b"\x28\xb5\x2f\xfd\xe0" + b"\x7f" * 8 + b"\x01\x00\x00",  # claims more than any memory holds
    zstandard.ZstdCompressor().compress(_pack(["a batch", 7]))[:-3],
    zstandard.ZstdCompressor().compress(_pack([["a topic", "0", None]])),
)


def said(stage: Stage, number: int) -> Message:
    """A note to the sink."""
    return outbox.message(stage.sink, note(number), partition=number % 4)


async def aside(stage: Stage) -> list[tuple[str, str, int]]:
    """Consumer, code and row of what was kept."""
    rows = await stage.rows('select consumer, code, -"offset" as row from dead_letters order by 3')
    return [(r["consumer"], r["code"], r["row"]) for r in rows]


async def left(
    stage: Stage, consumer: str, source: SourcePartition, groups: Sequence[Sequence[int]]
) -> None:
    """Rows that a writer committed and did not live to send: one for each group of notes."""
    database = await Database.open(stage.dsn, size=1)
    numbers = StreamSequences("test", consumer, 1, {})
    for group in groups:
        async with database.transaction() as tx:
            batches = numbers.plan([said(stage, n) for n in group], [source])
            await numbers.insert(tx, batches)
        numbers.settle(batches)
    await database.close()


async def spoil(stage: Stage, table: str, place: int, body: bytes) -> int:
    """Spoil the row at a place in a table; gives its number."""
    rows = await stage.rows(f"select id from {table} order by id")
    await stage.rows(f"update {table} set body = $2 where id = $1", rows[place]["id"], body)
    return rows[place]["id"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        _pack([1, 2]),
        _pack(Message(topics.MERCHANTS_TERMS.name, 3, b"k", b"v", (), numbered=False)),
        _pack(Message(topics.LEDGER_COMMANDS.name, None, b"k", b"v", (), numbered=True)),
    ],
    ids=["empty", "no msgpack", "another shape", "no such partition", "no shard"],
)
async def test_what_http_said_goes_out_around_a_spoilt_row(
    new_stage: Make, producer: Producer, body: bytes
) -> None:
    stage = await new_stage()
    database = await Database.open(stage.dsn, size=1)
    for start in (0, 4, 8):
        await say(database, stage, range(start, start + 4))
    await database.close()
    row = await spoil(stage, "outbox_messages", 5, body)
    async with relaying(stage, producer) as (relay, at_work):

        async def out(count: int = 11) -> bool:
            return await used(stage) == count

        await until(out)
        await say(at_work, stage, range(12, 16))
        await until(lambda: out(15))
        await relay.flushed()
    onward = await stage.onward()
    assert [onward[p] for p in range(4)] == [
        [0, 4, 8, 12],
        [1, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
    ]
    assert await aside(stage) == [(RELAY, "torn", row)]
    told = b"".join([r.value or b"" for r in await stage.records(topics.DEAD_LETTERS)])
    assert b'"room":"test"' in told
    assert b'"code":"torn"' in told


@pytest.mark.parametrize("body", SPOILT, ids=["empty", "huge", "cut", "another shape"])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_writer_starts_over_a_spoilt_row_and_no_stream_has_a_gap(
    new_stage: Make, producer: Producer, body: bytes, place: int
) -> None:
    stage = await new_stage()
    groups = ((0, 4), (8, 12, 16), (20, 24))
    await left(stage, stage.group, (stage.source.name, 0), groups)
    row = await spoil(stage, "outbox_batches", place, body)
    async with running(stage, producer):
        await stage.feed(producer, [28])
        await stage.published(7 - len(groups[place]) + 1 + 1)
    assert await aside(stage) == [(stage.group, "torn", row)]
    assert await stage.rows("select id from outbox_batches where consumer = $1", stage.group) == []
    heard: list[int] = []

    async def hear(tx: Tx, batch: Sequence[Event]) -> None:
        numbers = [event.data.number for event in batch]
        await tx.copy("effects", ["number", "text"], [(n, "heard") for n in numbers])
        heard.extend(numbers)

    good = [n for at, group in enumerate(groups) if at != place for n in group] + [28]
    async with running(stage, producer, topic=stage.sink, handle=hear):
        await stage.wrote(1 + len(good))
    assert heard == good
    (lost,) = [one for one in await aside(stage) if one[1] == "undecodable"]  # told here as well
    assert lost[0] == stage.group


async def test_two_spoilt_rows_and_one_that_is_not_numbered(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage(numbered=False)
    plain = msgspec.structs.replace(said(stage, 100), numbered=False)
    await left(stage, RELAY, ("", 0), ((0,), (4,), (8,), (12,)))
    database = await Database.open(stage.dsn, size=1)
    async with database.transaction() as tx:
        numbers = StreamSequences("test", RELAY, 1, {})
        await numbers.insert(tx, numbers.plan([plain], [("", 0)]))
    await database.close()
    rows = [await spoil(stage, "outbox_batches", place, SPOILT[0]) for place in (1, 2, 4)]
    for start in (16, 20):  # told once, however often it starts
        async with relaying(stage, producer) as (relay, at_work):
            await say(at_work, stage, range(start, start + 1))
            await until(lambda start=start: _is_out(stage, start))
            await relay.flushed()
    assert await aside(stage) == [(RELAY, "torn", row) for row in rows]
    assert await stage.rows("select id from outbox_batches") == []
    found = [(int(dict(r.headers)["n"]), r.key) for r in await stage.records(stage.sink)]
    assert found == [(1, b"0"), (2, b"torn"), (3, b"torn"), (4, b"12"), (5, b"16"), (6, b"20")]


async def _is_out(stage: Stage, number: int) -> bool:
    return any(r.key == b"%d" % number for r in await stage.records(stage.sink))


def test_a_record_that_stands_for_several_bridges_its_own_numbers_only() -> None:
    def event(n: int, **headers: bytes) -> Event:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return Event(
            topic="t", partition=0, offset=n, at=datetime(2026, 1, 1, tzinfo=UTC), key=b"",
            headers={"stream": b"s/w/1/0", "n": b"%d" % n, **named}, raw=b"", envelope=None,
        )  # fmt: skip

    positions = Positions("g", streams={("t", 0, "s/w"): (1, 4)})
    fresh, heard = positions.sift([event(9, first_n=b"5"), event(10)])
    assert (len(fresh), heard) == (2, {("t", 0, "s/w"): (1, 10)})
    for spoilt in (
        event(9),
        event(9, first_n=b"6"),
        event(9, first_n=b"-1"),
        event(9, first_n=b""),
    ):
        with pytest.raises(errors.Alarm, match="gap"):
            positions.sift([spoilt])
