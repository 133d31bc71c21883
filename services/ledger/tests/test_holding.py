"""Holds and dates in the database: placed, resolved once, read again, swept in bounded batches."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from contracts.value import CaptureHold, HoldValue, RedemptionTerms, VoidHold
from contracts.values import Unit
from kit.base.db import DataError
from ledger.book.errors import InvariantBroken
from ledger.log.domain import records
from ledger.posting import jobs, usecases
from ledger.posting.decide import commands
from ledger.posting.read import batch_read
from ledger.posting.store import reservations as storing
from ledger.posting.write import batch_write, reservations

from . import invariants, postgres
from .doors import Stopped
from .one_shard import ACCOUNT, BAKER, GROCER, award
from .test_jobs import events, said
from .value_examples import ValueExamples


@pytest.fixture
def one_shard():
    return ValueExamples()


class Counter:
    """A shard whose commands go to the database, one batch each; holds what each outcome said."""

    def __init__(self, one_shard, database, shard):
        self.one_shard, self.database, self.shard = one_shard, database, shard
        self.one_shard.shard = shard

    async def post(self, *decisions):
        """The batch of the last commands told; gives (status, code) of each."""
        told = self.one_shard.told[-len(decisions) :]
        heard = await postgres.post(self.database, postgres.events(self.shard, told))
        assert [(o.status, o.code) for o in postgres.outcomes(heard)] == [
            (d.status, d.code) for d in decisions
        ]

    async def table(self, name):
        return (await postgres.tables(self.database, self.shard))[name]


@pytest.fixture
def counter(one_shard, database, shard):
    return Counter(one_shard, database, shard)


async def test_a_hold_is_placed_captured_and_its_capture_refunded_batch_by_batch(counter):
    one_shard = counter.one_shard
    await counter.post(
        one_shard.buy(award(100), award(7, unit=Unit.MERCHANT_POINTS, issuer=GROCER))
    )
    hold = one_shard.hold(points=80, merchant_points=7)
    await counter.post(hold)
    assert [row[5:8] for row in await counter.table("lots")] == [(100, 10_000, 80), (7, 700, 7)]
    captured = one_shard.capture(hold, points=60, merchant_points=7, worth_rial=6_700)
    await counter.post(captured)
    row = (await counter.table("holds"))[0]
    assert row == (
        hold.sequence, ACCOUNT, hold.command.name, hold.command.body.due_at, [4096, 4097],
        [80, 7], "captured", captured.sequence,
    )  # fmt: skip
    assert [row[5:8] for row in await counter.table("lots")] == [(40, 4_000, 0), (0, 0, 0)]
    await counter.post(one_shard.void(hold))
    back = one_shard.hear(
        one_shard.transaction(
            "refund", GROCER, original=captured.command.name, account=0, amount_rial=0
        )
    )
    assert back.status.value == "completed"
    await counter.post(back)
    assert [row[5:8] for row in await counter.table("lots")] == [(100, 10_000, 0), (7, 700, 0)]
    await invariants.check_book(counter.database, counter.shard)


async def test_hold_capture_refund_and_second_void_in_one_batch_are_as_in_four(counter):
    one_shard = counter.one_shard
    await counter.post(one_shard.buy(award(100)))
    hold = one_shard.hold(points=80)
    captured = one_shard.capture(hold, points=60, worth_rial=6_000)
    refund = one_shard.transaction("refund", GROCER, original=captured.command.name, account=0)
    decisions = (
        hold,
        captured,
        one_shard.void(hold),
        one_shard.hear(replace(refund, amount_rial=3_000)),
    )
    await counter.post(*decisions)
    assert [row[5:8] for row in await counter.table("lots")] == [(70, 7_000, 0)]
    assert (await counter.table("holds"))[0][6:] == ("captured", captured.sequence)


@pytest.mark.parametrize("batches", [(2,), (1, 1)])
async def test_two_captures_race_in_one_and_in_neighbouring_batches(counter, batches):
    one_shard = counter.one_shard
    sold = one_shard.buy(award(100))
    hold = one_shard.hold(points=80)
    await counter.post(sold, hold)
    first = one_shard.envelope(
        CaptureHold(name="a.1.one", original=hold.command.name, spend=RedemptionTerms(points=50))
    )
    second = one_shard.envelope(VoidHold(name="a.1.two", original=hold.command.name))
    told, heard = [first, second], []
    for size in batches:
        piece, told = told[:size], told[size:]
        heard += await postgres.post(counter.database, postgres.events(counter.shard, piece))
    assert [o.code for o in postgres.outcomes(heard)] == ["", "hold-captured"]


async def test_dates_change_in_the_state_and_are_sealed_in_the_leaf(counter):
    one_shard = counter.one_shard
    ends = one_shard.at + timedelta(days=1)
    issued = one_shard.issue(5, pending_event="x", expires_at=ends, sliding_days=3)
    await counter.post(issued)
    assert [row[15:17] for row in await counter.table("lots")] == [(None, ends)]
    renewed = one_shard.buy()
    await counter.post(renewed)
    arrived = one_shard.arrives(issued)
    await counter.post(arrived)
    lot = issued.opened[0].lot
    later = renewed.dates[0][2]
    assert later > ends
    assert [row[15:17] for row in await counter.table("lots")] == [(arrived.decided_at, later)]
    extended = one_shard.extend(lot, None)
    await counter.post(extended)
    assert [dates for *_, dates in await counter.table("holds of leaves")] == [
        (), [(lot, None, later)], [(lot, arrived.decided_at, later)],
        [(lot, arrived.decided_at, None)],
    ]  # fmt: skip


async def test_an_empty_lot_can_be_extended(counter):
    one_shard = counter.one_shard
    sold = one_shard.buy(award(5, expires_at=one_shard.at + timedelta(days=1)))
    await counter.post(sold)
    await counter.post(one_shard.spend(5))
    lot, later = sold.opened[0].lot, one_shard.at + timedelta(days=9)
    await counter.post(one_shard.extend(lot, later))
    starts = sold.opened[0].available_from
    assert [(*row[5:8], row[9], *row[15:17]) for row in await counter.table("lots")] == [
        (0, 0, 0, False, starts, later)
    ]
    assert (await counter.table("holds of leaves"))[-1][2] == [(lot, starts, later)]


async def test_due_holds_are_swept_in_bounded_batches_and_named_once(empty, one_shard):
    one_shard.shard = 2
    told = [one_shard.buy(award(100))] + [one_shard.hold(points=10, hours=n) for n in (1, 2, 3)]
    await postgres.post(empty, postgres.events(2, one_shard.told))
    stopped = Stopped(told[1].command.body.due_at - timedelta(seconds=1))
    sweeper = jobs.Sweeper(empty, stopped, 4, usecases.sweep_due_holds)
    await sweeper.run()
    assert await said(empty) == []
    stopped.at = told[2].command.body.due_at
    await sweeper.run()
    found = await said(empty)
    assert [e.data.name for _, e in found] == [f"d.{hold.sequence}" for hold in told[1:3]]
    await sweeper.run()
    assert await said(empty) == []
    heard = await postgres.post(empty, events(2, found))
    assert [o.code for o in postgres.outcomes(heard)] == ["", "nothing-left"]
    rows = (await postgres.tables(empty, 2))["holds"]
    assert [row[6] for row in rows] == ["due", "due", ""]
    async with empty.read() as tx:
        after = [(2, told[0].decided_at, 0)]
        assert await storing.list_due(tx, after, now=stopped.at, limit=1) == []
        later = stopped.at + timedelta(days=1)
        assert len(await storing.list_due(tx, after, now=later, limit=9)) == 1


async def test_a_hold_is_resolved_once_whatever_the_writer_believes(counter, database):
    one_shard = counter.one_shard
    await counter.post(one_shard.buy(award(100)))
    placed = one_shard.hold(points=10)
    await counter.post(placed)
    shard, void = (
        counter.shard,
        one_shard.envelope(VoidHold(name="v", original=placed.command.name)),
    )
    command = records.command_of(shard, b"", void)
    with pytest.raises(InvariantBroken, match="resolved before"):
        async with database.transaction() as tx:
            reading = await batch_read.read(tx, [command])
            decision = commands.decide_one(reading.book, command).decision
            assert decision is not None
            rows = [(shard, placed.sequence, "due", 9)]
            assert await storing.resolve_holds(tx, rows) == 1
            await batch_write.write(tx, reading, [decision])
    row = (await counter.table("holds"))[0]
    assert row[6:] == ("", None)


async def test_a_book_whose_lots_hold_something_else_is_not_written(counter, database):
    one_shard = counter.one_shard
    await counter.post(one_shard.buy(award(100)))
    shard = counter.shard
    body = HoldValue(
        name="h", account=ACCOUNT, member=1, acceptor=BAKER, merchant=BAKER, points=5,
        due_at=one_shard.at + timedelta(days=1),
    )  # fmt: skip
    command = records.command_of(shard, b"", one_shard.envelope(body))
    async with database.transaction() as tx:
        reading = await batch_read.read(tx, [command])
        decision = commands.decide_one(reading.book, command).decision
        assert decision is not None
        reservations.check(reading.book, [decision])
        reading.book.member(shard, ACCOUNT).holds = {}
        with pytest.raises(InvariantBroken, match="do not hold"):
            reservations.check(reading.book, [decision])


@pytest.mark.parametrize(
    "statement",
    [
        "update lots set held = remaining + 1 where shard = $1",
        "update holds set resolution = 'voided' where shard = $1",
    ],
)
async def test_the_database_refuses_what_no_hold_can_be(counter, database, statement):
    one_shard = counter.one_shard
    await counter.post(one_shard.buy(award(100)))
    await counter.post(one_shard.hold(points=5))
    with pytest.raises(DataError):
        async with database.transaction() as tx:
            await tx.execute(statement, counter.shard)


def test_how_a_hold_ended_follows_from_what_was_said_of_its_parts():
    assert reservations.resolution(["released", "captured"]) == "captured"
    assert reservations.resolution(["due", "due"]) == "due"
    assert reservations.resolution(["released"]) == "voided"
