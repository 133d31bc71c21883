"""Kafka's doors: tables from their topics, readiness, poison, replies; on a real broker."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster import servers
from contracts import envelope, topics
from contracts.ledger import Reply
from contracts.members import IdentifierKind
from contracts.merchants import MerchantStanding
from gateway.road.consumer import RepliesFeed
from gateway.road.usecases import clock_probe
from gateway.road.usecases.pending_replies import PendingReplies
from gateway.tables import consumer, store
from gateway.tables.consumer import TablesFeed
from gateway.tables.store import Table, Tables
from gateway.tables.usecases.identifier_keys import identifier_keys
from gateway.tables.usecases.readiness import STATE_TOPICS, Readiness
from kit.base import clock, errors
from kit.stream import kafka, outbox

from .conftest import settings_of
from .fakes import (
    CARD,
    EVENT_TYPES,
    OPENED,
    api_key,
    digest_of,
    heartbeats,
    identifier,
    message_of,
    programme,
    session,
    terminal,
    terms,
)

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
DIGEST = digest_of(IdentifierKind.CARD, CARD)


def feed_of(bootstrap: str, folder: Path, producer: kafka.Producer) -> TablesFeed:
    settings = settings_of(bootstrap, folder, 1)
    tables = Tables.open(folder, cluster="c", boot="b", map_gib=1)
    readiness = Readiness(False, clock.wall)
    return TablesFeed(settings, tables, readiness, producer, identifier_keys(settings))


async def until_caught_up(feed: TablesFeed) -> None:
    """Run a feed until it has seen its topics' ends."""
    running = asyncio.ensure_future(feed.run())
    async with asyncio.timeout(60):
        while not feed.readiness.caught_up and not running.done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def record(topic: str, value: bytes | None, offset: int, partition: int = 0) -> kafka.Record:
    return kafka.Record(topic, partition, offset, 1_700_000_000_000, b"k", value, ())


def records(data: Sequence[Any]) -> list[kafka.Record]:
    return [
        record(EVENT_TYPES[type(one)][0].name, message_of(one).value, offset)
        for offset, one in enumerate(data)
    ]


def dumped(tables: Tables) -> dict[Table, dict[bytes, bytes]]:
    return {table: tables.dump(table) for table in Table}


async def test_a_table_dropped_and_built_again_is_the_same(
    broker: servers.Servers, producer: kafka.Producer, tmp_path: Path
) -> None:
    cards = [f"{base:015}" for base in range(603799100000000, 603799100000300)]
    data: list[Any] = [
        identifier(MOBILES[i % 2], IdentifierKind.MOBILE, version=i + 1, last4=card[:4])
        for i, card in enumerate(cards)
    ]
    data += [terminal(500 + i % 7, version=i + 1) for i in range(40)]
    data += [
        MerchantStanding(merchant=600 + i % 3, version=i + 1, stopped=i % 2 == 0) for i in range(9)
    ]
    data += [programme(v, OPENED + timedelta(days=v), merchant=77) for v in range(1, 9)]
    far = OPENED + timedelta(days=3650)  # the topic is shared: not in force for other tests
    data += [terms(v, far + timedelta(days=v)) for v in range(2, 6)]
    data += [api_key(f"{600 + i % 3:032x}", version=i + 1) for i in range(9)]
    data += [session(f"{600 + i % 3:032x}", version=i + 1, ended=i > 6) for i in range(9)]
    await producer.send([message_of(one) for one in data])
    first = feed_of(broker.bootstrap, tmp_path / "a", producer)
    await until_caught_up(first)
    assert len(first.tables.list_programmes(77)) == 8
    assert first.tables.merchants_stopped >= {600, 602}
    before = dumped(first.tables)
    for topic, (tables, _) in consumer.HANDLERS.items():
        places = [p for p in first.tables.offsets(places_of(first)) if p[0] == topic]
        first.tables.rebuild(tables, places)
        assert [first.tables.count(table) for table in tables] == [0] * len(tables)
        first.readiness.caught_up = False
        await until_caught_up(first)
        assert dumped(first.tables) == before
    other = feed_of(broker.bootstrap, tmp_path / "b", producer)
    await until_caught_up(other)
    assert dumped(other.tables) == before
    assert other.tables.merchants_stopped == first.tables.merchants_stopped


MOBILES = ("09121111111", "09122222222")


def places_of(feed: TablesFeed) -> list[tuple[str, int]]:
    return consumer.places_of(STATE_TOPICS, feed.settings)


async def test_a_restart_reads_on_from_the_stored_offset(
    broker: servers.Servers, producer: kafka.Producer, tmp_path: Path
) -> None:
    feed = feed_of(broker.bootstrap, tmp_path / "t", producer)
    await producer.send([message_of(terminal(600)), *heartbeats(feed.settings)])
    await until_caught_up(feed)
    feed.tables.close()
    again = feed_of(broker.bootstrap, tmp_path / "t", producer)
    started = again.tables.offsets(places_of(again))
    ends = await kafka.end_offsets(broker.bootstrap, [t.name for t in STATE_TOPICS])
    assert started == ends
    await producer.send([message_of(terminal(600, version=2, branch=9))])
    await until_caught_up(again)
    stored = again.tables.find_terminal(600)
    assert stored is not None
    assert stored.branch == 9


async def test_offsets_beyond_the_topics_end_mean_another_topic(
    broker: servers.Servers, producer: kafka.Producer, tmp_path: Path
) -> None:
    feed = feed_of(broker.bootstrap, tmp_path / "t", producer)
    ghost = store.terminal_row(terminal(99999))
    feed.tables.apply([ghost], {("merchants.terminals", 0): 10**9}, {})
    await producer.send([message_of(terminal(601))])
    await until_caught_up(feed)
    assert feed.tables.find_terminal(99999) is None
    assert feed.tables.find_terminal(601) is not None


async def test_every_golden_example_is_applied_twice_to_the_same_effect(
    broker: servers.Servers, producer: kafka.Producer, tmp_path: Path
) -> None:
    feed = feed_of(broker.bootstrap, tmp_path / "t", producer)
    batch = [
        record(topic.name, path.read_bytes(), offset)
        for topic in STATE_TOPICS
        for offset, path in enumerate(sorted((EXAMPLES / topic.name).glob("*.json")))
    ]
    assert len(batch) >= 9
    await feed.apply(batch)
    once = dumped(feed.tables)
    assert all(once.values())
    await feed.apply(batch)
    assert dumped(feed.tables) == once
    assert feed.dead_letters == 0
    assert feed.readiness.heartbeats[("merchants.terms", 0)] == 1_700_000_000.0


async def test_a_record_that_no_table_takes_is_passed_over_and_its_neighbours_are_kept(
    broker: servers.Servers, producer: kafka.Producer, tmp_path: Path
) -> None:
    feed = feed_of(broker.bootstrap, tmp_path / "t", producer)
    topic = "members.identifiers"
    (good,) = records([identifier(CARD)])
    body = json.loads(good.value or b"")
    body["data"]["digest"] = "d" * 4_000  # longer than the store's keys
    long = record(topic, json.dumps(body).encode(), 0)
    deep = record(topic, b"[" * 100_000, 2)
    await feed.apply([long, record(topic, good.value, 1), deep])
    assert feed.tables.find_identifier(DIGEST) is not None
    assert feed.dead_letters == 2
    assert feed.tables.offsets([(topic, 0)]) == {(topic, 0): 3}


async def test_a_tombstone_changes_no_row(producer: kafka.Producer, tmp_path: Path) -> None:
    feed = feed_of("127.0.0.1:1", tmp_path / "t", producer)
    await feed.apply([*records([identifier(CARD)]), record("members.identifiers", None, 1)])
    assert feed.tables.find_identifier(DIGEST) is not None
    assert feed.tables.offsets([("members.identifiers", 0)]) == {("members.identifiers", 0): 2}


async def test_poison_is_set_aside_and_stops_the_process_past_its_limit(
    broker: servers.Servers, producer: kafka.Producer, tmp_path: Path
) -> None:
    feed = feed_of(broker.bootstrap, tmp_path / "t", producer)
    before = (await kafka.end_offsets(broker.bootstrap, [topics.DEAD_LETTERS.name])).popitem()[1]
    poison = record("merchants.terminals", b'{"type":"terminal-changed.v9"}', 0)
    good = records([terms(1, OPENED)])
    await feed.apply([poison, *good])
    assert feed.tables.count(Table.TERMS) == 1
    after = (await kafka.end_offsets(broker.bootstrap, [topics.DEAD_LETTERS.name])).popitem()[1]
    assert after == before + 1
    with pytest.raises(errors.Alarm):
        for _ in range(consumer.DEAD_LETTERS_MAX):
            await feed.apply([poison])


async def test_unready_until_caught_up_and_without_heartbeats(tmp_path: Path) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    readiness = Readiness(False, lambda: now)
    places = consumer.places_of(STATE_TOPICS, settings_of("x:1", tmp_path, 1))
    readiness.expect_heartbeats(places)
    readiness.replies_assigned = True

    def refused() -> bool:
        try:
            readiness.refuse_unready()
        except errors.Unavailable as error:
            return error.code == "not-ready"
        return False

    for place in places:
        assert refused()
        readiness.note_heartbeat(place, int(now.timestamp() * 1000))
    assert refused()
    readiness.caught_up = True
    assert not refused()
    now += timedelta(seconds=31)
    await readiness.refresh()
    assert refused()
    for place in places:
        readiness.note_heartbeat(place, int(now.timestamp() * 1000))
    assert not refused()


@pytest.mark.parametrize(
    ("off_ms", "right"),
    [(0, True), (499, True), (-499, True), (501, False), (-501, False)],
)
def test_a_clock_half_a_second_off_is_not_right(off_ms: int, right: bool) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    off = timedelta(milliseconds=off_ms)
    for sandbox in (False, True):
        readiness = Readiness(sandbox, lambda: now)
        readiness.note_append(now, now + off, now)
        assert readiness.clock_right() is (right or sandbox)


def test_an_old_measurement_of_the_clock_says_nothing() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    readiness = Readiness(False, lambda: now)
    readiness.note_append(now, now + timedelta(seconds=9), now)
    assert not readiness.clock_right()
    now += timedelta(seconds=16)
    assert readiness.clock_right()


async def test_the_brokers_stamp_is_compared_with_our_clock(
    broker: servers.Servers, producer: kafka.Producer
) -> None:
    at = clock.wall()
    place = outbox.Message(topics.POS_TRANSACTIONS.name, 11, b"probe", b"{}")
    ack = await producer.send_one(place)
    assert abs((ack.appended_at - at).total_seconds()) < 5


def reply_record(correlation: bytes | None, value: bytes) -> kafka.Record:
    headers = () if correlation is None else (("correlation-id", correlation),)
    return kafka.Record("gateway.replies", 0, 0, 0, b"k", value, headers)


async def test_replies_reach_who_waits_and_nobody_else(tmp_path: Path) -> None:
    pending_replies = PendingReplies(10)
    feed = RepliesFeed(
        settings_of("x:1", tmp_path, 1), pending_replies, Readiness(False, clock.wall)
    )
    example = EXAMPLES / "gateway.replies" / "transaction-answered.v1.completed.json"
    value = example.read_bytes()
    correlation, future = pending_replies.register("till", 5)
    other, unanswered = pending_replies.register("till", 5)
    feed.on_gateway_replies(
        [
            reply_record(b"somebody-else", value),
            reply_record(None, value),
            reply_record(clock_probe.PROBE, b"probe"),
            reply_record(other, b"not json"),
            reply_record(correlation, value),
            reply_record(correlation, value),
        ]
    )
    reply = future.result()
    assert reply is not None
    decoded = envelope.decode(value, {"transaction-answered.v1": Reply}).data
    assert reply == decoded
    assert bytes(reply.body) in value
    assert not unanswered.done()
    pending_replies.discard(correlation, "till")
    feed.on_gateway_replies([reply_record(correlation, value)])
    assert pending_replies.count == 1


async def test_who_waits_is_bounded_and_each_key_has_its_share() -> None:
    pending_replies = PendingReplies(3)
    first, _ = pending_replies.register("a", 2)
    pending_replies.register("a", 2)
    with pytest.raises(errors.Problem) as caught:
        pending_replies.register("a", 2)
    assert caught.value.code == "rate-limited"
    pending_replies.register("b", 2)  # the first key's flood is not the second's
    with pytest.raises(errors.Unavailable) as full:
        pending_replies.register("c", 2)
    assert full.value.code == "gateway-busy"
    pending_replies.discard(first, "a")
    pending_replies.register("c", 2)
    assert pending_replies.count == 3
