"""Indicators to watch, each with its target. Source: SH1."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from merchants.onboarding.domain.facts import Facts
from merchants.onboarding.domain.forecast import Forecast
from merchants.onboarding.domain.rules import Rules, goal_rule
from merchants.onboarding.domain.scheme import Item, Scheme


class Bound(StrEnum):
    """On which side of its target an indicator should be."""

    AT_LEAST = "at-least"
    AT_MOST = "at-most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What to watch. target: in unit (bp, rial). by: the day of a goal; None: every month.

    question: the answer that the target comes from; empty: the rules' assumption.
    """

    code: str
    fa: str
    en: str
    unit: str
    bound: Bound
    target: int
    by: date | None
    question: str


def indicators(
    facts: Facts, rules: Rules, scheme: Scheme, forecast: Forecast
) -> tuple[Indicator, ...]:
    """The applicant's own goals first, then what every scheme is watched by."""
    return (*_of_goals(facts, rules), *_of_every_scheme(scheme, forecast))


def _of_goals(facts: Facts, rules: Rules) -> Iterator[Indicator]:
    for target in facts.targets:
        row = goal_rule(rules, target.goal)
        yield Indicator(
            code=row.indicator,
            fa=row.fa,
            en=row.en,
            unit="bp",
            bound=Bound.AT_LEAST,
            target=target.percent * 100,
            by=target.by,
            question=f"{target.question}_target_percent",
        )


def _of_every_scheme(scheme: Scheme, forecast: Forecast) -> Iterator[Indicator]:
    yield _monthly(
        "participation",
        ("سهم اعضا از فروش", "The members' share of sales"),
        Bound.AT_LEAST,
        forecast.middle.participation_bp,
    )
    yield _monthly(
        "redemption",
        ("سهم امتیازهای خرج‌شده از امتیازهای داده‌شده", "Points spent of points issued"),
        Bound.AT_LEAST,
        forecast.middle.redemption_bp,
    )
    yield _monthly(
        "cost-of-sales",
        ("بهای امتیاز به فروش اعضا", "The cost of points in the members' sales"),
        Bound.AT_MOST,
        scheme.value_of(Item.EARN_RATE_BP),
    )
    uplift_bp = forecast.middle.break_even_uplift_bp
    if uplift_bp is not None:
        yield _monthly(
            "uplift",
            ("رشد خرید اعضا تا سربه‌سر شدن", "The uplift of members' purchases to break even"),
            Bound.AT_LEAST,
            uplift_bp,
        )


def _monthly(code: str, words: tuple[str, str], bound: Bound, target_bp: int) -> Indicator:
    return Indicator(
        code=code,
        fa=words[0],
        en=words[1],
        unit="bp",
        bound=bound,
        target=target_bp,
        by=None,
        question="",
    )
