"""The accountant's tables of a lot's life: pending, renewed, extended, corrected by hand."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.ledger import CancelPending, ReleasePending
from contracts.values import MOMENT_MAX, TEHRAN, Unit
from ledger.book import lots
from ledger.book.facts import Lot, Origin
from ledger.posting.decide import answers

from .one_shard import BAKER, GROCER, NETWORK, award, page
from .value_examples import ValueExamples, first_lot, said


@pytest.fixture
def one_shard():
    return ValueExamples()


def midnight(text):
    """The instant at which a day begins in Tehran, UTC+3:30."""
    return datetime.fromisoformat(f"{text}T00:00:00+03:30").astimezone(UTC)


# ----------------------------------------------------------------------------------------- pending


def test_value_for_a_later_time_waits_for_it(one_shard):
    one_shard.issue(100, available_from=one_shard.at + timedelta(hours=2))
    assert said(one_shard.spend(1)) == ("declined", "insufficient-points")
    one_shard.later(hours=2)
    assert said(one_shard.spend(100)) == ("completed", "")


def test_value_for_an_event_waits_without_a_date_until_it_comes(one_shard):
    issued = one_shard.issue(
        100, pending_event="delivered", expires_at=one_shard.at + timedelta(days=400)
    )
    lot = one_shard.lot(first_lot(issued))
    assert lot.available_from is None
    assert answers.outcomes(issued)[0].lots[0].available_from is None
    assert page(issued)[1] == ("member", "value", "NP", "", 100)
    one_shard.later(days=300)
    assert said(one_shard.spend(1)) == ("declined", "insufficient-points")
    released = one_shard.arrives(issued)
    assert released.dates == ((lot.lot, one_shard.at, lot.expires_at),)
    assert released.legs == ()
    assert said(one_shard.spend(100)) == ("completed", "")
    for verdict in (ReleasePending, CancelPending):
        assert said(one_shard.verdict(verdict, issued)) == ("declined", "already-decided")


def test_an_event_before_the_time_leaves_the_time(one_shard):
    at = one_shard.at + timedelta(days=3)
    issued = one_shard.issue(100, pending_event="delivered", available_from=at)
    assert one_shard.arrives(issued).dates == ((first_lot(issued), at, None),)


def test_value_whose_event_never_comes_goes_back_with_its_funding(one_shard):
    issued = one_shard.issue(100, pending_event="delivered", funder=NETWORK)
    assert page(one_shard.never_comes(issued)) == [
        ("baker", "issued", "NP", "", 100),
        ("member", "value", "NP", "", -100),
        ("network", "payable", "IRR", "baker", 10_000),
        ("baker", "receivable", "IRR", "network", -10_000),
    ]
    assert said(one_shard.arrives(issued)) == ("declined", "already-decided")


def test_what_is_gone_or_past_its_date_is_not_pending(one_shard):
    taken, lapsed = (
        one_shard.issue(1, pending_event="x"),
        one_shard.issue(1, pending_event="x", expires_at=one_shard.at),
    )
    one_shard.take_back(taken)
    plain, refused = one_shard.issue(1), one_shard.issue(1, pending_event="x", unit=Unit.RIAL)
    for issued in (taken, lapsed, plain, refused):
        assert said(one_shard.arrives(issued)) == ("declined", "nothing-pending")
        assert said(one_shard.never_comes(issued)) == ("declined", "nothing-pending")


def test_a_debt_is_paid_from_what_an_event_sets_free(one_shard):
    sold = one_shard.buy(award(30))
    one_shard.spend(30)
    one_shard.refund(sold)
    issued = one_shard.issue(100, pending_event="x")
    assert page(one_shard.arrives(issued)) == [
        ("member", "value", "NP", "", -30),
        ("member", "debt", "NP", "baker", 30),
    ]


# --------------------------------------------------------------------------------------- take-back


def given_and_spent(one_shard, sale_points=50, **fields):
    """A gift of 700 Rial with a date, spent whole, whose goods come back after that date."""
    gift = one_shard.issue(
        700, unit=Unit.CREDIT, issuer=NETWORK, expires_at=one_shard.at + timedelta(days=2), **fields
    )
    one_shard.buy(award(sale_points))
    spent = one_shard.spend(sale_points, credit=700)
    one_shard.later(days=3)
    return gift, spent


def test_a_gift_that_came_back_past_its_date_is_taken_back_where_it_lies(one_shard):  # findings F14
    gift, spent = given_and_spent(one_shard, funder=BAKER)
    back = one_shard.refund(spent)
    assert back.opened[-1].parent == first_lot(gift)
    assert one_shard.member().lots[back.opened[-1].lot].remaining == 700
    assert page(one_shard.take_back(gift)) == [
        ("network", "issued", "CR", "", 700),
        ("member", "value", "CR", "", -700),
        ("baker", "payable", "IRR", "network", 700),
        ("network", "receivable", "IRR", "baker", -700),
    ]
    assert said(one_shard.take_back(gift)) == ("completed", "nothing-left")
    assert one_shard.lots() == [(BAKER, 50)]  # what else came back is the member's


def test_both_lots_of_a_gift_are_taken_back_and_no_others_child_is(one_shard):
    gift, spent = given_and_spent(one_shard)
    other, elsewhere = given_and_spent(one_shard)
    for part in (300_000, 400_000):
        one_shard.refund(spent, amount_rial=part)
    one_shard.refund(elsewhere)
    assert sum(row.amount for row in one_shard.take_back(gift).rows) == 490
    assert [amount for issuer, amount in one_shard.lots() if issuer == NETWORK] == [700]
    assert sum(row.amount for row in one_shard.take_back(other).rows) == 700


def test_a_grace_lot_past_its_own_date_is_breakage_and_not_taken_back(one_shard):
    gift, spent = given_and_spent(one_shard, funder=BAKER)
    one_shard.refund(spent, grace_expires_at=one_shard.at + timedelta(days=1))
    one_shard.later(days=2)
    assert page(one_shard.take_back(gift)) == [
        ("member", "value", "CR", "", -700),
        ("network", "expired", "CR", "", 700),
    ]


# ----------------------------------------------------------------------------------------- sliding


def test_activity_renews_sliding_lots_to_a_midnight_in_tehran(one_shard):
    ends = midnight("2026-04-01")  # ten days after the first, a Saturday in Nowruz
    sold = one_shard.buy(award(100, sliding_days=10, expires_at=ends))
    assert sold.dates == ()
    kept = one_shard.buy(award(7, issuer=GROCER, expires_at=ends))
    one_shard.later(days=4)
    active = one_shard.buy()
    assert active.dates == ((first_lot(sold), sold.decided_at, midnight("2026-04-05")),)
    assert one_shard.lot(first_lot(kept)).expires_at == ends
    one_shard.later(hours=1)
    assert one_shard.away(points=1).dates == ()  # the same day again
    one_shard.later(days=1)
    hold = one_shard.hold(points=2)
    assert hold.dates == ()
    assert len(one_shard.capture(hold, points=1).dates) == 1
    one_shard.later(days=1)
    assert len(one_shard.spend(1).dates) == 1


def test_a_lot_past_its_date_is_not_renewed_swept_or_not_nor_one_that_is_empty(one_shard):
    ends = one_shard.at + timedelta(days=1)
    emptied = one_shard.issue(50, sliding_days=5, expires_at=ends)
    kept = one_shard.issue(100, sliding_days=5, expires_at=ends)
    assert [lot for lot, *_ in one_shard.spend(50).dates] == [first_lot(kept)]
    assert one_shard.lot(first_lot(emptied)).expires_at == ends
    one_shard.later(days=30)
    assert one_shard.buy().dates == ()


def test_an_old_purchase_imported_now_renews_from_its_own_day(one_shard):
    ends = midnight("2026-04-01")
    one_shard.buy(award(100, sliding_days=10, expires_at=ends))
    one_shard.later(days=4)
    old = one_shard.transaction("purchase", BAKER)
    assert one_shard.hear(old, occurred_at=one_shard.at - timedelta(days=300)).dates == ()


def test_the_consumption_goes_by_the_dates_before_the_activity(one_shard):
    slides = one_shard.issue(10, sliding_days=30, expires_at=one_shard.at + timedelta(days=2))
    one_shard.issue(10, expires_at=one_shard.at + timedelta(days=3))
    assert [row.lot for row in one_shard.spend(5).rows] == [first_lot(slides)]


TIMES = st.integers(0, 25_000).map(
    lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours * 23)
)


@settings(max_examples=80)
@given(TIMES, TIMES, TIMES, st.integers(1, 36_500))
def test_a_renewal_lasts_whole_tehran_days_from_the_later_of_birth_and_activity(
    born, active, ends, days
):
    lot = Lot(
        1, 1, Unit.NETWORK_POINTS, 5, 5, 5, 5, "base", 1, born, ends, born, 5, Origin.AWARD, 0, 5,
        5, sliding_days=days,
    )  # fmt: skip
    active = min(active, ends - timedelta(seconds=1))
    last_day = max(born.astimezone(TEHRAN), active.astimezone(TEHRAN)).date()
    midnight_after = datetime.combine(last_day + timedelta(days=days + 1), time(), TEHRAN)
    assert lots.renewed_until(lot, active) == max(ends, midnight_after)


def test_no_length_however_long_stops_the_ledger(one_shard):
    one_shard.issue(5, sliding_days=2**31 - 1, expires_at=one_shard.at + timedelta(days=1))
    one_shard.issue(
        5, sliding_days=9, expires_at=one_shard.at + timedelta(days=1),
        available_from=MOMENT_MAX - timedelta(microseconds=1),
    )  # fmt: skip
    assert len(one_shard.buy().dates) == 1


# ---------------------------------------------------------------------------------- extend, adjust


def test_a_lot_in_date_is_extended_to_a_later_date_only(one_shard):
    ends = one_shard.at + timedelta(days=2)
    number = first_lot(one_shard.buy(award(100, expires_at=ends)))
    assert said(one_shard.extend(number, ends)) == ("declined", "not-later")
    assert said(one_shard.extend(number, ends + timedelta(days=1), reason=" "))[1] == "no-reason"
    assert said(one_shard.extend(99, ends)) == ("declined", "unknown-lot")
    later = one_shard.extend(number, ends + timedelta(days=1))
    assert later.dates == (
        (number, one_shard.lot(number).available_from, ends + timedelta(days=1)),
    )
    assert (later.legs, later.rows) == ((), ())
    assert one_shard.extend(number, None).dates[0][2] is None
    assert said(one_shard.extend(number, None)) == ("declined", "not-later")
    one_shard.later(days=30)
    assert said(one_shard.spend(100)) == ("completed", "")


def test_what_is_past_its_date_is_not_extended(one_shard):
    number = first_lot(one_shard.buy(award(100, expires_at=one_shard.at + timedelta(days=1))))
    one_shard.later(days=1)
    assert said(one_shard.extend(number, None)) == ("declined", "lot-past-date")


def test_a_correction_adds_a_lot_with_its_cost_and_its_funding(one_shard):
    decision = one_shard.adjust(100, cost_rial=10_000, funder=NETWORK)
    assert page(decision) == [
        ("baker", "issued", "NP", "", -100),
        ("member", "value", "NP", "", 100),
        ("network", "payable", "IRR", "baker", -10_000),
        ("baker", "receivable", "IRR", "network", 10_000),
    ]
    lot = decision.opened[0]
    assert (lot.origin.value, lot.rule, lot.cost_rial) == ("adjustment", "adjustment", 10_000)


def test_a_correction_takes_from_lots_of_that_issuer_with_what_they_cost(one_shard):
    one_shard.buy(award(50, funder=NETWORK))
    one_shard.buy(award(50))
    one_shard.buy(award(500, issuer=GROCER))
    decision = one_shard.adjust(60, take=True)
    assert page(decision) == [
        ("baker", "issued", "NP", "", 60),
        ("member", "value", "NP", "", -60),
        ("network", "payable", "IRR", "baker", 5_000),
        ("baker", "receivable", "IRR", "network", -5_000),
    ]
    assert [(row.kind.value, row.amount) for row in decision.rows] == [
        ("adjusted", 50), ("adjusted", 10),
    ]  # fmt: skip
    assert said(one_shard.adjust(41, take=True)) == ("declined", "insufficient-value")
    assert one_shard.debts() == {}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"approved_by": "o.1"}, "same-person"),
        ({"reason": "  "}, "no-reason"),
        ({"account": 0}, "no-account"),
        ({"unit": Unit.RIAL}, "not-value"),
    ],
)
def test_a_correction_needs_two_persons_a_reason_and_an_account(one_shard, fields, code):
    assert said(one_shard.adjust(1, **fields)) == ("declined", code)
