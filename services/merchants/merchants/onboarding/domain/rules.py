"""The published rules of assessment: numbers alone; what each does stands in scheme and forecast.

Shares and rates are basis points, amounts Rial. docs/guides/joining.md has every rule.
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any

from msgspec import Meta, Struct

from contracts.values import BASIS_POINTS, Amount, BasisPoints, PositiveAmount
from merchants.onboarding.domain.facts import GOALS, Facts, Goal, SalesChannel, Size
from merchants.onboarding.domain.questionnaire import Id, Wording

Days = Annotated[int, Meta(ge=1, le=36_500)]
DaysOrNone = Annotated[int, Meta(ge=0, le=366)]
PositiveShare = Annotated[int, Meta(ge=1, le=BASIS_POINTS)]


class Package(StrEnum):
    """What a merchant takes of the network. Source: NH22."""

    BASIC = "basic"
    ADVANCED = "advanced"
    CUSTOM = "custom"


class _Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A row of the rules has no field that nobody knows."""


class GoalRule(_Row, frozen=True, kw_only=True):
    """Of a goal: the share of the margin that goes into points, and the indicator of it."""

    goal: Goal
    margin_share_bp: BasisPoints
    indicator: Id
    fa: Wording
    en: Wording


class ValidityRule(_Row, frozen=True, kw_only=True):
    """From so many purchases a year on, points are valid so long."""

    purchases_min: Annotated[int, Meta(ge=0, le=366)]
    days: Days


class ShareRule(_Row, frozen=True, kw_only=True):
    """From such a margin on, points pay such a share of a basket."""

    margin_min_bp: BasisPoints
    share_bp: PositiveShare


class ScenarioRule(_Row, frozen=True, kw_only=True):
    """What is assumed: the members' share of sales, and the share of points that is spent."""

    participation_bp: PositiveShare
    redemption_bp: PositiveShare


class PackageRule(_Row, frozen=True, kw_only=True):
    """A package fits from so many branches on, or by size, or by channel."""

    package: Package
    branches_min: Annotated[int, Meta(ge=1, le=1_000_000)]
    sizes: tuple[Size, ...] = ()
    channels: tuple[SalesChannel, ...] = ()


class Rules(_Row, frozen=True, kw_only=True):
    """One version. Of the tables with rows the first row that fits counts."""

    goals: tuple[GoalRule, ...]
    rate_step_bp: PositiveShare
    rate_min_bp: PositiveShare
    rate_max_share_bp: BasisPoints
    validities: tuple[ValidityRule, ...]
    validity_min_days: Days
    validity_max_days: Days
    activation_days: dict[SalesChannel, DaysOrNone]
    activation_max_days: DaysOrNone
    redeem_min_rial: Amount
    redeem_shares: tuple[ShareRule, ...]
    rare_purchases_max: Annotated[int, Meta(ge=0, le=366)]
    own_discount_share_bp: BasisPoints
    budget_step_rial: PositiveAmount
    welcome_share_bp: BasisPoints
    welcome_step_rial: PositiveAmount
    welcome_max_rial: Amount
    low: ScenarioRule
    middle: ScenarioRule
    high: ScenarioRule
    warning_share_bp: BasisPoints
    packages: tuple[PackageRule, ...]


def goal_rule(rules: Rules, goal: Goal) -> GoalRule:
    """The rule of a goal; faults_of has made sure that there is one."""
    return next(row for row in rules.goals if row.goal is goal)


def package_rule(rules: Rules, facts: Facts) -> PackageRule:
    """The first package that fits; the last one fits everybody."""
    return next(
        row
        for row in rules.packages
        if facts.branches >= row.branches_min
        or facts.size in row.sizes
        or facts.channel in row.channels
    )


def faults_of(rules: Rules) -> list[dict[str, Any]]:
    """Why rules cannot be used: path, and what must be, in English."""
    scenarios = (rules.low, rules.middle, rules.high)
    held = {
        "/goals": sorted(row.goal for row in rules.goals) == sorted(GOALS),
        "/validities": _descends([row.purchases_min for row in rules.validities]),
        "/redeem_shares": _descends([row.margin_min_bp for row in rules.redeem_shares]),
        "/validity_min_days": all(
            rules.validity_min_days <= row.days <= rules.validity_max_days
            for row in rules.validities
        ),
        "/activation_days": rules.activation_days.keys() == set(SalesChannel)
        and max(rules.activation_days.values()) <= rules.activation_max_days,
        "/rate_min_bp": rules.rate_min_bp % rules.rate_step_bp == 0,
        "/low": _rises([one.participation_bp for one in scenarios])
        and _rises([one.redemption_bp for one in scenarios]),
        "/packages": bool(rules.packages) and rules.packages[-1].branches_min == 1,
    }
    return [{"path": path, "en": f"{path}: {_MUST[path]}"} for path, ok in held.items() if not ok]


_MUST = {
    "/goals": "each goal has one row",
    "/validities": "purchases_min falls from row to row, to 0 in the last",
    "/redeem_shares": "margin_min_bp falls from row to row, to 0 in the last",
    "/validity_min_days": "every validity lies between validity_min_days and validity_max_days",
    "/activation_days": "each channel has its days, at most activation_max_days",
    "/rate_min_bp": "a whole number of rate_step_bp",
    "/low": "participation and redemption do not fall from low to middle to high",
    "/packages": "the last package is from one branch on",
}


def _descends(values: list[int]) -> bool:
    """Whether each value is below the one before it, and the last is 0."""
    falling = all(one > other for one, other in pairwise(values))
    return bool(values) and falling and values[-1] == 0


def _rises(values: list[int]) -> bool:
    return values == sorted(values)
