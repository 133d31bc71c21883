"""kit.stream.consumer on a real broker and database: one poll, one transaction, one effect."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from contracts import topics
from contracts.envelope import decode
from contracts.platform import DeadLetter
from kit.base import errors
from kit.base.db import Tx
from kit.stream import kafka, outbox
from kit.stream.consumer import Event, Poison
from kit.stream.kafka import Producer
from kit.stream.outbox import Message

from .child import passing_on, topic
from .conftest import PARTITIONS, Make, Stage, running, until


async def test_every_record_once_and_numbers_without_a_gap(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(40))
    async with running(stage, producer):
        await stage.wrote(40)
        await stage.feed(producer, range(40, 80))
        await stage.wrote(80)
    await stage.check(80)
    for record in await stage.records(stage.sink):
        writer = f"{stage.group}:{stage.source.name}:{record.partition}"
        assert dict(record.headers)["stream"] == f"test/{writer}/1/{record.partition}".encode()
    assert await stage.rows("select id from outbox_batches") == []


async def test_a_second_run_starts_at_the_stored_offset(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(20))
    async with running(stage, producer):
        await stage.wrote(20)
    await stage.feed(producer, range(20, 40))
    async with running(stage, producer):
        await stage.wrote(40)
    await stage.check(40)


async def test_the_broker_hears_offsets_for_graphs(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(8))
    async with running(stage, producer):
        await stage.wrote(8)
    told = await kafka.committed(stage.bootstrap, stage.group)
    assert told == {(stage.source.name, p): 2 for p in range(PARTITIONS)}


async def test_headers_of_the_reply_travel_onward(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    late = b"99999999999999"
    await stage.feed(
        producer, [1], reply_topic=b"r", correlation_id=b"c", deadline=late, other=b"x"
    )
    async with running(stage, producer):
        await stage.wrote(1)
    headers = dict((await stage.records(stage.sink))[0].headers)
    assert (headers["reply-topic"], headers["correlation-id"]) == (b"r", b"c")
    assert headers["deadline"] == late
    assert "other" not in headers


async def test_a_reply_to_a_partition_that_is_not_there_holds_up_nothing(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await kafka.ensure_topics(stage.bootstrap, [topics.GATEWAY_REPLIES], shards=4, gateways=4)
    pass_on = passing_on(stage.sink)
    tag = stage.group.encode()

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        outbox.add(tx, [r for e in batch if (r := outbox.reply_message(e, tag)) is not None])
        await pass_on(tx, batch)

    address = {"reply_topic": topics.GATEWAY_REPLIES.name.encode(), "correlation_id": tag}
    for n, partition in enumerate([b"99999", b"1", b"4", b"1"]):
        await stage.feed(producer, [n], reply_partition=partition, **address)
    async with running(stage, producer, handle=handle):
        await stage.wrote(4)
        await stage.feed(producer, range(4, 8))
        await stage.wrote(8)
    await stage.check(8)
    assert await stage.rows("select id from outbox_batches") == []
    replies = [r for r in await stage.records(topic(topics.GATEWAY_REPLIES.name)) if r.value == tag]
    assert [r.partition for r in replies] == [1, 1]


async def test_a_member_that_joins_in_mid_batch_doubles_nothing(
    new_stage: Make, producer: Producer
) -> None:
    """The batch outlasts the drain of the rebalance, so its owner is fenced or commits first."""
    stage = await new_stage()
    await stage.feed(producer, range(40))
    began = asyncio.Event()
    pass_on = passing_on(stage.sink)

    async def slowly(tx: Tx, batch: Sequence[Event]) -> None:
        if not began.is_set():
            began.set()
            await asyncio.sleep(2.5)
        await pass_on(tx, batch)

    async with running(stage, producer, handle=slowly):
        await began.wait()
        async with running(stage, producer, handle=slowly):
            await stage.wrote(40)
            await stage.feed(producer, range(40, 120))
            await stage.wrote(120)
    await stage.check(120)


async def test_two_members_share_the_partitions(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    async with running(stage, producer), running(stage, producer):

        async def shared() -> bool:
            rows = await stage.rows("select min(epoch) as low from consumer_offsets")
            return (rows[0]["low"] or 0) >= 1

        await until(shared)
        for start in range(0, 100, 10):
            await stage.feed(producer, range(start, start + 10))
            await asyncio.sleep(0.05)
        await stage.wrote(100)
    await stage.check(100)


# ------------------------------------------------------------------------------------------ poison


def poison(stage: Stage, partition: int) -> Message:
    """Bytes that are no envelope."""
    return Message(stage.source.name, partition, b"k", b"\x00not json")


async def letters(stage: Stage) -> list[DeadLetter]:
    """What lies on platform.dead-letters of this stage."""
    read = [
        decode(r.value or b"", dict(topics.DEAD_LETTERS.events)).data
        for r in await stage.records(topics.DEAD_LETTERS)
    ]
    return [letter for letter in read if letter.topic == stage.source.name]


async def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await producer.send([stage.said(0), poison(stage, 0), stage.said(4)])
    async with running(stage, producer):
        await stage.wrote(2)
    assert await stage.effects() == [0, 4]
    (letter,) = await letters(stage)
    assert (letter.code, letter.partition, letter.offset) == ("undecodable", 0, 1)
    assert letter.raw == b"\x00not json"


async def test_poison_on_the_road_reaches_the_handler(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await producer.send([stage.said(0), poison(stage, 0), stage.said(4)])
    seen: list[tuple[int, str]] = []

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        seen.extend((e.offset, e.error) for e in batch)
        await passing_on(stage.sink)(tx, batch)

    async with running(stage, producer, handle=handle, poison=Poison.PASS):
        await stage.wrote(2)
    assert [offset for offset, _ in seen] == [0, 1, 2]
    assert [bool(error) for _, error in seen] == [False, True, False]
    assert len(await letters(stage)) == 1
    assert (await stage.rows("select counted from dead_letters"))[0]["counted"] is False


async def test_the_limit_of_dead_letters_stops_the_process(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await producer.send([poison(stage, 0) for _ in range(4)])
    async with running(stage, producer, letters_max=3) as task:
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 15)
    assert isinstance(stopped.value.exceptions[0], errors.Alarm)
    rows = await stage.rows("select next from consumer_offsets where partition = 0")
    assert rows[0]["next"] == -1  # nothing of the poll was used: all is as it was


async def test_a_datum_the_database_refuses_is_found_by_halving(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(32))
    pass_on = passing_on(stage.sink)
    refused: list[tuple[int, str]] = []

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        for event in batch:
            if event.data.number == 5:
                await tx.execute("insert into effects (number, text) values (null, '')")
            if event.data.number == 22:
                await tx.copy("effects", ["number", "text"], [(2**40, "no column holds it")])
        await pass_on(tx, batch)

    async def refuse(tx: Tx, event: Event, why: str) -> None:
        refused.append((event.data.number, why))
        await tx.execute("insert into effects (number, text) values ($1, 'refused')", -event.offset)

    async with running(stage, producer, handle=handle, refuse=refuse):
        await stage.wrote(32)
    good = [n for n in range(32) if n not in (5, 22)]
    assert sorted(n for n in await stage.effects() if n >= 0 and n not in (5, 22)) == good
    assert sorted(n for n, _ in refused) == [5, 22]
    assert all(why.startswith("bad-datum: ") for _, why in refused)
    used = await stage.onward()
    assert sorted(n for numbers in used.values() for n in numbers) == good
    assert sorted(x.offset for x in await letters(stage)) == [1, 5]


async def test_a_permanent_error_without_refuse_becomes_a_dead_letter(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(4))

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        if any(e.data.number == 3 for e in batch):
            raise errors.NotFound("no such thing")
        await passing_on(stage.sink)(tx, batch)

    async with running(stage, producer, handle=handle):
        await stage.wrote(3)

        async def set_aside() -> bool:
            return len(await letters(stage)) == 1

        await until(set_aside)
    assert sorted(await stage.effects()) == [0, 1, 2]


# ----------------------------------------------------------------------------------------- streams


async def test_a_repeat_is_dropped_by_its_number(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    stream = b"fraud/w/1/0"
    for number, n in ((0, b"7"), (4, b"8"), (0, b"7"), (4, b"8"), (8, b"9")):
        await producer.send([stage.said(number, stream=stream, n=n)])
    async with running(stage, producer):
        await stage.wrote(3)
    assert await stage.effects() == [0, 4, 8]
    rows = await stage.rows("select stream, generation, n from stream_positions")
    assert [tuple(r.values()) for r in rows] == [("fraud/w", 1, 9)]


async def test_a_gap_in_a_stream_stops_the_process(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await producer.send([stage.said(0, stream=b"fraud/w/1/0", n=b"7")])
    await producer.send([stage.said(4, stream=b"fraud/w/1/0", n=b"9")])
    async with running(stage, producer) as task:
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 15)
    assert "gap in a stream" in str(stopped.value.exceptions[0])
    assert 4 not in await stage.effects()


async def test_a_lower_generation_is_refused_and_a_higher_starts_anew(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    said = ((0, 2, 5), (4, 1, 6), (8, 2, 6), (12, 3, 1), (16, 2, 7), (20, 3, 2))
    for number, generation, n in said:
        stream = b"fraud/w/%d/0" % generation
        await producer.send([stage.said(number, stream=stream, n=b"%d" % n)])
    async with running(stage, producer):
        await stage.wrote(4)
    assert await stage.effects() == [0, 8, 12, 20]


async def test_an_archived_record_has_no_number_and_what_follows_from_it_has(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await producer.send([stage.said(0, stream=b"fraud/w/1/0", n=b"7")])
    await producer.send([stage.said(4, replay=b"1")])
    await producer.send([stage.said(8, stream=b"fraud/w/1/0", n=b"8", replay=b"1")])
    async with running(stage, producer):
        await stage.wrote(3)
    assert await stage.effects() == [0, 4, 8]
    marked = [dict(r.headers).get("replay") for r in await stage.records(stage.sink)]
    assert marked == [None, b"1", b"1"]


async def test_a_query_past_its_deadline_is_dropped(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    late, soon = int(time.time() * 1000) - 1, int(time.time() * 1000) + 60_000
    await stage.feed(producer, [0], deadline=b"%d" % late)
    await stage.feed(producer, [4], deadline=b"%d" % soon)
    async with running(stage, producer):
        await stage.wrote(1)
    assert await stage.effects() == [4]


# ------------------------------------------------------------------------------------------- facts


async def test_a_missing_fact_is_awaited(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(4))
    known_at = time.monotonic() + 1.0

    async def missing(_: Sequence[Event]) -> bool:
        return time.monotonic() < known_at

    async with running(stage, producer, dependencies_missing=missing):
        await stage.wrote(4)
        assert time.monotonic() >= known_at


async def test_a_fact_that_does_not_come_is_awaited_two_seconds(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, [0])
    asked: list[float] = []

    async def missing(_: Sequence[Event]) -> bool:
        asked.append(time.monotonic())
        return True

    async with running(stage, producer, dependencies_missing=missing):
        await stage.wrote(1)
        assert 1.9 < asked[-1] - asked[0] < 2.5
