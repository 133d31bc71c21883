"""Rules of joining: the assessment, changes and states. Figures are worked out by hand."""

import json
from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.merchants import Terms
from contracts.values import AMOUNT_MAX
from merchants.onboarding.domain import applications, assessment, errors, forecast, scheme
from merchants.onboarding.domain.applications import State
from merchants.onboarding.domain.assessment import Assessment
from merchants.onboarding.domain.forecast import WarningCode
from merchants.onboarding.domain.scheme import Item, Kind

from . import joining
from .joining import RULES, TERMS


def test_the_guides_example_is_as_it_was_worked_out_by_hand() -> None:
    result = assessment.assess(joining.basis())
    assert (result.scheme.kind, result.scheme.kind_reason.code) == (
        Kind.POINTS_AND_BONUS,
        "bonus-for-goal",
    )
    values = {v.item: (v.value, v.minimum, v.maximum, v.reason.code) for v in result.scheme.values}
    assert values == {
        Item.EARN_RATE_BP: (200, 50, 700, "as-competitor"),
        Item.PRICE_RIAL: (1_000, 1_000, 1_000, "network-terms"),
        Item.VALIDITY_DAYS: (365, 180, 1_095, "by-frequency"),
        Item.ACTIVATION_DAYS: (7, 0, 30, "return-period"),
        Item.REDEEM_MIN_POINTS: (50, 0, 50, "worth-the-while"),
        Item.REDEEM_MAX_SHARE_BP: (5_000, 1_000, 10_000, "cash-by-margin"),
        Item.OWN_DISCOUNT_BP: (0, 0, 180, "no-own-discount"),
        Item.OWN_DISCOUNT_MAX_RIAL: (0, 0, 45_000, "no-own-discount"),
        Item.WELCOME_CREDIT_RIAL: (90_000, 90_000, 90_000, "share-of-one-margin"),
        Item.BUDGET_RIAL: (180_000_000, 180_000_000, 180_000_000, "high-scenario"),
    }
    assert (result.scheme.earn_points, result.scheme.earn_per_rial) == (1, 50_000)
    assert result.forecast.sales_rial == 15_000_000_000
    assert result.forecast.purchases == 6_000
    assert result.forecast.low == forecast.Scenario(
        participation_bp=2_000,
        redemption_bp=6_000,
        member_sales_rial=3_000_000_000,
        issued_points=60_000,
        issued_rial=60_000_000,
        breakage_rial=24_000_000,
        points_cost_rial=36_000_000,
        running_rial=24_800_000,
        break_even_uplift_bp=1_207,
    )
    assert (result.forecast.middle.points_cost_rial, result.forecast.middle.running_rial) == (
        90_000_000,
        26_600_000,
    )
    assert result.forecast.middle.break_even_uplift_bp == 1_178
    assert (result.forecast.high.points_cost_rial, result.forecast.high.running_rial) == (
        162_000_000,
        28_400_000,
    )
    assert result.forecast.high.break_even_uplift_bp == 1_306
    worst = result.forecast.worst_basket
    assert (worst.margin_rial, worst.earned_rial, worst.left_rial) == (450_000, 50_000, 400_000)
    assert result.forecast.warnings == ()


@pytest.mark.SH1
def test_indicators_have_targets_of_the_goals_and_of_the_rules() -> None:
    second = {"second_goal_target_percent": 5, "second_goal_by": "2027-03-20"}
    result = assessment.assess(joining.basis(second_goal="acquire", **second))
    told = [(one.code, one.bound.value, one.target, one.by) for one in result.indicators]
    assert told == [
        ("purchases-each", "at-least", 1_500, date(2026, 12, 21)),
        ("new-customers", "at-least", 500, date(2027, 3, 20)),
        ("participation", "at-least", 4_000, None),
        ("redemption", "at-least", 7_500, None),
        ("cost-of-sales", "at-most", 200, None),
        ("uplift", "at-least", 1_178, None),
    ]


@pytest.mark.SH1
@pytest.mark.parametrize(
    ("answers", "rate_bp", "code"),
    [
        ({"competitor_reward_percent": 1}, 175, "share-of-margin"),
        ({"competitor_reward_percent": 7}, 700, "as-competitor"),
        ({"competitor_reward_percent": 8}, 700, "below-competitor"),
        ({"margin_percent": 1, "competitor_reward_percent": 0}, 50, "least-rate"),
        ({"goal": "acquire", "competitor_reward_percent": 0}, 200, "share-of-margin"),
        ({"goal": "retain", "competitor_reward_percent": 0}, 125, "share-of-margin"),
    ],
)
def test_the_earn_rate_follows_margin_goal_and_competitor(
    answers: dict[str, Any], rate_bp: int, code: str
) -> None:
    rate = assessment.assess(joining.basis(**answers)).scheme.values[0]
    assert (rate.item, rate.value, rate.reason.code) == (Item.EARN_RATE_BP, rate_bp, code)
    assert rate.reason.question in ("margin_percent", "competitor_reward_percent")


@pytest.mark.SH1
def test_the_kind_of_scheme_follows_frequency_and_goal() -> None:
    for answers, kind, own_bp in (
        ({"purchases_per_year": 3}, Kind.POINTS_AND_DISCOUNT, 180),
        ({"purchases_per_year": 4}, Kind.POINTS_AND_BONUS, 0),
        ({"goal": "basket"}, Kind.POINTS_AND_BONUS, 0),
        ({"goal": "retain"}, Kind.POINTS, 0),
    ):
        made = assessment.assess(joining.basis(**answers)).scheme  # type: ignore[arg-type]
        assert (made.kind, made.value_of(Item.OWN_DISCOUNT_BP)) == (kind, own_bp)


def test_without_competitors_a_welcome_credit_is_only_there_to_acquire() -> None:
    alone = {"competitors": "none", "competitor_reward_percent": None}
    for goal, value in (("retain", 0), ("acquire", 90_000)):
        made = assessment.assess(joining.basis(goal=goal, **alone)).scheme
        assert made.value_of(Item.WELCOME_CREDIT_RIAL) == value
    rich = assessment.assess(joining.basis(basket_rial=10_000_000_000)).scheme
    assert rich.value_of(Item.WELCOME_CREDIT_RIAL) == RULES.welcome_max_rial


@pytest.mark.NH22
@pytest.mark.NH23
@pytest.mark.parametrize(
    ("answers", "package", "code", "setup_rial", "monthly_rial"),
    [
        ({}, "advanced", "by-channel", 190_000_000, 23_000_000),
        ({"channel": "till"}, "advanced", "by-branches", 190_000_000, 23_000_000),
        ({"channel": "till", "branches": 1}, "basic", "smallest", 60_000_000, 7_000_000),
        ({"channel": "online", "branches": 1}, "advanced", "by-channel", 170_000_000, 19_000_000),
        ({"branches": 49}, "advanced", "by-channel", 1_130_000_000, 211_000_000),
        ({"branches": 50}, "custom", "by-branches", 1_500_000_000, 250_000_000),
        ({"size": "large"}, "custom", "by-size", 540_000_000, 58_000_000),
    ],
)
def test_the_package_fits_and_its_costs_add_up(
    answers: dict[str, Any], package: str, code: str, setup_rial: int, monthly_rial: int
) -> None:
    costs = assessment.assess(joining.basis(**answers)).package
    assert (costs.package.value, costs.code) == (package, code)
    assert (costs.setup_rial, costs.monthly_rial) == (setup_rial, monthly_rial)
    assert all(
        one.amount_rial == one.count * one.unit_rial for one in (*costs.setup, *costs.monthly)
    )
    assert sum(one.amount_rial for one in costs.setup) == setup_rial
    assert sum(one.amount_rial for one in costs.monthly) == monthly_rial
    assert costs.at_least is (package == "custom")
    assert costs.features


@pytest.mark.NH11
def test_a_rate_above_the_margin_is_warned_of() -> None:
    result = assessment.assess(joining.basis(margin_percent=0))
    assert [one.code for one in result.forecast.warnings] == [
        WarningCode.RATE_ABOVE_MARGIN,
        WarningCode.BASKET_BELOW_COST,
        WarningCode.NO_BREAK_EVEN,
    ]
    assert result.forecast.worst_basket.left_rial == -12_500
    assert "uplift" not in {one.code for one in result.indicators}
    assert all(one.fa and one.en for one in result.forecast.warnings)


@pytest.mark.NH11
def test_a_rate_that_takes_much_of_the_margin_is_warned_of() -> None:
    result = assessment.assess(joining.basis(competitor_reward_percent=6))
    assert [one.code for one in result.forecast.warnings] == [WarningCode.LARGE_PART_OF_MARGIN]


FACTS = st.fixed_dictionaries(
    {
        "margin_percent": st.integers(0, 95),
        "customers": st.integers(10, 50_000_000),
        "purchases_per_year": st.integers(1, 366),
        "basket_rial": st.integers(10_000, 400_000),
        "competitor_reward_percent": st.integers(0, 50),
        "branches": st.integers(1, 10_000),
        "channel": st.sampled_from(["till", "online", "both"]),
        "goal": st.sampled_from(["acquire", "retain", "frequency", "basket"]),
    }
)
PRICED = st.tuples(st.integers(1, 100_000), st.integers(1, 1_000))


@given(FACTS, PRICED)
def test_whatever_the_answers_the_figures_hold_together(
    answers: dict[str, Any], price: tuple[int, int]
) -> None:
    terms = msgspec.structs.replace(TERMS, price_rial=price[0], price_points=price[1])
    basis = msgspec.structs.replace(joining.basis(**answers), terms=terms)
    try:
        result = assessment.assess(basis)
    except errors.TermsNotUsable:
        assert price[1] > price[0]
        return
    rate_bp = result.scheme.value_of(Item.EARN_RATE_BP)
    cost = Fraction(result.scheme.earn_points, result.scheme.earn_per_rial) * Fraction(*price)
    assert cost == Fraction(rate_bp, 10_000)  # the rate is exact, nothing is rounded
    margin_bp = answers["margin_percent"] * 100
    assert rate_bp == RULES.rate_min_bp or rate_bp * 10_000 <= margin_bp * RULES.rate_max_share_bp
    assert all(one.minimum <= one.value <= one.maximum for one in result.scheme.values)
    for one in (result.forecast.low, result.forecast.middle, result.forecast.high):
        assert one.issued_rial == one.points_cost_rial + one.breakage_rial
        assert one.issued_rial * 10_000 <= one.member_sales_rial * rate_bp
        assert one.breakage_rial >= 0
    worst = result.forecast.worst_basket
    spent = worst.earned_rial + worst.own_discount_rial + worst.left_rial
    assert spent == worst.margin_rial


@given(FACTS)
def test_the_same_answers_give_the_same_assessment_also_when_it_was_kept(
    answers: dict[str, Any],
) -> None:
    basis = joining.basis(**answers)
    result = assessment.assess(basis)
    kept = msgspec.json.decode(msgspec.json.encode(result), type=Assessment)
    assert (
        assessment.assess(msgspec.json.decode(msgspec.json.encode(basis), type=type(basis))) == kept
    )


@given(FACTS)
def test_persian_texts_have_persian_digits_and_english_ones_are_there(
    answers: dict[str, Any],
) -> None:
    result = json.loads(msgspec.json.encode(assessment.assess(joining.basis(**answers))))

    def texts(value: Any, key: str = "") -> list[tuple[str, str]]:
        if isinstance(value, dict):
            return [t for k, v in value.items() for t in texts(v, k)]
        if isinstance(value, list):
            return [t for v in value for t in texts(v, key)]
        return [(key, value)] if isinstance(value, str) else []

    for key, text in texts(result):
        if key.endswith("fa"):
            assert text
            assert not any(digit in text for digit in "0123456789"), text
        if key.endswith("en"):
            assert text
            assert text.isascii(), text


@given(st.integers(1, 10**15), st.integers(1, 10**12), st.integers(1, 95 * 10**6))
def test_the_break_even_uplift_is_the_smallest_that_pays(
    cost_rial: int, sales_rial: int, kept: int
) -> None:
    uplift_bp = forecast.break_even_uplift(cost_rial, sales_rial, kept)
    if uplift_bp is None:
        uplift_bp = forecast.UPLIFT_MAX_BP + 1
    else:
        assert Fraction(sales_rial * uplift_bp * kept, 10**12) >= cost_rial
    assert Fraction(sales_rial * (uplift_bp - 1) * kept, 10**12) < cost_rial


def test_no_sales_and_no_margin_break_even_never() -> None:
    assert forecast.break_even_uplift(1, 0, 1) is None
    assert forecast.break_even_uplift(1, 1, 0) is None
    assert forecast.break_even_uplift(0, 1, 1) == 0


def test_a_settlement_price_that_no_rate_can_be_written_in_is_refused() -> None:
    tiny: Terms = msgspec.structs.replace(TERMS, price_rial=AMOUNT_MAX, price_points=AMOUNT_MAX - 1)
    with pytest.raises(errors.TermsNotUsable):
        assessment.assess(msgspec.structs.replace(joining.basis(), terms=tiny))
    many: Terms = msgspec.structs.replace(TERMS, price_rial=1, price_points=2**40)
    with pytest.raises(errors.TermsNotUsable):
        assessment.assess(msgspec.structs.replace(joining.basis(), terms=many))


# ------------------------------------------------------------------------- the applicant's changes


@pytest.mark.SH1
def test_values_are_changed_within_their_limits_and_no_further() -> None:
    result = assessment.assess(joining.basis())
    changes = {Item.EARN_RATE_BP: 150, Item.VALIDITY_DAYS: 1_095, Item.OWN_DISCOUNT_BP: 180}
    changed, foretold = assessment.changed(joining.basis(), result, changes)
    assert {item: changed.value_of(item) for item in changes} == changes
    assert (changed.earn_points, changed.earn_per_rial) == (3, 200_000)
    assert foretold.low.issued_rial < result.forecast.low.issued_rial
    assert assessment.changed(joining.basis(), result, {}) == (result.scheme, result.forecast)
    for advice in result.scheme.values:
        for wrong in (advice.minimum - 1, advice.maximum + 1):
            with pytest.raises(errors.OutsideLimits) as refused:
                scheme.change(result.scheme, {advice.item: wrong}, TERMS)
            (problem,) = refused.value.extra["problems"]
            assert (problem["item"], problem["minimum"], problem["maximum"]) == (
                advice.item,
                advice.minimum,
                advice.maximum,
            )


# ------------------------------------------------------------------------------------------ states


@pytest.mark.parametrize("present", list(State))
@pytest.mark.parametrize("wanted", list(State))
def test_a_state_follows_on_those_that_the_table_says(present: State, wanted: State) -> None:
    allowed = {
        *(("applicant", "assessed"), ("applicant", "rejected"), ("applicant", "withdrawn")),
        *(("assessed", "approved"), ("assessed", "rejected"), ("assessed", "withdrawn")),
        *(("approved", "active"), ("approved", "withdrawn")),
    }
    if (present.value, wanted.value) in allowed:
        applications.check_transition(present, wanted)
    else:
        with pytest.raises(errors.OtherState) as refused:
            applications.check_transition(present, wanted)
        assert refused.value.extra == {"state": present.value}


def test_who_assessed_does_not_approve() -> None:
    applications.check_second_person("one", "another")
    with pytest.raises(errors.SecondPersonNeeded):
        applications.check_second_person("one", "one")


@pytest.mark.NH11
def test_every_warning_is_named_by_who_approves() -> None:
    warnings = assessment.assess(joining.basis(margin_percent=0)).forecast.warnings
    codes = [one.code for one in warnings]
    applications.check_warnings(warnings, codes)
    with pytest.raises(errors.WarningsNotAccepted) as refused:
        applications.check_warnings(warnings, codes[1:])
    assert [one["code"] for one in refused.value.extra["warnings"]] == ["rate-above-margin"]


@pytest.mark.NH24
def test_the_guided_set_up_shows_what_is_done_and_what_comes() -> None:
    done = {state: [one.code for one in applications.steps(state) if one.done] for state in State}
    assert done == {
        State.APPLICANT: ["goals"],
        State.ASSESSED: ["goals", "scheme"],
        State.APPROVED: ["goals", "scheme", "approval"],
        State.ACTIVE: ["goals", "scheme", "approval", "activation"],
        State.REJECTED: [],
        State.WITHDRAWN: [],
    }
    assert [one.code for one in applications.steps(State.ACTIVE)][4:] == ["terminals", "evaluation"]
    selling = applications.steps(State.ACTIVE, has_terminal=True)
    assert [one.code for one in selling if not one.done] == ["evaluation"]
