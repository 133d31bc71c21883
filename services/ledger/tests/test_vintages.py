"""Vintages: a table by hand, a gift between shards, and the ledger's own book told both ways."""

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts import envelope as envelopes
from contracts.values import Unit
from kit.base.errors import Invalid
from ledger.book import jalali
from ledger.book.errors import InvariantBroken
from ledger.book.facts import LOTS_PER_COMMAND_MAX, LotMovementKind, Role
from ledger.book.jalali import Month
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState
from ledger.query.domain import issue_cohorts
from ledger.query.domain.issue_cohorts import Figures, LotRow, MovementRow, Part, Sum

from . import generators
from .oracle import SecondModel

NP, CR = Unit.NETWORK_POINTS, Unit.CREDIT
ESFAND = datetime(2026, 3, 20, 20, 29, 59, 999_999, tzinfo=UTC)  # last microsecond of 1404
FARVARDIN = ESFAND + timedelta(microseconds=1)
SHARD = 3


def number(sequence, ordinal=0):
    return sequence * LOTS_PER_COMMAND_MAX + ordinal


def lot(sequence, amount, *, born=FARVARDIN, issuer=7, unit=NP, shard=0, parent=0, price=10):
    return LotRow(
        shard, number(sequence), issuer, unit, born, amount, amount * price, number(parent)
    )


def moved(sequence, of, part, amount, *, shard=0, price=10):
    return MovementRow(shard, sequence, number(of), part, amount, amount * price)


# -------------------------------------------------------------------------------------------- table


BOOK = (
    [lot(1, 100, born=ESFAND), lot(2, 80), lot(3, 50, issuer=8), lot(4, 9, unit=CR, price=1)],
    [
        moved(5, 1, Part.REDEEMED, 60), moved(5, 2, Part.REDEEMED, 20),
        moved(6, 1, Part.RESTORED, 15),
        moved(7, 2, Part.REVERSED, 30),
        moved(8, 1, Part.EXPIRED, 55),
        moved(9, 3, Part.SENT, 10),
    ],
)  # fmt: skip


def test_vintages_as_an_accountant_writes_them():
    told = issue_cohorts.vintages(*BOOK, as_of={0: 9})
    assert [(v.issuer, v.unit, str(v.month)) for v in told] == [
        (7, CR, "1405-01"), (7, NP, "1404-12"), (7, NP, "1405-01"), (8, NP, "1405-01"),
    ]  # fmt: skip
    assert [v.amount for v in told] == [
        Figures(issued=9, outstanding=9),
        Figures(issued=100, redeemed=60, restored=15, expired=55),
        Figures(issued=80, redeemed=20, reversed=30, outstanding=30),
        Figures(issued=50, in_transit=10, outstanding=40),
    ]
    assert told[2].cost_rial == Figures(issued=800, redeemed=200, reversed=300, outstanding=300)
    assert (told[1].amount.redeemed_net, told[2].amount.issued_net) == (45, 50)


@pytest.mark.parametrize(("last", "figures"), [
    (0, None),
    (1, Figures(issued=100, outstanding=100)),
    (4, Figures(issued=100, outstanding=100)),
    (5, Figures(issued=100, redeemed=60, outstanding=40)),
    (6, Figures(issued=100, redeemed=60, restored=15, outstanding=55)),
    (8, Figures(issued=100, redeemed=60, restored=15, expired=55)),
])  # fmt: skip
def test_the_same_vintage_as_of_earlier_numbers(last, figures):
    told = {(v.unit, v.month): v.amount for v in issue_cohorts.vintages(*BOOK, as_of={0: last})}
    assert told.get((NP, Month(1404, 12))) == figures


def test_the_order_of_rows_does_not_matter():
    lots, rows = list(BOOK[0]), list(BOOK[1])
    told = issue_cohorts.vintages(lots, rows, as_of={0: 9})
    for seed in range(5):
        random.Random(seed).shuffle(lots)
        random.Random(seed).shuffle(rows)
        assert issue_cohorts.vintages(lots, rows, as_of={0: 9}) == told


def test_a_restore_past_the_date_fills_a_child_of_the_same_vintage():
    lots = [lot(1, 100, born=ESFAND), lot(5, 40, born=ESFAND, parent=1)]
    rows = [moved(2, 1, Part.REDEEMED, 70), moved(3, 1, Part.EXPIRED, 30),
            moved(5, 5, Part.RESTORED, 40), moved(6, 5, Part.REDEEMED, 25)]  # fmt: skip
    (only,) = issue_cohorts.vintages(lots, rows, as_of={0: 6})
    assert only.amount == Figures(issued=100, redeemed=95, restored=40, expired=30, outstanding=15)
    (before,) = issue_cohorts.vintages(lots, rows, as_of={0: 4})
    assert before.amount == Figures(issued=100, redeemed=70, expired=30)


# ------------------------------------------------------------------------------------------ transit

GIFT = (
    [lot(1, 100, born=ESFAND, shard=0), lot(4, 30, born=ESFAND, shard=1, parent=1)],
    [moved(2, 1, Part.SENT, 30, shard=0), moved(4, 4, Part.ARRIVED, 30, shard=1),
     moved(5, 4, Part.REDEEMED, 12, shard=1)],
)  # fmt: skip


@pytest.mark.parametrize(("as_of", "in_transit", "redeemed", "outstanding"), [
    ({0: 1, 1: 0}, 0, 0, 100),
    ({0: 2, 1: 3}, 30, 0, 70),
    ({0: 2, 1: 4}, 0, 0, 100),
    ({0: 2, 1: 5}, 0, 12, 88),
])  # fmt: skip
def test_a_gift_keeps_its_vintage_from_shard_to_shard(as_of, in_transit, redeemed, outstanding):
    (only,) = issue_cohorts.vintages(*GIFT, as_of=as_of)
    assert only.month == (1404, 12)
    assert only.amount == Figures(
        issued=100, redeemed=redeemed, in_transit=in_transit, outstanding=outstanding
    )


def test_a_refused_gift_comes_back():
    lots = [lot(1, 100), lot(9, 30, parent=1)]
    rows = [moved(2, 1, Part.SENT, 30), moved(9, 9, Part.ARRIVED, 30)]
    (only,) = issue_cohorts.vintages(lots, rows, as_of={0: 9})
    assert only.amount == Figures(issued=100, outstanding=100)


def test_a_vector_that_cuts_a_gift_is_refused():
    with pytest.raises(Invalid, match="raise the sender's shard") as refused:
        issue_cohorts.vintages(*GIFT, as_of={0: 1, 1: 4})
    assert refused.value.code == "vector-cuts-a-transfer"


def test_a_vector_names_every_shard():
    with pytest.raises(Invalid, match="does not name shard 1") as refused:
        issue_cohorts.vintages(*GIFT, as_of={0: 9})
    assert refused.value.code == "vector-lacks-a-shard"


# -------------------------------------------------------------------------------------- wrong books


@pytest.mark.parametrize(("lots", "rows", "says"), [
    ([lot(1, 100), lot(1, 100)], [], "opened twice"),
    ([lot(1, 100)], [moved(2, 1, Part.REDEEMED, 101)], "below zero"),
    # the one lot's loss would hide in the other's gain
    ([lot(1, 100), lot(2, 100)], [moved(3, 1, Part.REDEEMED, 150)], "below zero"),
    ([lot(1, 100)], [moved(2, 9, Part.REDEEMED, 1)], "cannot be redeemed"),
    ([lot(5, 100)], [moved(2, 5, Part.REDEEMED, 1)], "cannot be redeemed"),
    ([lot(1, 100)], [moved(2, 1, Part.ISSUED, 1)], "cannot be issued"),
    ([lot(1, 100)], [moved(2, 1, Part.OUTSTANDING, 1)], "cannot be outstanding"),
    ([lot(1, 100)], [moved(2, 1, Part.RESTORED, 1)], "below zero"),
])  # fmt: skip
def test_rows_that_no_book_holds_are_refused(lots, rows, says):
    with pytest.raises(InvariantBroken, match=says):
        issue_cohorts.vintages(lots, rows, as_of={0: 4 if lots[0].lot == number(5) else 9})


@pytest.mark.parametrize("figures", [
    {"issued": 100, "outstanding": 99},
    {"issued": 100, "redeemed": 10, "outstanding": 100},
    {"issued": 100, "restored": 10, "outstanding": 110},
    {"issued": 10, "redeemed": 20, "outstanding": -10},
    {"issued": 10, "in_transit": -5, "outstanding": 15},
    {"issued": 10, "expired": -5, "outstanding": 15},
])  # fmt: skip
def test_figures_that_do_not_add_up_cannot_be_made(figures):
    with pytest.raises(InvariantBroken):
        Figures(**figures)


def test_sums_of_a_database_are_held_to_the_same():
    day = date(2026, 3, 21)
    sums = [Sum(7, NP, day, Part.ISSUED, 100, 900), Sum(7, NP, day, Part.REDEEMED, 40, 360),
            Sum(7, NP, day + timedelta(days=3), Part.ISSUED, 5, 50),
            Sum(7, NP, day, Part.OUTSTANDING, 60, 540),
            Sum(7, NP, day + timedelta(days=3), Part.OUTSTANDING, 5, 50)]  # fmt: skip
    (only,) = issue_cohorts.of_sums(sums)
    assert only.month == (1405, 1)
    assert only.amount == Figures(issued=105, redeemed=40, outstanding=65)
    assert only.cost_rial == Figures(issued=950, redeemed=360, outstanding=590)
    with pytest.raises(InvariantBroken):
        issue_cohorts.of_sums(sums[:-1])


# -------------------------------------------------------------------------------- the ledger's book

MONTHS = {Month(1405, month) for month in range(1, 4)}


class DecidedStory:
    """A story as the ledger decided it: rows as plain values, balances, lots after each number."""

    def __init__(self, seed, *, batches=16, size=15):
        model, book = SecondModel(SHARD), BatchState()
        owners = {}
        story = generators.Story(seed, lots=lambda: owners)
        self.lots, self.rows, self.after = [], [], {0: {}}
        self.seen = Counter()
        self.legs = {0: Counter()}
        state, legs = {}, Counter()
        for _ in range(batches):
            story.at += timedelta(days=5)  # so that lots are born in several months
            batch = story.batch(size)
            for envelope in batch:
                model.hear(envelope)
            owners = model.lot_owners()
            heard = [records.command_from(SHARD, envelopes.encode(e)) for e in batch]
            for decision in (r.decision for r in commands.decide(book, heard) if r.decision):
                self._keep(decision)
                state |= {it.lot: it for it in (*decision.opened, *decision.changed)}
                for leg in decision.legs:
                    key = leg.account
                    party = key.counterparty if key.role is Role.DEBT else key.owner
                    legs[key.role, key.unit, party] += leg.amount
                self.after[decision.sequence] = dict(state)
                self.legs[decision.sequence] = legs.copy()

    def _keep(self, decision):
        self.lots += [
            LotRow(SHARD, it.lot, it.issuer, it.unit, it.born_at, it.amount, it.cost_rial,
                   it.parent)
            for it in decision.opened
        ]  # fmt: skip
        for row in decision.rows:
            self.seen[row.kind] += 1
            self.rows.append(
                MovementRow(
                    SHARD, decision.sequence, row.lot, issue_cohorts.part_of(row.kind), row.amount,
                    row.cost_rial,
                )
            )  # fmt: skip


def test_vintages_agree_with_the_lots_and_accounts_of_the_book():
    """In stories that move lots of several months in every way."""
    seen = Counter()
    for seed in range(40):
        told = DecidedStory(seed)
        seen.update(told.seen)
        seen.update(agree_with_the_book(seed, told))
    elsewhere = {LotMovementKind.SENT, LotMovementKind.ARRIVED, LotMovementKind.EXCHANGED}
    assert set(seen) >= {*LotMovementKind, *MONTHS} - elsewhere


def agree_with_the_book(seed, told):
    """At some sequence numbers; gives the months that were seen."""
    months = Counter()
    last = max(told.after)
    for sequence in sorted({0, last // 3, last // 2, last}):
        made = issue_cohorts.vintages(told.lots, told.rows, as_of={SHARD: sequence})
        months.update(v.month for v in made)
        left = defaultdict(lambda: (0, 0))
        for it in told.after[sequence].values():
            key = (it.issuer, it.unit, jalali.month_of(it.born_at))
            left[key] = (left[key][0] + it.remaining, left[key][1] + it.cost_left)
        outstanding = {
            (v.issuer, v.unit, v.month): (v.amount.outstanding, v.cost_rial.outstanding)
            for v in made
        }
        assert outstanding == left, (seed, sequence)
        agree_with_accounts(made, told.legs[sequence])
    return months


def agree_with_accounts(made, legs):
    """Issued and not reversed is what the issuer's account gave, less what members owe it."""
    for issuer, unit in {(v.issuer, v.unit) for v in made}:
        whole = issue_cohorts.total(
            [v.amount for v in made if (v.issuer, v.unit) == (issuer, unit)]
        )
        assert whole.issued_net == -legs[Role.ISSUED, unit, issuer] - legs[Role.DEBT, unit, issuer]
        assert whole.redeemed_net == legs[Role.REDEEMED, unit, issuer]
        assert whole.expired == legs[Role.EXPIRED, unit, issuer]
    for unit in (NP, CR):
        members = sum(n for (role, its, _), n in legs.items() if (role, its) == (Role.VALUE, unit))
        assert members == sum(v.amount.outstanding for v in made if v.unit is unit)
