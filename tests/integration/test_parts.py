"""Several parts of a group hear one topic: what one fails on is not lost for the others."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec
import pytest

from kit.base import errors
from kit.base.db import Database, Tx
from kit.stream.consumer import Consumer, Event, Subscription
from kit.stream.kafka import Producer

from .child import passing_on
from .conftest import Make, Stage, until

Handle = Callable[[Tx, Sequence[Event]], Awaitable[None]]
BAD = (3, 4, 11)
COUNT = 20


def noting(label: str, bad: Collection[int] = (), error: Exception | None = None) -> Handle:
    """A part that writes each number down under its label, and fails on some afterwards."""

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        await tx.copy("effects", ["number", "text"], [(e.data.number, label) for e in batch])
        if error is not None and any(e.data.number in bad for e in batch):
            raise error

    return handle


async def work(stage: Stage, producer: Producer, **parts: Handle | Subscription) -> None:
    """A consumer of these parts, by their names, until it has read the source to its end."""
    database = await Database.open(stage.dsn, size=4)
    subscriptions = [
        one
        if isinstance(one, Subscription)
        else Subscription(topic=stage.source, handle=one, part=name)
        for name, one in parts.items()
    ]
    consumer = Consumer(stage.group, subscriptions, database, producer, stage.room())
    task = asyncio.ensure_future(consumer.run())

    async def is_read() -> bool:
        rows = await stage.rows("select coalesce(sum(next), 0)::int as n from consumer_offsets")
        return task.done() or rows[0]["n"] >= COUNT

    try:
        await until(is_read, 60)
        consumer.stop()
        await asyncio.wait_for(task, 15)
    finally:
        task.cancel()
        await database.close()


async def noted(stage: Stage, label: str) -> list[int]:
    rows = await stage.rows("select number from effects where text = $1 order by number", label)
    return [row["number"] for row in rows]


async def aside(stage: Stage) -> list[tuple[str, int]]:
    """Consumer and number of each dead letter."""
    rows = await stage.rows('select consumer, partition, "offset" from dead_letters')
    found = [(row["consumer"], row["offset"] * 4 + row["partition"]) for row in rows]
    return sorted((name.removeprefix(stage.group), number) for name, number in found)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("error", [ValueError("a fault"), errors.Invalid("a permanent no")])
async def test_what_one_part_fails_on_the_others_handle_once(
    new_stage: Make, producer: Producer, error: Exception, order: int
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(COUNT))
    parts = {"frail": noting("frail", BAD, error), "sound": noting("sound")}
    await work(stage, producer, **dict(list(parts.items())[::order]))
    assert await noted(stage, "sound") == list(range(COUNT))
    assert await noted(stage, "frail") == [n for n in range(COUNT) if n not in BAD]
    assert await aside(stage) == [("/frail", n) for n in BAD]


async def test_a_record_that_two_parts_fail_on_is_set_aside_for_each(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(COUNT))
    await work(
        stage,
        producer,
        first=noting("first", BAD, KeyError("x")),
        second=noting("second", (4, 5), errors.Invalid("no")),
        third=noting("third"),
    )
    assert await aside(stage) == [*(("/first", n) for n in BAD), ("/second", 4), ("/second", 5)]
    assert await noted(stage, "first") == [n for n in range(COUNT) if n not in BAD]
    assert await noted(stage, "second") == [n for n in range(COUNT) if n not in (4, 5)]
    assert await noted(stage, "third") == list(range(COUNT))


async def test_what_nobody_can_read_is_set_aside_once(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    said = [stage.said(n) for n in range(COUNT)]
    said[5] = msgspec.structs.replace(said[5], value=b"{")
    await producer.send(said)
    await work(stage, producer, first=noting("first"), second=noting("second"))
    assert await aside(stage) == [("", 5)]
    for label in ("first", "second"):
        assert await noted(stage, label) == [n for n in range(COUNT) if n != 5]


async def test_a_part_hears_only_the_types_it_reads(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(COUNT))
    deaf = Subscription(
        topic=stage.source, handle=noting("deaf"), decoders={"other.v1": dict}, part="deaf"
    )
    await work(stage, producer, deaf=deaf, other=passing_on(stage.sink))
    await stage.check(COUNT)
    assert await aside(stage) == []
