"""Records that should not be: poison at every stage, late facts, archives played again."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from cluster import plan, processes
from cluster.processes import State
from contracts import topics
from contracts.merchants import Programme
from contracts.pos import Line
from kit.stream import outbox
from lab.observe import driver
from peyvand import Answer, Status
from peyvand.transport import path_of

from . import wire as wires
from .participants import START, Participants, until
from .shards import Shards
from .wire import Wire

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

ROAD = {
    topics.POS_TRANSACTIONS.name: ("fraud", wires.submitted),
    topics.FRAUD_SCREENED.name: ("campaigns", wires.screened),
    topics.LEDGER_COMMANDS.name: ("ledger", wires.commanded),
}
NAMED = {topic.name: topic for topic in topics.TOPICS}
HEARERS = {
    topic.name: set(topic.consumers)
    for topic in topics.TOPICS
    if topic.name not in ROAD and topic.owner != "platform"
} | {topics.GATEWAY_REPLIES.name: set[str]()}  # nobody's to keep: whoever waits asks again
SHARD = 4


async def outcome(participants: Participants, shard: int, name: str) -> Answer:
    """The answer stored under a name, as soon as it is there."""
    path = path_of("transactions", f"{shard}.{name}")

    async def ask() -> dict[str, Any]:
        return await participants.operator.get(path)

    found = await until(ask, lambda body: "first_answer" in body, wait_s=20.0)
    return msgspec.convert(found["first_answer"], Answer)


async def is_whole(cluster: plan.Cluster) -> None:
    """Every process is ready."""

    async def states() -> set[State]:
        return {seen.state for seen in await asyncio.to_thread(processes.look, cluster)}

    await until(states, lambda found: found == {State.READY})


# ----------------------------------------------------------------------------------------- poison


@pytest.mark.parametrize("sort", wires.GARBAGE)
@pytest.mark.parametrize("name", list(ROAD))
async def test_unreadable_record_on_the_road_is_refused_and_its_shard_goes_on(
    participants: Participants, wire: Wire, shards: Shards, name: str, sort: str
) -> None:
    room, _ = ROAD[name]
    raw = wires.garbage(sort)

    correlation = await wire.put(NAMED[name], SHARD, raw)

    refused = await outcome(participants, SHARD, wires.digest_name(raw))
    assert refused.status is Status.REFUSED
    assert refused.code
    assert refused.fa
    letters = await until(lambda: wire.letters(raw))
    assert [(x.room, x.topic, x.partition) for x in letters] == [(room, name, SHARD)]
    replies = await until(lambda: wire.replies(correlation))
    assert [reply.http_status for reply in replies] == [200]
    assert msgspec.json.decode(replies[0].body, type=Answer) == refused
    assert (await shards.post(SHARD)).status is not Status.REFUSED


@pytest.mark.parametrize("name", list(ROAD))
async def test_record_the_database_refuses_is_isolated_from_its_batch(
    participants: Participants, wire: Wire, name: str
) -> None:
    _, made = ROAD[name]
    till = await participants.till(await participants.shop("grocer"))
    member = await participants.member_on(SHARD)
    bad = wires.sold(till, member, lines=(Line(line=1, amount_rial=50_000, sku="a\u0000b"),))
    worse = wires.sold(till, member, identifier_id="\u0000" * 3)
    good = [wires.sold(till, member) for _ in range(3)]

    for about in (good[0], bad, good[1], worse, good[2]):
        await wire.put(NAMED[name], SHARD, made(about))

    for about in good:
        assert (await outcome(participants, SHARD, about.name)).status is Status.COMPLETED
    for about in (bad, worse):  # kept as bytes it may pass a stage; it never stops one
        decided = await outcome(participants, SHARD, about.name)
        assert decided.status in (Status.COMPLETED, Status.REFUSED)


@pytest.mark.parametrize("header", ["stream", "n", "reply-partition", "traceparent", "deadline"])
async def test_spoilt_header_stops_no_shard(
    participants: Participants, wire: Wire, shards: Shards, header: str
) -> None:
    till = await participants.till(await participants.shop("grocer"))
    member = await participants.member_on(SHARD)
    for name, (_, made) in ROAD.items():
        about = wires.sold(till, member)
        await wire.put(NAMED[name], SHARD, made(about), (header, b"\xff spoilt"))
    assert (await shards.post(SHARD)).status is not Status.REFUSED
    await is_whole(participants.cluster)


@pytest.mark.parametrize("name", HEARERS)
async def test_unreadable_record_beside_the_road_is_set_aside(
    participants: Participants, wire: Wire, shards: Shards, name: str
) -> None:
    raw = wires.garbage("no JSON")

    await wire.put(NAMED[name], 0, raw)

    if HEARERS[name]:
        letters = await until(
            lambda: wire.letters(raw), lambda found: len(found) >= len(HEARERS[name])
        )
        assert {letter.room for letter in letters} == HEARERS[name]
    await shards.post(0)
    await is_whole(participants.cluster)


async def test_the_platform_still_learns_after_the_poison(participants: Participants) -> None:
    await driver.drained(
        participants.cluster
    )  # whoever one of the unreadable records stopped would be behind
    shop = await participants.open_shop(
        "florist"
    )  # a programme, a terminal, an identifier: all heard
    sale = await (await participants.till(shop)).buy(await participants.member(), 20_000)
    assert sale.points_earned == 20


# ------------------------------------------------------------------------------------- late facts


async def test_programme_that_arrives_late_is_waited_for(
    participants: Participants, wire: Wire
) -> None:
    shop = await participants.open_shop("late")
    till, member = await participants.till(shop), await participants.member()
    late = Programme(
        merchant=shop.merchant,
        party=shop.party,
        version=2,
        effective_from=START,
        title_fa="دیر",
        title_en="late",
        earn_points=3,
        earn_per_rial=1_000,
    )
    about = wires.sold(till, member, programme_version=2)

    await wire.put(topics.POS_TRANSACTIONS, member.shard, wires.submitted(about))
    await asyncio.sleep(0.2)
    await wire.put(topics.MERCHANTS_PROGRAMMES, 0, wires.published(late))

    answer = await outcome(participants, member.shard, about.name)
    assert (answer.status, answer.points_earned) == (Status.COMPLETED, 150)
    assert answer.lines[0].rule_version == 2


async def test_programme_that_never_arrives_refuses_what_needs_it(
    participants: Participants, wire: Wire, shards: Shards
) -> None:
    till, member = (
        await participants.till(await participants.shop("grocer")),
        await participants.member(),
    )
    about = wires.sold(till, member, programme_version=99)
    raw = wires.submitted(about)

    await wire.put(topics.POS_TRANSACTIONS, member.shard, raw)

    answer = await outcome(participants, member.shard, about.name)
    assert (answer.status, answer.code) == (Status.REFUSED, "programme-not-known-in-time")
    assert answer.fa
    records = await wire.read(topics.DEAD_LETTERS, 1, last=20)
    assert any(b"programme-not-known-in-time" in (record.value or b"") for record in records)
    await shards.post(member.shard)


# ----------------------------------------------------------------------------------- played again


async def book(participants: Participants) -> dict[str, int]:
    """How much there is of everything, without the minutes that tick."""
    counts = (
        "select (select count(*) from entries) as entries, (select count(*) from lots) as lots,"
        " (select count(*) from consumptions) as consumptions,"
        " (select coalesce(sum(remaining), 0) from lots) as remaining,"
        " (select count(*) from outcomes where name not like 'k.%') as outcomes"
    )
    found = dict((await participants.rows("ledger", counts))[0])
    told = await participants.operator.message_counts()
    async with httpx.AsyncClient(
        base_url=participants.cluster.url(plan.SIMULATOR), timeout=15.0
    ) as provider:
        received = (await provider.get("/counters")).json()["received"]
    decided = await participants.rows("fraud", "select count(*) as n from decisions")
    return found | {
        "messages": sum(told.values()),
        "received": received,
        "decided": decided[0]["n"],
    }


async def settled(participants: Participants) -> dict[str, int]:
    """The book once nothing moves any more."""
    await driver.drained(participants.cluster, wait_s=120.0)

    async def under_way() -> int:
        counts = await participants.operator.message_counts()
        return sum(counts.get(s, 0) for s in ("waiting", "queued", "sending", "accepted", "sent"))

    await until(under_way, lambda n: n == 0)
    return await book(participants)


async def test_archived_transactions_played_again_change_nothing(
    participants: Participants, wire: Wire, shards: Shards
) -> None:
    await shards.all_post()
    before = await settled(participants)
    archive = await wire.read(topics.POS_TRANSACTIONS, participants.cluster.shards, last=60)
    assert len(archive) >= participants.cluster.shards

    await wire.producer.send(
        [
            outbox.Message(r.topic, r.partition, r.key or b"", r.value, (("replay", b"1"),))
            for r in archive
        ]
    )

    assert await settled(participants) == before


async def test_archived_transaction_nobody_knows_raises_an_alarm_and_posts_nothing(
    participants: Participants, wire: Wire
) -> None:
    till, member = (
        await participants.till(await participants.shop("grocer")),
        await participants.member(),
    )
    about = wires.sold(till, member)
    before = await settled(participants)

    await wire.put(topics.POS_TRANSACTIONS, member.shard, wires.submitted(about), ("replay", b"1"))

    async def alarms() -> bool:
        port = participants.cluster.inner_port("ledger")
        _, body = await asyncio.to_thread(processes.get, port, "/metrics")
        return b'peyvand_alarms_total{alarm="replayed-name-unknown"}' in body

    await until(alarms)
    assert await settled(participants) == before
    assert await participants.names_posted(till.terminal) == []


async def test_all_commands_played_again_into_the_live_ledger_change_nothing(
    participants: Participants, wire: Wire, shards: Shards
) -> None:
    before = await settled(participants)
    cluster = participants.cluster
    await asyncio.to_thread(processes.stop, cluster, "ledger")
    await participants.rows("ledger", "delete from stream_positions where consumer = 'ledger-road'")
    await participants.rows(
        "ledger", "update consumer_offsets set next = 0 where topic = 'ledger.commands'"
    )
    await asyncio.to_thread(processes.start, cluster, "ledger")
    await asyncio.to_thread(processes.wait_ready, cluster, ["ledger"])

    async def unread() -> int:
        rows = await participants.rows(
            "ledger", "select partition, next from consumer_offsets where topic='ledger.commands'"
        )
        ends = await wires.ends(cluster, topics.LEDGER_COMMANDS)
        return sum(ends[topics.LEDGER_COMMANDS.name, r["partition"]] - r["next"] for r in rows)

    await until(unread, lambda n: n == 0, wait_s=120.0)
    assert await settled(participants) == before
    await shards.all_post()
