"""What a scheme costs under stated assumptions: three scenarios, the worst basket, warnings.

Amounts are Rial of one month. Source: SH1, NH11.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.merchants import Terms
from contracts.values import AMOUNT_MAX, BASIS_POINTS
from merchants.onboarding.domain import errors
from merchants.onboarding.domain.facts import Facts
from merchants.onboarding.domain.prices import Estimate
from merchants.onboarding.domain.rules import Rules, ScenarioRule
from merchants.onboarding.domain.scheme import Item, Scheme
from merchants.onboarding.domain.wording import percent_en, percent_fa, rial_en, rial_fa

UPLIFT_MAX_BP: Final = 10_000_000  # a thousandfold: nobody sells so much more


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario: what is assumed, and a month's figures.

    participation_bp: the members' share of sales. redemption_bp: the share of points that is spent.
    issued_rial = points_cost_rial + breakage_rial. running_rial: package and messages.
    break_even_uplift_bp: by how much the members must buy more for the scheme to pay for itself;
    None: no uplift up to a thousandfold does.
    """

    participation_bp: int
    redemption_bp: int
    member_sales_rial: int
    issued_points: int
    issued_rial: int
    breakage_rial: int
    points_cost_rial: int
    running_rial: int
    break_even_uplift_bp: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstBasket:
    """An average basket on which every point is spent and the whole own discount is given.

    left_rial = margin_rial - earned_rial - own_discount_rial, and may be below zero.
    """

    basket_rial: int
    margin_rial: int
    earned_rial: int
    own_discount_rial: int
    left_rial: int


class WarningCode(StrEnum):
    """Why a scheme should be looked at again before it is approved. Source: NH11."""

    RATE_ABOVE_MARGIN = "rate-above-margin"
    BASKET_BELOW_COST = "basket-below-cost"
    LARGE_PART_OF_MARGIN = "large-part-of-margin"
    NO_BREAK_EVEN = "no-break-even"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeWarning:
    """A warning and its words."""

    code: WarningCode
    fa: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A month under three scenarios, the worst basket, and what to beware of."""

    sales_rial: int
    purchases: int
    low: Scenario
    middle: Scenario
    high: Scenario
    worst_basket: WorstBasket
    warnings: tuple[SchemeWarning, ...]


def foretell(facts: Facts, rules: Rules, terms: Terms, scheme: Scheme, costs: Estimate) -> Forecast:
    """The forecast of a scheme. Raises TermsNotUsable."""
    low, middle, high = (
        _scenario(facts, rule, terms, scheme, costs)
        for rule in (rules.low, rules.middle, rules.high)
    )
    basket = worst_basket(facts, scheme)
    return Forecast(
        sales_rial=facts.sales_rial,
        purchases=facts.purchases,
        low=low,
        middle=middle,
        high=high,
        worst_basket=basket,
        warnings=tuple(_warnings(facts, rules, scheme, basket, (low, middle, high))),
    )


def _scenario(
    facts: Facts, rule: ScenarioRule, terms: Terms, scheme: Scheme, costs: Estimate
) -> Scenario:
    sales_rial = facts.sales_rial * rule.participation_bp // BASIS_POINTS
    points = sales_rial * scheme.earn_points // scheme.earn_per_rial
    if points > AMOUNT_MAX:
        raise errors.TermsNotUsable("a month's points are too many; the settlement price is tiny")
    issued_rial = points * terms.price_rial // terms.price_points
    breakage_rial = issued_rial * (BASIS_POINTS - rule.redemption_bp) // BASIS_POINTS
    messages = facts.purchases * rule.participation_bp // BASIS_POINTS
    running_rial = costs.monthly_rial + messages * costs.message_rial
    cost_rial = issued_rial - breakage_rial
    rate_bp = scheme.value_of(Item.EARN_RATE_BP)
    kept = facts.margin_bp * BASIS_POINTS - rate_bp * rule.redemption_bp
    return Scenario(
        participation_bp=rule.participation_bp,
        redemption_bp=rule.redemption_bp,
        member_sales_rial=sales_rial,
        issued_points=points,
        issued_rial=issued_rial,
        breakage_rial=breakage_rial,
        points_cost_rial=cost_rial,
        running_rial=running_rial,
        break_even_uplift_bp=break_even_uplift(cost_rial + running_rial, sales_rial, kept),
    )


def break_even_uplift(cost_rial: int, member_sales_rial: int, kept: int) -> int | None:
    """Uplift of the members' sales, in basis points rounded up, whose margin pays the cost.

    kept: what further sales leave, their margin less the cost of points spent, in 1 / 10^8. None
    where they leave nothing, where there are none, or above UPLIFT_MAX_BP.
    """
    per_uplift = member_sales_rial * kept
    if per_uplift <= 0:
        return None
    uplift_bp = -(-cost_rial * BASIS_POINTS**3 // per_uplift)
    return uplift_bp if uplift_bp <= UPLIFT_MAX_BP else None


def worst_basket(facts: Facts, scheme: Scheme) -> WorstBasket:
    """The average basket at its dearest: costs are rounded up, the margin down."""
    rial = facts.basket_rial
    margin_rial = rial * facts.margin_bp // BASIS_POINTS
    earned_rial = -(-rial * scheme.value_of(Item.EARN_RATE_BP) // BASIS_POINTS)
    discount_rial = -(-rial * scheme.value_of(Item.OWN_DISCOUNT_BP) // BASIS_POINTS)
    discount_rial = min(discount_rial, scheme.value_of(Item.OWN_DISCOUNT_MAX_RIAL))
    return WorstBasket(
        basket_rial=rial,
        margin_rial=margin_rial,
        earned_rial=earned_rial,
        own_discount_rial=discount_rial,
        left_rial=margin_rial - earned_rial - discount_rial,
    )


def _warnings(
    facts: Facts,
    rules: Rules,
    scheme: Scheme,
    basket: WorstBasket,
    scenarios: tuple[Scenario, Scenario, Scenario],
) -> Iterator[SchemeWarning]:
    rate_bp = scheme.value_of(Item.EARN_RATE_BP)
    if rate_bp > facts.margin_bp:
        yield SchemeWarning(
            code=WarningCode.RATE_ABOVE_MARGIN,
            fa=f"نرخ امتیاز، {percent_fa(rate_bp)}، از سود ناخالص، {percent_fa(facts.margin_bp)}،"
            " بیشتر است: هر فروش زیان می‌دهد.",
            en=f"The earn rate of {percent_en(rate_bp)} is above the gross margin of"
            f" {percent_en(facts.margin_bp)}: every sale loses money.",
        )
    if basket.left_rial < 0:
        yield SchemeWarning(
            code=WarningCode.BASKET_BELOW_COST,
            fa=f"در بدترین سبد {rial_fa(-basket.left_rial)} از جیب شما می‌رود.",
            en=f"The worst basket costs you {rial_en(-basket.left_rial)} more than it earns.",
        )
    elif rate_bp * BASIS_POINTS > facts.margin_bp * rules.warning_share_bp:
        yield SchemeWarning(
            code=WarningCode.LARGE_PART_OF_MARGIN,
            fa=f"امتیاز بیش از {percent_fa(rules.warning_share_bp)} سود ناخالص را می‌گیرد.",
            en=f"Points take over {percent_en(rules.warning_share_bp)} of the gross margin.",
        )
    if any(one.break_even_uplift_bp is None for one in scenarios):
        yield SchemeWarning(
            code=WarningCode.NO_BREAK_EVEN,
            fa="با هیچ اندازه فروش بیشتر، هزینهٔ طرح برنمی‌گردد.",
            en="No uplift of sales pays for the scheme.",
        )
