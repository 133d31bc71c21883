"""Revenue from points: the published examples to the unit, and what must hold of any figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.base.errors import Invalid
from ledger.query.domain import revenue
from ledger.query.domain.issue_cohorts import Figures
from ledger.query.domain.revenue import Reading


def revenues(allocated, *readings):
    """Periods from (redeemed to date, expected in all) at the end of each."""
    return revenue.recognise(
        Reading(allocated=allocated, redeemed_points=redeemed, expected_points=expected)
        for redeemed, expected in readings
    )


# ------------------------------------------------------------------------------ published examples


def test_ifrs_15_illustrative_example_52():
    """IE267-IE270: sales of 100,000, 10,000 points of 1, of which 95%, later 97%, are expected."""
    expected = revenue.expected_points(10_000, redeemed_share_bp=9_500)
    assert expected == 9_500
    of_points = revenue.standalone_of_points(expected, value_numerator=1)
    assert of_points == 9_500
    assert revenue.allocate(100_000, [100_000, of_points]) == [91_324, 8_676]
    anew = revenue.expected_points(10_000, redeemed_share_bp=9_700)
    first, second = revenues(8_676, (4_500, expected), (8_500, anew))
    assert (first.revenue, first.closing) == (4_110, 4_566)
    assert (second.to_date, second.revenue, second.closing) == (7_603, 3_493, 1_073)


def test_the_catch_up_of_example_52_in_its_parts():
    """4,500 points at the new estimate: 8,676 x 4,500 / 9,700 = 4,025, so 85 are taken back."""
    _, second = revenues(8_676, (4_500, 9_500), (8_500, 9_700))
    assert (second.opening, second.added) == (4_566, 0)
    assert (second.by_catch_up, second.by_redemption) == (-85, 3_578)


@pytest.mark.parametrize(("example", "expected_anew", "third_year"), [
    ("10A, more redemptions expected", 9_900, 3_552),
    ("10B, fewer redemptions expected", 9_200, 4_140),
])  # fmt: skip
def test_kpmg_handbook_examples(example, expected_anew, third_year):
    """KPMG, Revenue - IFRS 15 handbook: 97% of 10,000 points expected, ratios in whole percents."""
    expected = revenue.expected_points(10_000, redeemed_share_bp=9_700)
    prices = [100_000, revenue.standalone_of_points(expected, value_numerator=1)]
    assert prices == [100_000, 9_700]
    percents = revenue.WHOLE_PERCENT
    assert revenue.allocate(100_000, prices, ratio_parts=percents) == [91_000, 9_000]
    assert revenue.allocate(100_000, prices) == [91_158, 8_842]  # as the platform does it
    earned, second, third = revenues(9_000, (0, 9_700), (4_500, 9_700), (8_500, expected_anew))
    assert (earned.revenue, earned.closing) == (0, 9_000), example
    assert (second.revenue, second.closing) == (4_175, 4_825), example
    assert third.revenue == third_year, example
    assert third.closing == 9_000 - 4_175 - third_year, example


# ------------------------------------------------------------------------------------- small rules


def test_a_point_may_be_worth_a_fraction_of_a_rial():
    assert revenue.standalone_of_points(1_000, value_numerator=5, value_denominator=2) == 2_500
    assert revenue.standalone_of_points(3, value_numerator=1, value_denominator=2) == 2
    assert revenue.standalone_of_points(0, value_numerator=1) == 0


def test_points_that_nobody_will_redeem_get_no_price():
    assert revenue.expected_points(10_000, redeemed_share_bp=0) == 0
    assert revenue.allocate(100_000, [100_000, 0]) == [100_000, 0]


def test_a_full_price_without_breakage_is_earned_point_by_point():
    periods = revenues(1_000, *((n, 3) for n in (1, 2, 3)))
    assert [p.revenue for p in periods] == [333, 334, 333]
    assert [p.closing for p in periods] == [667, 333, 0]


def test_half_a_rial_is_rounded_up_once_on_the_total():
    periods = revenues(1, (1, 2), (2, 2))
    assert [p.revenue for p in periods] == [1, 0]


def test_what_can_no_longer_be_redeemed_is_earned_at_once():
    last = revenues(9_000, (4_500, 9_700), (4_500, 4_500))[-1]
    assert (last.by_redemption, last.by_catch_up, last.closing) == (0, 4_825, 0)
    never = revenues(500, (0, 100), (0, 0))[-1]
    assert (never.revenue, never.closing) == (500, 0)


def test_a_refunded_redemption_takes_revenue_back():
    last = revenues(1_000, (600, 1_000), (400, 1_000))[-1]
    assert (last.revenue, last.by_catch_up, last.closing) == (-200, 0, 600)


def test_a_vintage_that_grows_at_the_same_ratio_has_no_catch_up():
    first, second = revenue.recognise([
        Reading(allocated=8_000, redeemed_points=2_000, expected_points=10_000),
        Reading(allocated=16_000, redeemed_points=5_000, expected_points=20_000),
    ])  # fmt: skip
    assert (first.revenue, first.closing) == (1_600, 6_400)
    assert (second.opening, second.added, second.by_catch_up) == (6_400, 8_000, 0)
    assert (second.revenue, second.closing) == (2_400, 12_000)


def test_a_refunded_purchase_lowers_the_liability():
    _, second = revenue.recognise([
        Reading(allocated=1_000, redeemed_points=0, expected_points=100),
        Reading(allocated=750, redeemed_points=0, expected_points=75),
    ])  # fmt: skip
    assert (second.added, second.revenue, second.closing) == (-250, 0, 750)


@pytest.mark.parametrize(("figures", "redeemed", "expected"), [
    # the estimate stands: 90% of what was issued and not reversed
    ({"issued": 1_100, "reversed": 100, "redeemed": 300, "outstanding": 700}, 300, 900),
    # restored points are not redeemed
    ({"issued": 1_000, "redeemed": 300, "restored": 100, "outstanding": 800}, 200, 900),
    # more was redeemed than the estimate said
    ({"issued": 1_000, "redeemed": 950, "outstanding": 50}, 950, 950),
    # too little is left for the estimate: the rest expired
    ({"issued": 1_000, "redeemed": 500, "expired": 400, "outstanding": 100}, 500, 600),
    # points in transit may still be redeemed
    ({"issued": 1_000, "redeemed": 500, "expired": 300, "in_transit": 200}, 500, 700),
    # all gone: nothing more is expected
    ({"issued": 1_000, "redeemed": 500, "expired": 500}, 500, 500),
    ({"issued": 1_000, "expired": 1_000}, 0, 0),
])  # fmt: skip
def test_a_vintage_bounds_its_own_estimate(figures, redeemed, expected):
    reading = revenue.reading_of(Figures(**figures), allocated=10_000, redeemed_share_bp=9_000)
    assert (reading.redeemed_points, reading.expected_points) == (redeemed, expected)
    if "outstanding" not in figures and "in_transit" not in figures:
        assert revenue.revenue_to_date(reading) == 10_000


# -------------------------------------------------------------------------------------- properties

RIAL = st.integers(0, 2**53 - 1)
POINTS = st.integers(0, 10**9)


@st.composite
def readings(draw):
    expected = draw(POINTS)
    return Reading(
        allocated=draw(RIAL),
        redeemed_points=draw(st.integers(0, expected)),
        expected_points=expected,
    )


@given(RIAL, st.lists(RIAL, min_size=1, max_size=6).filter(any))
def test_parts_of_a_price_add_up_to_it(price, standalone):
    parts = revenue.allocate(price, standalone)
    assert sum(parts) == price
    whole = sum(standalone)
    assert all(abs(p * whole - price * s) < whole for p, s in zip(parts, standalone, strict=True))
    assert sum(revenue.allocate(price, standalone, ratio_parts=100)) == price


@given(st.lists(readings(), min_size=1, max_size=8))
def test_the_liability_rolls_forward_whatever_is_estimated(told):
    periods = revenue.recognise(told)
    opening = 0
    for reading, period in zip(told, periods, strict=True):
        assert period.opening == opening
        assert period.opening + period.added - period.revenue == period.closing
        assert 0 <= period.closing <= reading.allocated
        opening = period.closing
    assert sum(p.revenue for p in periods) == periods[-1].to_date
    assert sum(p.added for p in periods) == told[-1].allocated


@given(st.lists(readings(), min_size=1, max_size=5), readings())
def test_revenue_to_date_forgets_the_way_there(told, last):
    assert revenue.recognise([*told, last])[-1].to_date == revenue.revenue_to_date(last)


@given(readings())
def test_rounding_stays_within_half_a_unit_and_the_end_is_exact(reading):
    to_date = revenue.revenue_to_date(reading)
    if reading.expected_points:
        exact = reading.allocated * reading.redeemed_points
        assert abs(2 * (to_date * reading.expected_points - exact)) <= reading.expected_points
    if reading.redeemed_points == reading.expected_points:
        assert to_date == reading.allocated


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("call", "says"), [
    (lambda: revenue.allocate(100, []), "above zero"),
    (lambda: revenue.allocate(100, [0, 0]), "above zero"),
    (lambda: revenue.allocate(-1, [1]), "above zero"),
    (lambda: revenue.allocate(1, [2, -1]), "above zero"),
    (lambda: revenue.allocate(1, [1], ratio_parts=0), "one part"),
    (lambda: revenue.expected_points(1, redeemed_share_bp=10_001), "basis points"),
    (lambda: revenue.expected_points(1, redeemed_share_bp=-1), "basis points"),
    (lambda: revenue.expected_points(-1, redeemed_share_bp=1), "basis points"),
    (lambda: revenue.standalone_of_points(-1, value_numerator=1), "not below zero"),
    (lambda: revenue.standalone_of_points(1, value_numerator=-1), "not below zero"),
    (lambda: revenue.standalone_of_points(1, value_numerator=1, value_denominator=0), "below"),
    (lambda: Reading(allocated=1, redeemed_points=2, expected_points=1), "estimate anew"),
    (lambda: Reading(allocated=1, redeemed_points=-1, expected_points=1), "estimate anew"),
    (lambda: Reading(allocated=-1, redeemed_points=0, expected_points=1), "below zero"),
])  # fmt: skip
def test_figures_that_mean_nothing_are_refused(call, says):
    with pytest.raises(Invalid, match=says) as refused:
        call()
    assert refused.value.code == "revenue-not-valid"
    assert refused.value.fa
