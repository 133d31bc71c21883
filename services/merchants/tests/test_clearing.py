"""Clearing: windows are cut once and in order, counted exactly, and closed by their last marker."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.ledger import COMMANDS, Outcome
from contracts.value import CloseWindow
from contracts.values import NETWORK_PARTY as NETWORK
from kit.base import db, errors
from kit.base.db import Database, Tx
from kit.stream import outbox
from merchants.clearing import consumer, jobs, usecases
from merchants.clearing.domain.positions import Position
from merchants.clearing.domain.windows import SCHEDULE, StillClosing
from merchants.clearing.store import windows as window_store
from merchants.statements import usecases as statements

from .conftest import SHARDS
from .ledger_outcomes import (
    BAKER,
    FLORIST,
    GROCER,
    NOW,
    event,
    marker,
    outcome,
    paid,
    payment,
    redemption,
    refund,
)

DAY = timedelta(days=1)
Batch = Sequence[tuple[int, Outcome]]
SALES: Batch = (  # two shards, three parties
    (0, outcome(1, redemption(BAKER, GROCER, 10_000, 150))),
    (0, outcome(2)),
    (0, outcome(3, redemption(GROCER, BAKER, 3_000, 45))),
    (1, outcome(1, redemption(BAKER, GROCER, 2_000, 30))),
    (1, outcome(2, redemption(FLORIST, BAKER, 7_000, 105))),
)
ENDS = {0: 4, 1: 3, 2: 1}  # where the first marker stands on each shard


async def hear(tx: Tx, batch: Batch) -> None:
    """Hand the part a batch, twice."""
    for _ in range(2):
        await consumer.on_ledger_entries(tx, [event(shard, one) for shard, one in batch])


async def commit(pool: Database, batch: Batch) -> None:
    async with pool.transaction() as tx:
        await hear(tx, batch)


def markers(window: int, ends: dict[int, int]) -> Batch:
    return [(shard, marker(sequence, window)) for shard, sequence in ends.items()]


async def cut(tx: Tx, window: int) -> bool:
    return await usecases.cut_window(tx, window, by="sara", now=NOW, shards=SHARDS)


def sent(tx: Tx) -> list[tuple[int | None, CloseWindow]]:
    """Shard and body of each command of this transaction; they are taken from it."""
    return [
        (one.partition, envelope.decode(one.value or b"", COMMANDS).data)
        for one in tx.take_messages()
        if one.topic == topics.LEDGER_COMMANDS.name
    ]


async def state(tx: Tx, window: int) -> str:
    return (await usecases.get_window(tx, window)).window.state.value


async def positions(tx: Tx, window: int) -> dict[int, Position]:
    listed = await usecases.list_positions(tx, window, after=0, limit=200)
    return {one.party: one for one in listed}


# ------------------------------------------------------------------------------------ one window


@pytest.mark.SH14
async def test_a_window_is_closed_once_every_shard_has_passed_its_marker(tx: Tx) -> None:
    await hear(tx, SALES)
    assert await cut(tx, 1)
    assert not await cut(tx, 1)
    assert [(shard, body.name, body.window) for shard, body in sent(tx)] == [
        (shard, "w.1", 1) for shard in range(SHARDS)
    ]
    for shard, sequence in ENDS.items():
        assert (await state(tx, 1), await state(tx, 2)) == ("closing", "open")
        await hear(tx, [(shard, marker(sequence, 1))])
    assert await state(tx, 1) == "closed"
    assert {party: one.position_rial for party, one in (await positions(tx, 1)).items()} == {
        NETWORK: 330,
        BAKER: 3_000 + 7_000 - 12_000 - 45 - 105,
        GROCER: 12_000 - 3_000 - 180,
        FLORIST: -7_000,
    }
    assert sent(tx) == []


async def test_sums_are_exact_and_of_the_window_alone(tx: Tx) -> None:
    await hear(tx, SALES)
    before = (await _opened(tx)).sums
    await cut(tx, 1)
    await hear(tx, [(0, marker(4, 1)), (0, outcome(5, redemption(BAKER, GROCER, 1, 0)))])
    await hear(tx, [(1, marker(3, 1)), (2, marker(1, 1))])
    report = await usecases.get_window(tx, 1)
    assert (before.claims_rial, report.sums.claims_rial) == (22_000, 22_000)
    assert (report.sums.outcomes_count, report.sums.entries_count) == (8, 8)
    assert (report.sums.fee_rial, report.sums.reversed_rial, report.sums.paid_rial) == (330, 0, 0)
    assert {m.shard: (m.first, m.last, m.outcomes_count) for m in report.markers} == {
        0: (1, 4, 4),
        1: (1, 3, 3),
        2: (1, 1, 1),
    }
    following = await usecases.get_window(tx, 2)
    assert (following.sums.claims_rial, following.sums.outcomes_count) == (1, 1)


async def _opened(tx: Tx) -> usecases.WindowReport:
    return await usecases.preview_cut(tx, 1, now=NOW)


@pytest.mark.SH14
async def test_a_refund_of_a_settled_sale_is_the_acceptors_debt_in_the_next_window(tx: Tx) -> None:
    """N18: issuer paid 10,000, fee 150; the refund turns both round, and positions sum to zero."""
    await hear(tx, [(0, outcome(1, redemption(BAKER, GROCER, 10_000, 150)))])
    await cut(tx, 1)
    await hear(tx, markers(1, {0: 2, 1: 1, 2: 1}))
    settled = [
        (0, payment(3, paid(BAKER, GROCER, 10_000))),
        (0, payment(4, paid(GROCER, NETWORK, 150, fee_rial=150))),
        (0, outcome(5, refund(BAKER, GROCER, 10_000, 150))),
    ]
    await hear(tx, settled)
    await cut(tx, 2)
    await hear(tx, markers(2, {0: 6, 1: 2, 2: 2}))
    second = await positions(tx, 2)
    grocer = second[GROCER]
    assert (grocer.opening_rial, grocer.paid_rial, grocer.fee_rial) == (9_850, 9_850, -150)
    assert (grocer.position_rial, grocer.closing_rial) == (-9_850, -9_850)
    assert (second[BAKER].closing_rial, second[NETWORK].closing_rial) == (10_000, -150)
    assert sum(one.position_rial for one in second.values()) == 0


async def test_what_is_unpaid_is_the_opening_of_the_next_window(tx: Tx) -> None:
    await hear(tx, SALES)
    for number, ends in enumerate((ENDS, {0: 5, 1: 4, 2: 2}, {0: 6, 1: 5, 2: 3}), 1):
        await cut(tx, number)
        await hear(tx, markers(number, ends))
    first, third = await positions(tx, 1), await positions(tx, 3)
    assert {p: one.closing_rial for p, one in first.items()} == {
        p: one.opening_rial for p, one in third.items()
    }
    assert all(one.position_rial == 0 for one in third.values())


# ----------------------------------------------------------------------------------- their order


async def test_no_window_is_cut_before_the_one_before_is_closed(tx: Tx) -> None:
    await cut(tx, 1)
    with pytest.raises(StillClosing):
        await cut(tx, 2)
    await hear(tx, markers(1, {0: 1, 1: 1, 2: 1}))
    assert await cut(tx, 2)


async def test_a_shard_that_declines_leaves_the_window_closing_and_says_why(tx: Tx) -> None:
    await cut(tx, 1)
    await hear(tx, [(0, marker(1, 1)), (1, marker(1, 1)), (2, marker(1, 1, declined=True))])
    report = await usecases.get_window(tx, 1)
    assert (report.window.state.value, report.answer.code) == ("closing", "not-the-next-window")
    assert report.answer.fa


async def test_markers_that_came_before_the_cut_close_it_at_once(tx: Tx) -> None:
    """A restored database reads on from an earlier offset: the ledger had closed these."""
    await hear(tx, [*SALES, *markers(1, ENDS), *markers(2, {0: 5, 1: 4, 2: 2})])
    await cut(tx, 1)
    assert await state(tx, 1) == "closed"
    await cut(tx, 2)
    assert await state(tx, 2) == "closed"
    assert await state(tx, 3) == "open"


async def test_a_shard_that_is_added_later_takes_part_from_the_open_window_on(tx: Tx) -> None:
    await cut(tx, 1)
    await hear(tx, markers(1, {0: 1, 1: 1, 2: 1}))
    sent(tx)
    added = [(3, outcome(1, redemption(BAKER, GROCER, 500, 5)))]
    await hear(tx, added)
    await usecases.cut_window(tx, 2, by="sara", now=NOW, shards=SHARDS + 1)
    assert [(shard, body.name) for shard, body in sent(tx)] == [
        (0, "w.2"),
        (1, "w.2"),
        (2, "w.2"),
        (3, "w.1"),
        (3, "w.2"),
    ]
    await hear(tx, [*markers(2, {0: 2, 1: 2, 2: 2}), (3, marker(2, 1)), (3, marker(3, 2))])
    assert (await positions(tx, 2))[GROCER].closing_rial == 495
    assert await statements.reconcile(tx, 2) == []


async def test_two_windows_in_one_batch_close_in_their_order(tx: Tx) -> None:
    await cut(tx, 1)
    await hear(tx, [(0, marker(1, 1)), (1, marker(1, 1))])
    late = [(2, marker(1, 1)), (0, outcome(2, redemption(BAKER, GROCER, 500, 5)))]
    await hear(tx, late)
    await cut(tx, 2)
    await hear(tx, markers(2, {0: 3, 1: 2, 2: 2}))
    assert (await positions(tx, 2))[GROCER].closing_rial == 495


async def test_the_later_of_two_writers_has_both_markers(pool: Database, door: Any) -> None:
    """Two processes hear the last markers at one time: the second waits, and closes the window."""
    async with pool.transaction() as tx:
        await cut(tx, 1)
    async with pool.transaction() as earlier:
        await hear(earlier, [(0, marker(1, 1)), (1, marker(1, 1))])
        later = asyncio.ensure_future(commit(pool, [(2, marker(1, 1))]))
        waits = "select exists (select from pg_locks where not granted)"
        while not await earlier.fetchval(waits):  # noqa: ASYNC110 - a lock of the database's
            await asyncio.sleep(0.01)
    await later
    async with pool.read() as tx:
        assert await state(tx, 1) == "closed"


async def test_two_who_cut_at_one_time_cut_once(pool: Database, door: Any) -> None:
    answers = await asyncio.gather(*(door("PUT", "/v1/windows/1", {}) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {202}
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 100)
    assert len(messages) == SHARDS


@pytest.mark.SH14
async def test_many_windows_come_to_what_all_entries_come_to(tx: Tx) -> None:
    """Forty windows, cut anywhere between batches that come twice and overlap: nothing is lost.

    What is unpaid after the last is what every payable of the book comes to, worked out plainly.
    """
    random = Random(20261130)
    sequences, balance, claims = [0] * SHARDS, dict[int, int](), 0
    for window in range(1, 41):
        batch: list[tuple[int, Outcome]] = []
        for _ in range(random.randrange(12)):
            shard = random.randrange(SHARDS)
            sequences[shard] += 1
            issuer, acceptor = random.sample((NETWORK, BAKER, GROCER, FLORIST), 2)
            rials = random.randrange(1, 10**6)
            back, fee_rial = random.random() < 0.3, rials // 100
            booked = (refund if back else redemption)(issuer, acceptor, rials, fee_rial)
            batch.append((shard, outcome(sequences[shard], booked)))
            sign = -1 if back else 1
            claims += 0 if back else rials
            for party, change in (
                (issuer, -rials), (acceptor, rials - fee_rial), (NETWORK, fee_rial),
            ):  # fmt: skip
                balance[party] = balance.get(party, 0) + sign * change
        cut_after = random.randrange(len(batch) + 1)
        await hear(tx, batch[:cut_after])
        await cut(tx, window)
        await hear(tx, batch)  # some of it for the second or third time, before the markers
        for shard in random.sample(range(SHARDS), SHARDS):
            sequences[shard] += 1
            await hear(tx, [(shard, marker(sequences[shard], window))])
    last = await positions(tx, 40)
    assert {p: one.closing_rial for p, one in last.items() if one.closing_rial} == {
        party: rials for party, rials in balance.items() if rials
    }
    reports = await usecases.list_windows(tx, before=41, limit=200)
    assert sum(report.sums.claims_rial for report in reports) == claims
    assert sum(report.sums.outcomes_count for report in reports) == sum(sequences)
    for report in reports:
        assert await statements.reconcile(tx, report.window.window) == []


# ------------------------------------------------------------------------------------ by the clock


async def test_the_schedule_cuts_at_the_end_of_tehrans_day(tx: Tx) -> None:
    midnight = NOW.replace(hour=20, minute=30)
    for now in (NOW, midnight - timedelta(seconds=1)):
        await usecases.cut_due_window(tx, now=now, cut_minute=0, shards=SHARDS)
        assert sent(tx) == []
    await usecases.cut_due_window(tx, now=midnight, cut_minute=0, shards=SHARDS)
    assert len(sent(tx)) == SHARDS
    assert (await usecases.get_window(tx, 1)).window.cut_by == SCHEDULE
    for now in (midnight, midnight + DAY, midnight + 2 * DAY):  # the one before is not closed yet
        await usecases.cut_due_window(tx, now=now, cut_minute=0, shards=SHARDS)
    assert sent(tx) == []
    await hear(tx, markers(1, {0: 1, 1: 1, 2: 1}))
    await usecases.cut_due_window(tx, now=midnight + 2 * DAY, cut_minute=0, shards=SHARDS)
    assert len(sent(tx)) == SHARDS  # one window for all the time it waited
    await usecases.cut_due_window(tx, now=midnight + 2 * DAY, cut_minute=0, shards=SHARDS)
    assert sent(tx) == []


async def test_without_a_time_of_day_windows_are_cut_by_hand_alone(tx: Tx) -> None:
    for now in (NOW, NOW + 400 * DAY):
        await usecases.cut_due_window(tx, now=now, cut_minute=None, shards=SHARDS)
    assert sent(tx) == []
    assert await state(tx, 1) == "open"


async def test_the_job_cuts_what_is_due(pool: Database, at: Any, door: Any) -> None:
    for now in (NOW, NOW + DAY):
        at.at = now
        await jobs.cut_due_window(pool, at, cut_minute=0, shards=SHARDS)
    async with pool.transaction() as taken:
        messages, _ = await outbox.take_messages(taken, 100)
    names = [one.topic for one in messages]
    assert names == [topics.LEDGER_COMMANDS.name] * SHARDS


# ------------------------------------------------------------------------------------- invariants


async def test_the_database_refuses_positions_that_do_not_sum_to_zero(tx: Tx) -> None:
    await cut(tx, 1)
    lopsided = [Position(party=BAKER, claims_rial=5), Position(party=GROCER, dues_rial=4)]
    with pytest.raises(db.DataError, match="sum to zero"):
        await window_store.insert_positions(tx, 1, lopsided)


async def test_the_service_can_neither_change_nor_forget_what_it_counted(pool: Database) -> None:
    for statement in (
        "delete from clearing_entries",
        "update clearing_entries set claim_rial = 0",
        "update clearing_positions set opening_rial = 0",
        "delete from clearing_positions",
        "update clearing_markers set last_sequence = 0",
        "delete from clearing_pairs",
        "delete from clearing_windows",
    ):
        with pytest.raises(errors.Alarm, match="permission denied"):
            async with pool.transaction() as refused:
                await refused.execute(statement)


async def test_sums_may_outgrow_the_largest_integer_of_the_database(tx: Tx) -> None:
    """1,100 claims of 2^53 - 1 Rial are more than 2^63, and read as they are."""
    claim = 2**53 - 1
    batch = [(0, outcome(n, redemption(BAKER, GROCER, claim, 0))) for n in range(1, 1_101)]
    await hear(tx, batch)
    await cut(tx, 1)
    await hear(tx, markers(1, {0: 1_101, 1: 1, 2: 1}))
    assert (await positions(tx, 1))[GROCER].closing_rial == 1_100 * claim > 2**63
    assert (await usecases.get_window(tx, 1)).sums.claims_rial == 1_100 * claim
