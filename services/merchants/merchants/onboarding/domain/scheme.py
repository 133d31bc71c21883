"""The recommended scheme: each value with its limits, the reason, and the answer behind it.

Whole numbers and exact shares; each division says which way it rounds. Source: SH1, NH11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import gcd

from contracts.merchants import Terms
from contracts.text import number_fa
from contracts.values import AMOUNT_MAX, BASIS_POINTS
from merchants.onboarding.domain import errors
from merchants.onboarding.domain.facts import Competitors, Facts, Goal
from merchants.onboarding.domain.rules import Rules, goal_rule
from merchants.onboarding.domain.wording import percent_en, percent_fa, rial_en, rial_fa


class Kind(StrEnum):
    """Kinds of scheme."""

    POINTS = "points"
    POINTS_AND_BONUS = "points-and-bonus"  # bonus rules beside the base points
    POINTS_AND_DISCOUNT = "points-and-discount"  # a discount of its own on what is spent here


class Item(StrEnum):
    """Values of a scheme."""

    EARN_RATE_BP = "earn_rate_bp"
    PRICE_RIAL = "price_rial"
    VALIDITY_DAYS = "validity_days"
    ACTIVATION_DAYS = "activation_days"
    REDEEM_MIN_POINTS = "redeem_min_points"
    REDEEM_MAX_SHARE_BP = "redeem_max_share_bp"
    OWN_DISCOUNT_BP = "own_discount_bp"
    OWN_DISCOUNT_MAX_RIAL = "own_discount_max_rial"
    BUDGET_RIAL = "budget_rial"
    WELCOME_CREDIT_RIAL = "welcome_credit_rial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoned:
    """Why: a code, the question whose answer it comes from, and words of both languages."""

    code: str
    question: str
    fa: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A recommended value. The applicant may choose another from minimum to maximum.

    unit: bp, rial, days or points. Where minimum is maximum nothing can be chosen.
    """

    item: Item
    value: int
    minimum: int
    maximum: int
    unit: str
    reason: Reasoned


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A kind of scheme and its values. earn_points for every earn_per_rial Rial is its rate.

    price_points: network points that price_rial Rial settle.
    """

    kind: Kind
    kind_reason: Reasoned
    values: tuple[Advice, ...]
    earn_points: int
    earn_per_rial: int
    price_points: int

    def value_of(self, item: Item) -> int:
        """The value of an item."""
        return next(advice.value for advice in self.values if advice.item is item)


def recommend(facts: Facts, rules: Rules, terms: Terms) -> Scheme:
    """The scheme that the rules recommend; the budget comes with the forecast.

    Raises TermsNotUsable.
    """
    rate = _earn_rate(facts, rules)
    kind, kind_reason = _kind(facts, rules)
    values = (
        rate,
        _price(terms),
        _validity(facts, rules),
        _activation(facts, rules),
        _redeem_min(rules, terms),
        _redeem_share(facts, rules),
        *_own_discount(facts, rules, kind),
        _welcome(facts, rules),
    )
    earn_points, earn_per_rial = earn_terms(rate.value, terms)
    return Scheme(
        kind=kind,
        kind_reason=kind_reason,
        values=values,
        earn_points=earn_points,
        earn_per_rial=earn_per_rial,
        price_points=terms.price_points,
    )


def change(scheme: Scheme, changes: Mapping[Item, int], terms: Terms) -> Scheme:
    """The scheme with the applicant's own values. Raises OutsideLimits, TermsNotUsable."""
    problems = [
        {
            "item": advice.item.value,
            "minimum": advice.minimum,
            "maximum": advice.maximum,
            "fa": f"از {number_fa(advice.minimum)} تا {number_fa(advice.maximum)}",
            "en": f"{advice.item}: from {advice.minimum} to {advice.maximum}",
        }
        for advice in scheme.values
        if advice.item in changes and not advice.minimum <= changes[advice.item] <= advice.maximum
    ]
    if problems:
        raise errors.with_problems(errors.OutsideLimits, problems)
    values = tuple(
        replace(advice, value=changes.get(advice.item, advice.value)) for advice in scheme.values
    )
    changed = replace(scheme, values=values)
    earn_points, earn_per_rial = earn_terms(changed.value_of(Item.EARN_RATE_BP), terms)
    return replace(changed, earn_points=earn_points, earn_per_rial=earn_per_rial)


def earn_terms(rate_bp: int, terms: Terms) -> tuple[int, int]:
    """(earn_points, earn_per_rial): the exact fraction at which points cost rate_bp of a sale.

    Raises TermsNotUsable where a number of it is beyond what a message carries exactly.
    """
    points = rate_bp * terms.price_points
    rial = BASIS_POINTS * terms.price_rial
    divisor = gcd(points, rial)
    if max(points, rial) // divisor > AMOUNT_MAX:
        raise errors.TermsNotUsable(
            f"{terms.price_rial} Rial for {terms.price_points} points gives no usable earn rate"
        )
    return points // divisor, rial // divisor


# ------------------------------------------------------------------------------------- each value


def _earn_rate(facts: Facts, rules: Rules) -> Advice:
    """A share of the margin by the main goal, in whole steps; a rival's rate up to the ceiling."""
    goal = facts.targets[0].goal
    share_bp = goal_rule(rules, goal).margin_share_bp
    by_margin = _down(facts.margin_bp * share_bp // BASIS_POINTS, rules.rate_step_bp)
    most = _down(facts.margin_bp * rules.rate_max_share_bp // BASIS_POINTS, rules.rate_step_bp)
    most = max(most, rules.rate_min_bp)
    value = min(max(by_margin, rules.rate_min_bp), most)
    code, question = "share-of-margin", "margin_percent"
    fa = f"{percent_fa(share_bp)} از سود ناخالص شما برای این هدف به امتیاز می‌رسد."
    en = f"For this goal {percent_en(share_bp)} of your gross margin goes into points."
    if by_margin < rules.rate_min_bp:
        code = "least-rate"
        fa = f"کمتر از {percent_fa(rules.rate_min_bp)} را مشتری حس نمی‌کند."
        en = f"Below {percent_en(rules.rate_min_bp)} customers do not notice it."
    if facts.competitor_rate_bp > value:
        code, question = "as-competitor", "competitor_reward_percent"
        value = min(_up(facts.competitor_rate_bp, rules.rate_step_bp), most)
        fa = f"رقیب {percent_fa(facts.competitor_rate_bp)} می‌دهد و سود شما همین اندازه را می‌پذیرد."
        en = f"A competitor gives {percent_en(facts.competitor_rate_bp)}, which your margin bears."
        if value < facts.competitor_rate_bp:
            code = "below-competitor"
            fa = f"رقیب بیشتر می‌دهد؛ سود شما بیش از {percent_fa(most)} را نمی‌پذیرد."
            en = f"A competitor gives more; your margin does not bear over {percent_en(most)}."
    return Advice(
        item=Item.EARN_RATE_BP,
        value=value,
        minimum=rules.rate_min_bp,
        maximum=most,
        unit="bp",
        reason=Reasoned(code=code, question=question, fa=fa, en=en),
    )


def _kind(facts: Facts, rules: Rules) -> tuple[Kind, Reasoned]:
    if facts.purchases_per_year <= rules.rare_purchases_max:
        return Kind.POINTS_AND_DISCOUNT, Reasoned(
            code="rare-purchases",
            question="purchases_per_year",
            fa="خریدها کم‌شمارند؛ تخفیف خودتان کسانی را می‌آورد که امتیاز را جای دیگر گرفته‌اند.",
            en="Purchases are rare; your own discount brings people with points from elsewhere.",
        )
    if facts.targets[0].goal in (Goal.FREQUENCY, Goal.BASKET):
        return Kind.POINTS_AND_BONUS, Reasoned(
            code="bonus-for-goal",
            question="goal",
            fa="برای این هدف، قاعدهٔ پاداش در کنار امتیاز پایه رفتار را بهتر جهت می‌دهد.",
            en="For this goal bonus rules beside the base points steer behaviour better.",
        )
    return Kind.POINTS, Reasoned(
        code="plain-points",
        question="goal",
        fa="برای این هدف، امتیاز برای هر خرید ساده‌ترین و روشن‌ترین طرح است.",
        en="For this goal points for every purchase are the simplest and clearest scheme.",
    )


def _price(terms: Terms) -> Advice:
    return _fixed(
        Item.PRICE_RIAL,
        terms.price_rial,
        "rial",
        Reasoned(
            code="network-terms",
            question="",
            fa=f"نرخ تسویهٔ شبکه: {rial_fa(terms.price_rial)} برای"
            f" {number_fa(terms.price_points)} امتیاز.",
            en=f"The network's settlement price: {terms.price_rial:,} Rial for"
            f" {terms.price_points:,} points.",
        ),
    )


def _validity(facts: Facts, rules: Rules) -> Advice:
    row = next(r for r in rules.validities if facts.purchases_per_year >= r.purchases_min)
    return Advice(
        item=Item.VALIDITY_DAYS,
        value=row.days,
        minimum=rules.validity_min_days,
        maximum=rules.validity_max_days,
        unit="days",
        reason=Reasoned(
            code="by-frequency",
            question="purchases_per_year",
            fa=f"با {number_fa(facts.purchases_per_year)} خرید در سال، مشتری در"
            f" {number_fa(row.days)} روز به خرج کردن می‌رسد.",
            en=f"With {facts.purchases_per_year} purchases a year a customer comes to spend within"
            f" {row.days} days.",
        ),
    )


def _activation(facts: Facts, rules: Rules) -> Advice:
    days = rules.activation_days[facts.channel]
    return Advice(
        item=Item.ACTIVATION_DAYS,
        value=days,
        minimum=0,
        maximum=rules.activation_max_days,
        unit="days",
        reason=Reasoned(
            code="return-period",
            question="channel",
            fa=f"امتیاز پس از مهلت برگشت کالا قابل خرج می‌شود: {number_fa(days)} روز.",
            en=f"Points can be spent once goods can no longer come back: {days} days.",
        ),
    )


def _redeem_min(rules: Rules, terms: Terms) -> Advice:
    points = -(-rules.redeem_min_rial * terms.price_points // terms.price_rial)
    return Advice(
        item=Item.REDEEM_MIN_POINTS,
        value=min(points, AMOUNT_MAX),
        minimum=0,
        maximum=min(points, AMOUNT_MAX),
        unit="points",
        reason=Reasoned(
            code="worth-the-while",
            question="",
            fa=f"خرج کمتر از {rial_fa(rules.redeem_min_rial)} وقت فروشنده و مشتری را می‌گیرد.",
            en=f"To spend under {rial_en(rules.redeem_min_rial)} costs everybody time at the till.",
        ),
    )


def _redeem_share(facts: Facts, rules: Rules) -> Advice:
    row = next(r for r in rules.redeem_shares if facts.margin_bp >= r.margin_min_bp)
    return Advice(
        item=Item.REDEEM_MAX_SHARE_BP,
        value=row.share_bp,
        minimum=min(row.share_bp, BASIS_POINTS // 10),
        maximum=BASIS_POINTS,
        unit="bp",
        reason=Reasoned(
            code="cash-by-margin",
            question="margin_percent",
            fa=f"با این سود، تا {percent_fa(row.share_bp)} سبد را با امتیاز بگیرید؛ طلبش در تسویه"
            " می‌رسد.",
            en=f"With this margin take up to {percent_en(row.share_bp)} of a basket in points; the"
            " claim is paid at settlement.",
        ),
    )


def _own_discount(facts: Facts, rules: Rules, kind: Kind) -> tuple[Advice, Advice]:
    """The discount of the merchant's own: of an average basket at most, whatever is spent."""
    most = facts.margin_bp * rules.own_discount_share_bp // BASIS_POINTS
    value = most if kind is Kind.POINTS_AND_DISCOUNT else 0
    reason = Reasoned(
        code="own-discount-for-rare" if value else "no-own-discount",
        question="purchases_per_year",
        fa="تخفیف خودتان روی امتیازی که اینجا خرج می‌شود؛ هزینه‌اش با شماست.",
        en="A discount of your own on points that are spent here; you bear its cost.",
    )
    rial = facts.basket_rial * most // BASIS_POINTS
    return (
        Advice(
            item=Item.OWN_DISCOUNT_BP, value=value, minimum=0, maximum=most, unit="bp",
            reason=reason,
        ),
        Advice(
            item=Item.OWN_DISCOUNT_MAX_RIAL, value=rial if value else 0, minimum=0, maximum=rial,
            unit="rial", reason=reason,
        ),
    )  # fmt: skip


def _welcome(facts: Facts, rules: Rules) -> Advice:
    """A share of one basket's margin, in whole steps; none without competitors, but to acquire."""
    if facts.competitors is Competitors.NONE and facts.targets[0].goal is not Goal.ACQUIRE:
        reason = Reasoned(
            code="no-welcome",
            question="competitors",
            fa="رقیبی نیست و هدف جذب نیست؛ اعتبار خوشامد لازم نیست.",
            en="Nobody competes and the goal is not to acquire: no welcome credit is needed.",
        )
        return _fixed(Item.WELCOME_CREDIT_RIAL, 0, "rial", reason)
    margin_rial = facts.basket_rial * facts.margin_bp // BASIS_POINTS
    share_rial = margin_rial * rules.welcome_share_bp // BASIS_POINTS
    reason = Reasoned(
        code="share-of-one-margin",
        question="basket_rial",
        fa=f"{percent_fa(rules.welcome_share_bp)} از سود یک سبد؛ شبکه آن را با نسخه‌ای از اعتبار"
        " نخستین خرید می‌دهد.",
        en=f"{percent_en(rules.welcome_share_bp)} of one basket's margin; the network gives it with"
        " a version of the first purchase's credit.",
    )
    value = min(_down(share_rial, rules.welcome_step_rial), rules.welcome_max_rial)
    return _fixed(Item.WELCOME_CREDIT_RIAL, value, "rial", reason)


def budget(rules: Rules, high_issued_rial: int) -> Advice:
    """The budget of a month: what the high scenario issues, rounded up to whole steps."""
    value = min(_up(high_issued_rial, rules.budget_step_rial), AMOUNT_MAX)
    return _fixed(
        Item.BUDGET_RIAL,
        value,
        "rial",
        Reasoned(
            code="high-scenario",
            question="customers",
            fa="بهای امتیازهایی که در حالت پرشمار در یک ماه داده می‌شود.",
            en="The cost of the points that the high scenario issues in a month.",
        ),
    )


def _fixed(item: Item, value: int, unit: str, reason: Reasoned) -> Advice:
    return Advice(item=item, value=value, minimum=value, maximum=value, unit=unit, reason=reason)


def _down(value: int, step: int) -> int:
    return value // step * step


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
