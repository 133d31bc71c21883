"""What is said to a partition that is not there stops nothing, and is never silently lost."""

from collections.abc import Sequence

import pytest

from contracts import topics
from contracts.envelope import decode
from contracts.platform import DeadLetter
from kit.base import errors
from kit.base.db import Database, Tx
from kit.stream import outbox
from kit.stream.consumer import Event
from kit.stream.kafka import Producer
from kit.stream.outbox import Message, StreamSequences

from .child import note, passing_on
from .conftest import Make, Stage, running, until
from .test_relay import relaying, say, used

NOWHERE = 500


def lost(stage: Stage, number: int) -> Message:
    """A note to a partition that no topic of the tests has."""
    return outbox.message(stage.sink, note(number), partition=NOWHERE)


async def kept(stage: Stage) -> list[tuple[str, int]]:
    """Code and partition of the rows set aside; what they held lies on platform.dead-letters."""
    rows = await stage.rows(
        "select code, partition from dead_letters where topic = $1", stage.sink.name
    )
    return [tuple(row.values()) for row in rows]


async def letters(stage: Stage) -> list[DeadLetter]:
    """Dead letters of this stage's sink."""
    read = [
        decode(r.value or b"", dict(topics.DEAD_LETTERS.events)).data
        for r in await stage.records(topics.DEAD_LETTERS)
    ]
    return [letter for letter in read if letter.topic == stage.sink.name]


async def test_it_is_set_aside_and_what_was_said_beside_it_goes_out(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    pass_on = passing_on(stage.sink)

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        await pass_on(tx, batch)
        if any(event.data.number == 2 for event in batch):
            outbox.add(tx, [lost(stage, 2)])

    async with relaying(stage, producer), running(stage, producer, handle=handle):
        await stage.feed(producer, range(8))
        await stage.wrote(8)
        await stage.feed(producer, range(8, 16))
        await stage.wrote(16)

        async def told() -> bool:
            return bool(await letters(stage))

        await until(told)
    await stage.check(16)
    assert await kept(stage) == [("unsayable", NOWHERE)]
    (letter,) = await letters(stage)
    assert letter.raw == lost(stage, 2).value
    left = await stage.rows("select from outbox_batches where consumer = $1", stage.group)
    assert left == []


async def test_a_row_left_unsent_stops_no_start(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(8))
    async with running(stage, producer):
        await stage.wrote(8)
    database = await Database.open(stage.dsn, size=1)
    async with database.transaction() as tx:
        numbers = StreamSequences("test", stage.group, 1, {})
        batches = numbers.plan([lost(stage, 8)], [(stage.source.name, 0)])
        await numbers.insert(tx, batches)
    await database.close()
    for end in (12, 16):
        await stage.feed(producer, range(end - 4, end))
        async with running(stage, producer):
            await stage.wrote(end)
    await stage.check(16)
    assert await kept(stage) == [("unsayable", NOWHERE)]


async def test_the_relay_goes_on(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    async with relaying(stage, producer) as (relay, database):
        await say(database, stage, range(4))
        async with database.transaction() as tx:
            outbox.add(tx, [lost(stage, 4)])
        await say(database, stage, range(4, 8))

        async def out() -> bool:
            return await used(stage) == 8 and bool(await letters(stage))

        await until(out)
        await relay.flushed()
    assert await kept(stage) == [("unsayable", NOWHERE)]


async def test_one_sent_at_once_is_refused_at_once(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    with pytest.raises(errors.Unavailable, match="no partition 500"):
        await producer.send_one(lost(stage, 1))
    with pytest.raises(errors.Invalid, match="no partition 500"):
        await producer.send([lost(stage, 1)])
    await stage.feed(producer, range(4))  # the producer is whole
    assert len(await stage.records(stage.source)) == 4


@pytest.mark.parametrize(
    ("topic", "partition", "sayable"),
    [
        (topics.LEDGER_COMMANDS, 11, True),
        (topics.LEDGER_COMMANDS, 12, False),
        (topics.FRAUD_TERMINALS, 3, True),
        (topics.FRAUD_TERMINALS, 4, False),
        (topics.MERCHANTS_TERMS, 1, False),
        (topics.GATEWAY_REPLIES, 99_999, True),  # how many gateways there are nobody here knows
    ],
)
def test_what_a_platform_has_no_partition_for_is_not_booked(
    topic: topics.Topic, partition: int, sayable: bool
) -> None:
    numbers = StreamSequences("test", "g", 1, {}, 12)
    said = [Message(topic.name, partition, b"k", b"v", (), topic.numbered)]
    if sayable:
        assert numbers.plan(said, [("s", 0)])
        return
    with pytest.raises(errors.Invalid, match="no partition"):
        numbers.plan(said, [("s", 0)])
