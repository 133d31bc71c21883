"""Faults under load: what is killed comes back, and nothing is lost, doubled or answered anew.

Runs after the stories, since it breaks the platform on purpose, and leaves it whole.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
import pytest_asyncio
import zstandard

from cluster import plan, processes
from lab.observe import driver, recompute
from verifier import leaves

from .load import Asked, Load
from .participants import Participants, until
from .shards import Shards

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

ON_THE_ROAD = ("fraud", "campaigns", "ledger")
BESIDE = ("members", "merchants", "notify")
BROKER_S, CONSUMER_S, POSTGRES_S = 15.0, 15.0, 3.0  # platform reference 15, on two cores
AGAIN_MAX = 200


def allowance() -> float:
    """How much longer everything takes while others keep the machine busy; 1 when they do not."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def load(participants: Participants) -> AsyncIterator[Load]:
    """Tills at work during every test of this module that asks for them."""
    load = await Load.open(participants)
    load.start()
    yield load
    await load.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def after(load: Load, cluster: plan.Cluster) -> Load:
    """The load once it is over: every till has its answers, and the road is empty."""
    await load.stop()
    await driver.drained(cluster, wait_s=120.0)
    return load


async def recovers(
    load: Load, shards: Shards, break_it: Callable[[], None], *, within_s: float
) -> None:
    """Break something under load: soon every shard posts again."""
    before = len(load.answered)

    async def more() -> int:
        return len(load.answered) - before

    await until(more, lambda n: n >= 20, step_s=0.02)  # it is under load now
    began = time.monotonic()
    await asyncio.to_thread(break_it)
    await shards.all_post()
    took = time.monotonic() - began
    bound = within_s * allowance()
    assert took < bound, f"{took:.1f} s, of {bound:.1f}"


@pytest.mark.parametrize("room", ON_THE_ROAD)
async def test_a_stage_that_is_killed_goes_on_where_it_was(
    load: Load, shards: Shards, cluster: plan.Cluster, room: str
) -> None:
    def crash() -> None:
        processes.kill(cluster, room)
        processes.start(cluster, room)

    await recovers(load, shards, crash, within_s=CONSUMER_S)


async def test_a_gateway_that_is_killed_comes_back(
    load: Load, shards: Shards, cluster: plan.Cluster
) -> None:
    def crash() -> None:
        processes.kill(cluster, plan.GATEWAY)
        processes.start(cluster, plan.GATEWAY)

    await recovers(load, shards, crash, within_s=CONSUMER_S)


@pytest.mark.parametrize("room", BESIDE)
async def test_a_room_beside_the_road_that_is_killed_stops_nobody(
    load: Load, shards: Shards, cluster: plan.Cluster, room: str
) -> None:
    await recovers(load, shards, lambda: processes.kill(cluster, room), within_s=CONSUMER_S)
    await asyncio.to_thread(processes.start, cluster, room)
    await asyncio.to_thread(processes.wait_ready, cluster, [room])


async def test_a_broker_that_is_killed_comes_back(
    load: Load, shards: Shards, cluster: plan.Cluster
) -> None:
    def crash() -> None:
        cluster.servers.kill_kafka()
        cluster.servers.launch_kafka()

    await recovers(load, shards, crash, within_s=BROKER_S)


async def test_a_database_that_is_killed_comes_back(
    load: Load, shards: Shards, cluster: plan.Cluster
) -> None:
    def crash() -> None:
        cluster.servers.kill_postgres()
        cluster.servers.start_postgres()
        nonlocal up_at
        up_at = time.monotonic()

    up_at = 0.0
    await recovers(load, shards, crash, within_s=CONSUMER_S)
    took = time.monotonic() - up_at
    assert took < POSTGRES_S * allowance(), f"{took:.1f} s after it was up"


async def test_a_broker_that_hangs_is_waited_for(
    load: Load, shards: Shards, cluster: plan.Cluster
) -> None:
    def hang() -> None:
        cluster.servers.pause_kafka()
        time.sleep(4.0)
        cluster.servers.resume_kafka()

    await recovers(load, shards, hang, within_s=30.0)


async def test_everything_drains_after_the_faults(after: Load, cluster: plan.Cluster) -> None:
    seen = await asyncio.to_thread(processes.look, cluster)
    assert {one.state for one in seen} == {processes.State.READY}
    assert len(after.answered) > 300


# ----------------------------------------------------------------------------------- afterwards


async def leaves_of(participants: Participants) -> list[leaves.Leaf]:
    """Every leaf of the book, read as an outside auditor reads it."""
    rows = await participants.rows("ledger", "select packed from leaves order by shard, first")
    unpack = zstandard.ZstdDecompressor().decompress
    return [leaf for row in rows for leaf in _cut(unpack(row["packed"]))]


def _cut(raw: bytes) -> Iterator[leaves.Leaf]:
    place = 0
    while place < len(raw):
        end = place + 4 + int.from_bytes(raw[place : place + 4], "big")
        yield leaves.from_bytes(raw[place + 4 : end])
        place = end


async def test_every_till_was_answered_and_none_was_answered_differently(after: Load) -> None:
    assert not [one.failure for one in after.asked.values() if one.failure]
    assert not [name for name, one in after.asked.items() if not one.first]
    assert not [name for name, one in after.asked.items() if one.differently]


async def test_no_acknowledged_transaction_is_lost(after: Load, participants: Participants) -> None:
    """The book holds, for each name, the very bytes that its till heard first."""
    kept = {
        name: leaf.head[-2]  # the answer
        for leaf in await leaves_of(participants)
        for name, _ in leaf.rows["names"]
    }
    assert not {_text(one) for one in after.answered} - kept.keys()
    assert not [n for n, one in after.asked.items() if kept[_text(one)] != one.first]


async def test_every_retry_gets_the_one_answer_byte_for_byte(after: Load) -> None:
    some = after.answered[:: -(-len(after.answered) // AGAIN_MAX)]
    room = asyncio.Semaphore(8)

    async def again(one: Asked) -> None:
        async with room:
            await after.again(one)

    async with asyncio.TaskGroup() as group:
        for one in some:
            group.create_task(again(one))
    assert not [one.request.name for one in some if one.differently or one.failure]


async def test_nothing_posts_twice(
    after: Load, cluster: plan.Cluster, participants: Participants
) -> None:
    books = await recompute.books(cluster.servers.dsn("ledger", "ledger_owner"))
    assert set(books.sum_by_unit.values()) == {0}
    assert (books.accounts_off, books.lots_off) == (0, 0)
    assert sum(books.positions.values()) == 0
    names = await participants.rows(
        "ledger", "select count(distinct (shard, name)) as n from outcomes"
    )
    assert names[0]["n"] >= books.outcomes

    async def beyond_the_topic() -> int:
        """Outcomes that no command on the topic accounts for, and the other way round."""
        heard = await recompute.topic_counts(cluster.servers.bootstrap, shards=cluster.shards)
        rows = await participants.rows("ledger", "select count(*) as n from outcomes")
        return rows[0]["n"] - heard.commands

    await until(beyond_the_topic, lambda n: n == 0)  # a minute may tick between the two


async def test_sequences_are_gapless(after: Load, participants: Participants) -> None:
    rows = await participants.rows(
        "ledger",
        "select s.shard, s.last_sequence, coalesce(sum(b.count), 0) as leaves,"
        " coalesce(max(b.first + b.count) - 1, 0) as highest"
        " from shards s left join leaves b using (shard) group by s.shard, s.last_sequence",
    )
    assert len(rows) == participants.cluster.shards
    assert not [r for r in rows if not r["last_sequence"] == r["leaves"] == r["highest"]]


async def test_outboxes_are_empty_when_quiet(after: Load, participants: Participants) -> None:
    for room in plan.WITH_DATABASE:

        async def unsent(room: str = room) -> int:
            rows = await participants.rows(
                room,
                "select (select count(*) from outbox_messages)"
                " + (select count(*) from outbox_batches) as n",
            )
            return rows[0]["n"]

        await until(unsent, lambda n: n == 0)


async def test_no_member_is_told_twice(
    after: Load, cluster: plan.Cluster, participants: Participants
) -> None:
    async def under_way() -> int:
        counts = await participants.operator.message_counts()
        return sum(counts.get(s, 0) for s in ("waiting", "queued", "sending", "accepted", "sent"))

    await until(under_way, lambda n: n == 0)
    async with httpx.AsyncClient(base_url=cluster.url(plan.SIMULATOR), timeout=15.0) as provider:
        counters = (await provider.get("/counters")).json()
    assert counters["duplicates"] == 0
    assert counters["delivered"] > 0


async def test_every_shard_still_posts(after: Load, shards: Shards) -> None:
    await shards.all_post()


def _text(one: Asked) -> str:
    return f"t.{one.request.terminal}.{one.request.epoch}.{one.request.sequence}"
