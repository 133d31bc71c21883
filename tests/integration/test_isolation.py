"""No record stops a consumer: whatever its handling raises, it alone is refused or set aside."""

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from copy import copy

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from kit.base import errors
from kit.base.db import Tx
from kit.stream import isolation, outbox
from kit.stream.consumer import Event, Poison
from kit.stream.kafka import Producer
from kit.stream.outbox import Message

from .child import passing_on
from .conftest import Make, Stage, running, until

FAULTS: dict[int, BaseException] = {
    n: error
    for n, error in zip(
        (0, 1, 2, 3, 7, 13, 14, 21, 30, 36, 37, 38, 39),  # the first and the last of each partition
        (
            TypeError("can't compare offset-naive and offset-aware datetimes"),
            OverflowError("date value out of range"),
            ValueError("\x00 \ud800 \u202e"),
            KeyError("no such"),
            RecursionError(),
            AssertionError("Unrecognized partition"),
            struct.error("int too large to convert"),
            ZeroDivisionError(),
            IndexError(),
            AttributeError("x" * 10_000),
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            ExceptionGroup("several", [TypeError()]),
            errors.TooMany("a problem that is neither permanent nor transient"),
        ),
        strict=True,
    )
}
BOUND_S = 60  # thirteen records, each tried three times and more
GOOD = [n for n in range(40) if n not in FAULTS]
Handle = Callable[[Tx, Sequence[Event]], Awaitable[None]]


def raising(stage: Stage) -> Handle:
    """Passes on what it can, and only then meets what it cannot."""
    pass_on = passing_on(stage.sink)

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        await pass_on(tx, batch)
        for event in batch:
            if event.data.number in FAULTS:
                raise copy(FAULTS[event.data.number]).with_traceback(None) from None

    return handle


async def aside(stage: Stage) -> list[tuple[str, int, bool]]:
    """Code, number and whether it counts, of each dead letter's row."""
    rows = await stage.rows('select code, partition, "offset", counted from dead_letters')
    return sorted((r["code"], r["offset"] * 4 + r["partition"], r["counted"]) for r in rows)


@pytest.mark.parametrize("road", [True, False])
async def test_whatever_a_record_raises_it_alone_is_set_aside(
    new_stage: Make, producer: Producer, road: bool
) -> None:
    stage = await new_stage()
    refused: list[int] = []

    async def refuse(tx: Tx, event: Event, why: str) -> None:
        refused.append(event.data.number)
        assert why

    given = {"handle": raising(stage), "poison": Poison.PASS, "refuse": refuse if road else None}
    await stage.feed(producer, range(40))
    async with running(stage, producer, **given):  # as the first poll after a start
        await stage.wrote(len(GOOD), BOUND_S)
        await until(lambda: _count(stage, len(FAULTS)), BOUND_S)
    assert sorted(await stage.effects()) == GOOD
    used = await stage.onward()
    assert sorted(n for numbers in used.values() for n in numbers) == GOOD
    assert sorted(set(refused)) == (sorted(FAULTS) if road else [])
    codes = {FAULTS[n].code if n == 39 else "fault" for n in FAULTS}  # type: ignore[union-attr]
    assert {(code, number) for code, number, _ in await aside(stage)} <= {
        (code, n) for code in codes for n in FAULTS
    }
    assert {counted for _, _, counted in await aside(stage)} == {not road}


async def _count(stage: Stage, count: int) -> bool:
    return len(await aside(stage)) >= count


async def test_one_alone_is_set_aside_and_again_after_a_start(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    for n in (0, 4, 8):
        await stage.feed(producer, [0] if n < 8 else [n])
        async with running(stage, producer, handle=raising(stage)):
            if n == 8:
                await stage.wrote(1)
            else:
                await until(lambda n=n: _count(stage, 1 + n // 4))
    assert await stage.effects() == [8]


async def test_where_refusing_fails_it_is_refused_as_unreadable_or_set_aside(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    refused: list[tuple[int, bool]] = []

    async def refuse(tx: Tx, event: Event, why: str) -> None:
        assert why.startswith("fault: ")
        refused.append((event.offset, event.envelope is None))
        if event.offset == 9 or event.envelope is not None:  # numbers 38 and 39 lie at 9
            raise TypeError("neither can it be refused")
        await tx.execute("insert into effects (number, text) values (-1, 'refused')")

    await stage.feed(producer, range(40))
    async with running(stage, producer, handle=raising(stage), refuse=refuse):
        await stage.wrote(40 - 4, BOUND_S)
        await until(lambda: _count(stage, len(FAULTS)), BOUND_S)
    at_nine = [n for n in FAULTS if n // 4 == 9]
    assert [n for n in sorted(await stage.effects()) if n >= 0] == GOOD
    assert (await stage.effects()).count(-1) == len(FAULTS) - len(at_nine)
    counted = {number: how for _, number, how in await aside(stage)}
    assert counted == {n: n in at_nine for n in FAULTS}


async def test_a_transient_error_is_no_records_doing(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(8))
    pass_on = passing_on(stage.sink)
    until_s = time.monotonic() + 2
    sizes: list[int] = []

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        sizes.append(len(batch))
        if time.monotonic() < until_s:
            raise ConnectionResetError if len(sizes) % 2 else errors.Unavailable("away")
        await pass_on(tx, batch)

    async with running(stage, producer, handle=handle):
        await stage.wrote(8)
    await stage.check(8)
    assert await aside(stage) == []


async def test_a_poll_that_takes_too_long_to_decide_is_cut_in_halves(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(16))
    pass_on = passing_on(stage.sink)
    sizes: list[int] = []
    calm = asyncio.Event()

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        sizes.append(len(batch))
        if len(batch) > 8:
            time.sleep(3.2)  # noqa: ASYNC251 - computing: the database gives the transaction up
        await pass_on(tx, batch)
        calm.set()

    async with running(stage, producer, handle=handle):
        await calm.wait()
        await stage.wrote(16)
    await stage.check(16)
    assert max(sizes) > 8
    assert await aside(stage) == []


async def test_when_all_is_set_aside_the_process_stops_and_a_start_goes_on(
    new_stage: Make, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "FAULTS_IN_A_ROW_MAX", 3)
    stage = await new_stage()
    await stage.feed(producer, range(0, 40, 4))  # one partition
    spoilt = True

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        if spoilt:
            raise TypeError("of this process's making")
        await passing_on(stage.sink)(tx, batch)

    async def refuse(tx: Tx, event: Event, why: str) -> None:
        del tx, event, why

    given = {"handle": handle, "refuse": refuse}
    async with running(stage, producer, **given) as task:
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 30)
    assert isinstance(stopped.value.exceptions[0], errors.Alarm)
    spoilt = False
    async with running(stage, producer, **given):
        await stage.wrote(6)
    assert await stage.effects() == [16, 20, 24, 28, 32, 36]  # four were refused, no more


async def test_a_fact_that_cannot_be_asked_for_holds_up_its_record_alone(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(8))
    asked: list[list[int]] = []

    async def missing(events: Sequence[Event]) -> bool:
        numbers = [e.data.number for e in events]
        asked.append(numbers)
        if len(asked) == 1:
            raise errors.Unavailable("the database is away")
        if 5 in numbers:
            raise TypeError("a fact of 5")
        return len(asked) < 9

    async with running(stage, producer, dependencies_missing=missing):
        await stage.wrote(8)
    assert sorted(await stage.effects()) == list(range(8))
    assert asked[-1]
    assert 5 not in asked[-1]


SPOILT: tuple[dict[str, bytes], ...] = (
    {"stream": b"\x00/\xff/1/0", "n": b"1"},
    {"stream": b"fraud/w/99999999999/0", "n": b"1"},
    {"stream": b"fraud/w/1/0", "n": b"9" * 5_000},
    {"stream": b"fraud/w/1/0"},
    {"deadline": b"9" * 5_000},
    {"traceparent": b"\xff" * 55, "reply-topic": b"\xff" * 100_000},
    {"traceparent": b"x" * 52 + b"-01", "correlation-id": b""},
    {"": b"", "replay": b"\x00"},
)


async def test_no_header_stops_a_consumer(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    one = stage.said(0)
    spoilt = [Message(one.topic, 1, one.key, one.value, tuple(h.items())) for h in SPOILT]
    await producer.send([stage.said(4), *spoilt, stage.said(8), stage.said(1)])
    pass_on = passing_on(stage.sink)

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        outbox.add(tx, [r for e in batch if (r := outbox.reply_message(e, b"r")) is not None])
        await pass_on(tx, batch)

    async with running(stage, producer, handle=handle, poison=Poison.PASS):
        await stage.wrote(3 + 4)  # four of them are no streams, which nobody can follow
    assert sorted(await stage.effects()) == [0, 0, 0, 0, 1, 4, 8]


NAME, RAW_NAME = "x-no-text-x", b"\xff\xfe\x00\xed\xa0\x80-text"


def _spoilt(batch: bytearray) -> bytearray:
    """The same batch with a header whose name is no text, and the checksum that it then has."""
    made = bytearray(batch.replace(NAME.encode(), RAW_NAME))
    made[17:21] = calc_crc32c(bytes(made[21:])).to_bytes(4)
    return made


@pytest.mark.parametrize("packed", [None, "gzip"])
async def test_a_header_whose_name_is_no_text_stops_nobody(
    new_stage: Make, producer: Producer, packed: str | None
) -> None:
    stage = await new_stage()
    await stage.feed(producer, [0])
    sender = AIOKafkaProducer(bootstrap_servers=stage.bootstrap, compression_type=packed)
    await sender.start()
    batch = sender.create_batch()
    for n, name in ((4, "plain"), (8, NAME), (12, "plain")):
        put = {"timestamp": None, "key": b"k", "value": stage.said(n).value}
        batch.append(**put, headers=[(name, b"1")])
    build = batch._build
    batch._build = lambda: _spoilt(build())
    await (await sender.send_batch(batch, stage.source.name, partition=0))
    await sender.stop()
    await stage.feed(producer, [16])
    async with running(stage, producer):
        await stage.wrote(5)
    assert await stage.effects() == [0, 4, 8, 12, 16]
    assert [r.offset for r in await stage.records(stage.source)] == [0, 1, 2, 3, 4]
