"""The demo's plan and verdict: drawn from a seed, and failing on any figure that is off."""

import copy
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.demo import cast, figures
from lab.demo.plan import Deed, draw
from lab.demo.purchases import Visit
from peyvand import Line

START = datetime(2017, 1, 2, tzinfo=UTC)


def visits(count: int) -> list[Visit]:
    return [
        Visit(
            at=START + timedelta(minutes=7 * n),
            household=n % 40,
            merchant=cast.MERCHANTS[n % len(cast.MERCHANTS)].number,
            branch=n % 3 + 1,
            lines=tuple(Line(line=i, amount_rial=10_000 * i) for i in range(1, n % 4 + 2)),
        )
        for n in range(count)
    ]


def test_the_same_seed_draws_the_same_acts_in_time_order() -> None:
    acts = draw(visits(5_000), 7)
    assert acts == draw(visits(5_000), 7)
    assert acts != draw(visits(5_000), 8)
    assert [a.at for a in acts] == sorted(a.at for a in acts)


def test_every_deed_occurs_and_returns_follow_what_they_undo() -> None:
    acts = draw(visits(5_000), 7)
    assert set(Counter(a.deed for a in acts)) == set(Deed)
    returns = [(i, a) for i, a in enumerate(acts) if a.deed is Deed.RETURN]
    for index, act in returns:
        assert act.of < index
        assert acts[act.of].visit is act.visit
        assert acts[act.of].deed in (Deed.BUY, Deed.PAY_WITH_POINTS)
        assert set(act.lines) < {line.line for line in act.visit.lines}
    again = sum(a.twice_at_once + a.again_later for a in acts)
    assert again > 0.05 * len(acts)


GOOD: dict[str, Any] = {
    "transactions": {
        "sent": 25_000,
        "completed": 24_000,
        "declined": 900,
        "held": 100,
        "pending": 0,
        "failed": 0,
        "resent": 1_500,
        "resent_before_answer": 800,
        "answered_differently": 0,
    },
    "points": {
        "issued": 1000,
        "clawed_back": 100,
        "redeemed": 300,
        "restored": 50,
        "expired": 20,
        "outstanding": 630,
    },
    "credit_rial": {},
    "cross_merchant": {"redemptions": 10, "share_of_points": 0.5},
    "settlement": {
        "matrix": {},
        "fee": 5,
        "positions": {},
        "sum_of_positions": 0,
        "windows": 40,
        "claims": 900,
        "net_payments": 300,
        "paid": 300,
        "rejected": 1,
        "fee_paid": 5,
        "bookings_declined": 0,
        "unsettled_entries": 0,
        "differences": 0,
    },
    "ledger": {
        "commands": 10,
        "outcomes": 10,
        "entries": 20,
        "sum_by_unit": {"NP": 0, "IRR": 0},
        "accounts_off": 0,
        "lots_off": 0,
    },
    "fraud": {"allowed": 1, "held": 1, "released": 1, "declined": 1},
    "sms": {"queued": 1, "delivered": 1, "duplicates": 0},
}


def test_good_figures_have_no_fault() -> None:
    assert list(figures.faults(GOOD)) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("transactions.pending", 1, "pending"),
        ("transactions.failed", 1, "failed"),
        ("transactions.answered_differently", 1, "differently"),
        ("transactions.completed", 23_999, "accounted for"),
        ("transactions.resent", 100, "sent again"),
        ("transactions.resent_before_answer", 10, "before the answer"),
        ("transactions.sent", 100, "20,000"),
        ("points.outstanding", 631, "the lots hold"),
        ("points.expired", 0, "points.expired"),
        ("settlement.sum_of_positions", -1, "sum_of_positions"),
        ("settlement.fee", 0, "settlement.fee"),
        ("settlement.unsettled_entries", 3, "unsettled_entries"),
        ("settlement.differences", 1, "differences"),
        ("settlement.bookings_declined", 1, "bookings_declined"),
        ("settlement.paid", 299, "300 are due"),
        ("settlement.rejected", 0, "settlement.rejected"),
        ("ledger.commands", 11, "outcomes in the book"),
        ("ledger.sum_by_unit", {"NP": 1}, "sum to 1"),
        ("ledger.accounts_off", 2, "accounts_off"),
        ("ledger.lots_off", 2, "lots_off"),
        ("sms.duplicates", 1, "duplicates"),
        ("fraud.released", 0, "fraud.released"),
    ],
)
def test_any_figure_that_is_off_is_named(path: str, value: object, said: str) -> None:
    bad = copy.deepcopy(GOOD)
    room, name = path.split(".")
    bad[room][name] = value
    assert any(said in fault for fault in figures.faults(bad))
