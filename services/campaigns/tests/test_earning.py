"""What a purchase earns and what a redemption is worth, as tables an accountant can read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.awards.domain import commands, earning, redeeming
from campaigns.awards.domain.earning import Grant
from campaigns.programmes import domain
from campaigns.programmes.domain import ProgrammeCache
from contracts.ledger import Offer, Redemption
from contracts.merchants import Programme, Terms
from contracts.pos import Line, PosTransaction
from contracts.values import AMOUNT_MAX, Channel, Kind
from kit.base import errors

pytestmark = [pytest.mark.RK1, pytest.mark.NH1]

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)


def programme(**changes: Any) -> Programme:
    given: dict[str, Any] = {
        "merchant": 5,
        "party": 50,
        "version": 2,
        "effective_from": NOW - timedelta(days=400),
        "title_fa": "باشگاه",
        "title_en": "Club",
        "earn_points": 1,
        "earn_per_rial": 10_000,
    }
    return Programme(**(given | changes))


def terms(**changes: Any) -> Terms:
    given: dict[str, Any] = {
        "version": 3,
        "effective_from": NOW - timedelta(days=400),
        "price_rial": 500,
        "price_points": 1,
        "fee_bp": 150,
    }
    return Terms(**(given | changes))


def bought(*lines: Line, **changes: Any) -> PosTransaction:
    given: dict[str, Any] = {
        "name": "t.1.1.1",
        "kind": Kind.PURCHASE,
        "channel": Channel.TILL,
        "merchant": 5,
        "party": 50,
        "branch": 1,
        "terminal": 1,
        "amount_rial": sum(line.amount_rial for line in lines),
        "lines": lines,
    }
    return PosTransaction(**(given | changes))


def line(number: int, amount_rial: int, category: str = "") -> Line:
    return Line(line=number, amount_rial=amount_rial, category=category)


def earned_of(transaction: PosTransaction, rule: Programme, *more: Grant) -> earning.Earned:
    base = earning.base_of(transaction, rule)
    grants = [earning.base_grant(base, rule), *more]
    return earning.earned(
        base, grants, programme=rule, terms=terms(), at=NOW, channel=transaction.channel
    )


BASE: list[tuple[str, tuple[Line, ...], dict[str, Any], dict[int, int], dict[int, str]]] = [
    ("one point for 10,000 Rial", (line(1, 700_000), line(2, 300_000)), {}, {1: 70, 2: 30}, {}),
    ("floored once, not by line", (line(1, 5_000), line(2, 5_000)), {}, {1: 1},
     {2: "below-one-point"}),
    ("ties go to the lower line", (line(1, 15_000), line(2, 15_000)), {}, {1: 2, 2: 1}, {}),
    ("below one point", (line(1, 9_999),), {}, {}, {1: "below-one-point"}),
    ("an excluded category", (line(1, 100_000, "tobacco"), line(2, 100_000)),
     {"excluded_categories": ("tobacco",)}, {2: 10}, {1: "category-excluded"}),
    ("only some categories", (line(1, 100_000, "dairy"), line(2, 100_000)),
     {"earning_categories": ("dairy",)}, {1: 10}, {2: "category-not-earning"}),
    ("excluded wins over earning", (line(1, 100_000, "dairy"),),
     {"earning_categories": ("dairy",), "excluded_categories": ("dairy",)}, {},
     {1: "category-excluded"}),
    ("a free line", (line(1, 0), line(2, 100_000)), {}, {2: 10}, {1: "zero-amount"}),
    ("no base points at all", (line(1, 100_000),), {"earn_points": 0}, {},
     {1: "base-earns-nothing"}),
    ("three points for 7 Rial", (line(1, 8), line(2, 9)), {"earn_points": 3, "earn_per_rial": 7},
     {1: 3, 2: 4}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "rule", "points", "reasons"), [b[1:] for b in BASE],
                         ids=[b[0] for b in BASE])  # fmt: skip
def test_the_base_rule_by_line(lines: Any, rule: Any, points: Any, reasons: Any) -> None:
    found = earned_of(bought(*lines), programme(**rule))
    assert {a.line: a.amount for a in found.awards} == points
    assert {u.line: u.reason.code for u in found.unearned if u.reason} == reasons
    assert all(a.rule == "base" and a.rule_version == 2 for a in found.awards)
    assert all(a.issuer == a.funder == 50 for a in found.awards)


def test_a_till_that_sends_no_lines_earns_on_the_whole_basket() -> None:
    found = earned_of(bought(amount_rial=1_000_000), programme())
    assert [(a.line, a.amount) for a in found.awards] == [(0, 100)]


def test_history_without_base_points_says_that_only_base_counts() -> None:
    transaction = bought(line(1, 100_000), channel=Channel.HISTORY)
    found = earned_of(transaction, programme(earn_points=0))
    assert [u.reason.code for u in found.unearned if u.reason] == ["history-base-only"]


def test_cost_is_floored_once_a_lot_and_its_parts_sum() -> None:
    base = earning.base_of(bought(line(1, 30_000), line(2, 40_000)), programme())
    grants = [
        earning.base_grant(base, programme()),
        Grant(rule="nowruz", version=1, funder=1, parts=[(1, 1), (2, 1)]),
    ]
    third = terms(price_rial=1_000, price_points=3)  # 7 points cost 2,333, 2 points 666
    found = earning.earned(
        base, grants, programme=programme(), terms=third, at=NOW, channel=Channel.TILL
    )
    assert [(a.rule, a.line, a.amount, a.cost_rial, a.funder) for a in found.awards] == [
        ("base", 1, 3, 1_000, 50),
        ("base", 2, 4, 1_333, 50),
        ("nowruz", 1, 1, 333, 1),
        ("nowruz", 2, 1, 333, 1),
    ]


def test_a_sum_beyond_exact_numbers_is_refused() -> None:
    with pytest.raises(errors.Invalid, match="too large"):
        earned_of(bought(line(1, AMOUNT_MAX)), programme(earn_points=3, earn_per_rial=1))


DATES: list[tuple[str, datetime, int, int | None, datetime | None, datetime | None]] = [
    ("at once, for ever", NOW, 0, None, None, None),
    ("the end of a Tehran day", NOW, 0, 365, None, datetime(2027, 3, 21, 20, 30, tzinfo=UTC)),
    ("late in the evening it is tomorrow in Tehran", datetime(2026, 3, 21, 20, 30, tzinfo=UTC), 0,
     1, None, datetime(2026, 3, 23, 20, 30, tzinfo=UTC)),
    ("validity runs from activation", NOW, 14, 30, NOW + timedelta(days=14),
     datetime(2026, 5, 4, 20, 30, tzinfo=UTC)),
    ("born expired, in the summer time of 1400", datetime(2021, 6, 1, 8, tzinfo=UTC), 0, 10, None,
     datetime(2021, 6, 11, 19, 30, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("at", "activation", "validity", "available", "expires"),
                         [d[1:] for d in DATES], ids=[d[0] for d in DATES])  # fmt: skip
def test_dates_of_a_lot(
    at: datetime, activation: int, validity: int | None, available: Any, expires: Any
) -> None:
    rule = programme(activation_days=activation, validity_days=validity)
    assert earning.lot_dates(rule, at) == (available, expires)


def test_grace_is_counted_from_acceptance_to_a_days_end() -> None:
    assert commands.grace(None, NOW) is None
    assert commands.grace(terms(grace_days=0), NOW) == datetime(2026, 3, 21, 20, 30, tzinfo=UTC)
    assert commands.grace(terms(grace_days=30), NOW) == datetime(2026, 4, 20, 20, 30, tzinfo=UTC)


@given(
    # costs stay below what an amount may be: 10 lines x 1e9 x 100 / 10 x 1e4
    st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(["", "a", "b"])), max_size=10),
    st.integers(0, 100), st.integers(10, 10**5), st.integers(1, 10**4), st.integers(1, 100),
)  # fmt: skip
def test_lines_sum_to_the_award_and_every_line_has_points_or_a_reason(
    rows: list[tuple[int, str]], points: int, per_rial: int, price: int, per_points: int
) -> None:
    lines = tuple(line(i, amount, category) for i, (amount, category) in enumerate(rows, 1))
    rule = programme(earn_points=points, earn_per_rial=per_rial, excluded_categories=("b",))
    base = earning.base_of(bought(*lines), rule)
    found = earning.earned(
        base,
        [earning.base_grant(base, rule)],
        programme=rule,
        terms=terms(price_rial=price, price_points=per_points),
        at=NOW,
        channel=Channel.TILL,
    )
    eligible = sum(a for a, category in rows if category != "b")
    assert found.points == eligible * points // per_rial
    assert sum(a.cost_rial for a in found.awards) == found.points * price // per_points
    told = sorted([a.line for a in found.awards] + [u.line for u in found.unearned])
    assert told == (list(range(1, len(lines) + 1)) or [0])


# -------------------------------------------------------------------------------- redemptions

SHOP = {
    "redeem_min_points": 100,
    "redeem_max_share_bp": 5_000,
    "own_discount_bp": 1_000,
    "own_discount_max_rial": 20_000,
}
WORTH: list[tuple[str, dict[str, Any], dict[str, Any], tuple[int, int] | tuple[str, ...]]] = [
    ("points at the price, ten per cent on top", {"points": 300}, {}, (150_000, 15_000)),
    ("the own discount stops at its maximum", {"points": 800}, {}, (400_000, 20_000)),
    ("half of the basket, to the Rial", {"points": 1_000}, {}, (500_000, 20_000)),
    ("a Rial above the share", {"points": 1_000, "credit_rial": 1}, {}, ("redeem-above-share",)),
    ("credit counts in the share", {"points": 600, "credit_rial": 200_000}, {}, (300_000, 20_000)),
    ("credit alone has no minimum", {"credit_rial": 50_000}, {}, (0, 5_000)),
    ("below the minimum", {"points": 99}, {}, ("redeem-below-minimum",)),
    ("both", {"points": 99, "credit_rial": 600_000}, {},
     ("redeem-below-minimum", "redeem-above-share")),
    ("nothing asked", {}, {}, ("nothing-to-redeem",)),
    ("never more than is left to pay", {"points": 1_990},
     {"redeem_max_share_bp": 10_000}, (995_000, 5_000)),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "rule", "worth"), [w[1:] for w in WORTH],
                         ids=[w[0] for w in WORTH])  # fmt: skip
def test_what_a_redemption_is_worth(asked: Any, rule: Any, worth: Any) -> None:
    transaction = bought(line(1, 1_000_000), kind=Kind.REDEMPTION, **asked)
    found = redeeming.redemption_of(transaction, programme(**(SHOP | rule)), terms())
    if isinstance(found, Redemption):
        assert (found.points_value_rial, found.own_discount_rial) == worth
        assert (found.fee_bp, found.terms_version) == (150, 3)
        assert found.own_discount_max_rial == 20_000
    else:
        assert tuple(reason.code for reason in found) == worth
        assert all(reason.fa and reason.en for reason in found)


def test_points_worth_less_than_a_rial_are_not_taken() -> None:
    transaction = bought(line(1, 1_000_000), kind=Kind.REDEMPTION, points=2)
    found = redeeming.redemption_of(transaction, programme(), terms(price_rial=1, price_points=3))
    assert isinstance(found, tuple)
    assert [reason.code for reason in found] == ["points-worth-nothing"]


def test_without_programme_or_terms_nothing_is_redeemed() -> None:
    transaction = bought(line(1, 1_000_000), kind=Kind.REDEMPTION, points=500)
    no_programme = redeeming.redemption_of(transaction, None, terms())
    no_terms = redeeming.redemption_of(transaction, programme(), None)
    assert isinstance(no_programme, tuple)
    assert isinstance(no_terms, tuple)
    assert [no_programme[0].code, no_terms[0].code] == ["no-programme", "no-terms"]


def test_a_redemption_says_what_a_dearer_price_adds_to_older_points_at_most() -> None:
    """A18: the lowest price ever published is what a point cost at least, whichever came last."""
    cache = ProgrammeCache()
    for version, price in enumerate((120, 100, 150), 1):
        domain.keep(cache, terms(version=version, price_rial=price))
    transaction = bought(line(1, 1_000_000), kind=Kind.REDEMPTION, points=500)
    added = [
        found.network_max_rial
        for cheapest in (cache.cheapest, None)
        for version in (1, 2, 3)
        if isinstance(found := redeeming.redemption_of(
            transaction, programme(), cache.terms[version], cheapest
        ), Redemption)
    ]  # fmt: skip
    assert added == [10_000, 0, 25_000, 0, 0, 0]
    offer = redeeming.offer_of(programme(), cache.terms[3], cache.cheapest)
    assert isinstance(offer, Offer)
    assert (offer.least_rial, offer.least_points) == (100, 1)


# ------------------------------------------------------------------- what is paid in money (F16)


def paid(amount_rial: int, *lines: Line, rule: dict[str, Any], **asked: Any) -> PosTransaction:
    sale = bought(*(lines or (line(1, amount_rial),)), kind=Kind.REDEMPTION, **asked)
    found = redeeming.redemption_of(sale, programme(**rule), terms(price_rial=100))
    assert isinstance(found, Redemption)
    return redeeming.paid_part(sale, found)


def test_what_is_left_to_pay_in_money_is_what_earns() -> None:
    """F16: a sale of 1,000,000 with 10,000 worth of points earns on 990,000."""
    left = paid(1_000_000, rule={}, points=100)
    assert (left.amount_rial, left.lines[0].amount_rial) == (990_000, 990_000)
    assert earned_of(left, programme()).points == 99


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any),
    st.integers(0, 10_000),
    st.integers(1, 10**9),
)
def test_lines_give_in_proportion_and_sum_to_what_is_payable(
    amounts: list[int], own_bp: int, credit: int
) -> None:
    lines = [line(n, amount) for n, amount in enumerate(amounts, 1)]
    credit = min(credit, sum(amounts))
    rule = {"own_discount_bp": own_bp, "own_discount_max_rial": 10**6}
    left = paid(0, *lines, rule=rule, credit_rial=credit)
    assert sum(one.amount_rial for one in left.lines) == left.amount_rial
    assert left.amount_rial <= sum(amounts) - credit
    off = sum(amounts) - left.amount_rial
    for before, after in zip(lines, left.lines, strict=True):
        given = (before.amount_rial - after.amount_rial) * sum(amounts)
        assert abs(given - before.amount_rial * off) < sum(amounts)  # less than a Rial away
        assert after.amount_rial >= 0


def test_nothing_is_earned_on_lines_that_points_paid_in_full() -> None:
    left = paid(100_000, rule={}, points=1_000)
    found = earned_of(left, programme())
    assert (found.points, [u.reason.code for u in found.unearned if u.reason]) == (
        0,
        ["zero-amount"],
    )


# -------------------------------------------------------------------- in proportion, or in steps

STEPS = [  # lines in Rial, in proportion, in whole steps of 100,000 at 10 points
    ((150_000,), {1: 15}, {1: 10}),
    ((99_999,), {1: 9}, {}),
    ((60_000, 60_000), {1: 6, 2: 6}, {1: 5, 2: 5}),
    ((50_000, 150_000), {1: 5, 2: 15}, {1: 5, 2: 15}),
    ((199_999, 1), {1: 20}, {1: 20}),
]


@pytest.mark.parametrize(("amounts", "even", "steps"), STEPS)
def test_a_programme_earns_in_proportion_or_for_whole_steps(
    amounts: tuple[int, ...], even: dict[int, int], steps: dict[int, int]
) -> None:
    basket = bought(*(line(n, amount) for n, amount in enumerate(amounts, 1)))
    rule = {"earn_points": 10, "earn_per_rial": 100_000}
    for changes, right in (({}, even), ({"earn_in_steps": True}, steps)):
        found = earned_of(basket, programme(**rule, **changes))
        assert {a.line: a.amount for a in found.awards} == right
