"""What the assessment needs of an application's answers, as numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from contracts.values import AMOUNT_MAX
from merchants.onboarding.domain import errors
from merchants.onboarding.domain.questionnaire import (
    Answers,
    AnyQuestion,
    AskedIf,
    ChoiceQuestion,
    DateQuestion,
    IntegerQuestion,
    Questionnaire,
)


class Goal(StrEnum):
    """What a merchant wants of its scheme."""

    ACQUIRE = "acquire"  # new customers
    RETAIN = "retain"  # customers who come back
    FREQUENCY = "frequency"  # more purchases of each
    BASKET = "basket"  # larger baskets


class Size(StrEnum):
    """Of a business, by the people who work in it."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class SalesChannel(StrEnum):
    """Where a business sells."""

    TILL = "till"
    ONLINE = "online"
    BOTH = "both"


class Competitors(StrEnum):
    """What the businesses nearby do."""

    NONE = "none"
    WITHOUT_CLUB = "without-club"
    WITH_CLUB = "with-club"


@dataclass(frozen=True, slots=True)
class Target:
    """A goal: by so many percent, by a day. question: that named it."""

    goal: Goal
    percent: int
    by: date
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An applicant's business. Amounts in Rial; margin: gross, of sales; customers: of a year."""

    sector: str
    size: Size
    branches: int
    channel: SalesChannel
    margin_bp: int
    customers: int
    purchases_per_year: int
    basket_rial: int
    competitors: Competitors
    competitor_rate_bp: int
    targets: tuple[Target, ...]

    @property
    def sales_rial(self) -> int:
        """Sales of a month, rounded down."""
        return self.customers * self.purchases_per_year * self.basket_rial // 12

    @property
    def purchases(self) -> int:
        """Purchases of a month, rounded down."""
        return self.customers * self.purchases_per_year // 12


GOALS: Final = tuple(Goal)
# What every questionnaire asks, whatever else it asks. Bounds keep a month's sums exact.
_CHOICES: Final[dict[str, type[StrEnum] | None]] = {
    "sector": None,
    "size": Size,
    "channel": SalesChannel,
    "competitors": Competitors,
    "goal": Goal,
}
_INTEGERS: Final = {  # with the widest bounds and the unit
    "branches": (1, 100_000, "branches"),
    "margin_percent": (0, 100, "percent"),
    "customers": (1, 100_000_000, "customers"),
    "purchases_per_year": (1, 366, "purchases"),
    "basket_rial": (1, 10_000_000_000, "rial"),
    "competitor_reward_percent": (0, 100, "percent"),
    "goal_target_percent": (1, 1_000, "percent"),
}
_MAY_BE_MISSING: Final = {"competitor_reward_percent", "second_goal"}
_WITH_SECOND_GOAL: Final = AskedIf("second_goal")


def facts_of(answers: Answers) -> Facts:
    """The facts of answers that a questionnaire took.

    Raises AnswersInvalid where a month's sales are beyond what a message carries exactly.
    """
    facts = Facts(
        sector=str(answers["sector"]),
        size=Size(str(answers["size"])),
        branches=int(answers["branches"]),
        channel=SalesChannel(str(answers["channel"])),
        margin_bp=int(answers["margin_percent"]) * 100,
        customers=int(answers["customers"]),
        purchases_per_year=int(answers["purchases_per_year"]),
        basket_rial=int(answers["basket_rial"]),
        competitors=Competitors(str(answers["competitors"])),
        competitor_rate_bp=int(answers.get("competitor_reward_percent", 0)) * 100,
        targets=tuple(_targets(answers)),
    )
    if facts.sales_rial > AMOUNT_MAX:
        fa = "فروش ماهانه بیش از اندازه بزرگ است؛ شمار مشتریان، خریدها و مبلغ سبد را بازبینی کنید."
        en = "basket_rial: a month's sales are too large; compare customers, purchases and basket"
        problem = {"question": "basket_rial", "code": "sales-too-large", "fa": fa, "en": en}
        raise errors.with_problems(errors.AnswersInvalid, [problem])
    return facts


def _targets(answers: Answers) -> Iterator[Target]:
    for question in ("goal", "second_goal"):
        if question in answers:
            yield Target(
                goal=Goal(str(answers[question])),
                percent=int(answers[f"{question}_target_percent"]),
                by=date.fromisoformat(str(answers[f"{question}_by"])),
                question=question,
            )


# --------------------------------------------------------------------------- of a questionnaire


def faults_of(paper: Questionnaire) -> list[dict[str, Any]]:
    """Why a questionnaire cannot be used: path, and what must be, in English."""
    faults = list(_order_faults(paper))
    by_id = {question.id: question for question in paper.questions}
    second = "second_goal" in by_id
    choices = _CHOICES | ({"second_goal": Goal} if second else {})
    integers = _INTEGERS | ({"second_goal_target_percent": (1, 1_000, "percent")} if second else {})
    for name, kind in choices.items():
        faults += _choice_faults(name, by_id.get(name), kind)
    for name, bounds in integers.items():
        faults += _integer_faults(name, by_id.get(name), bounds)
    for name in ("goal_by", *(("second_goal_by",) if second else ())):
        question = by_id.get(name)
        if isinstance(question, DateQuestion):
            faults += _answered_faults(question)
        else:
            faults.append(_fault(name, "must be asked, as a date"))
    return faults


def _fault(question: str, en: str) -> dict[str, Any]:
    return {"path": f"/questions/{question}", "en": f"{question}: {en}"}


def _order_faults(paper: Questionnaire) -> Iterator[dict[str, Any]]:
    before: dict[str, AnyQuestion] = {}
    for question in paper.questions:
        if question.id in before:
            yield _fault(question.id, "asked twice")
        condition = question.asked_if
        if condition is not None:
            earlier = before.get(condition.question)
            if earlier is None:
                yield _fault(question.id, "asked_if names no earlier question")
            elif condition.choice and not _has_choice(earlier, condition.choice):
                yield _fault(question.id, f"asked_if: no choice {condition.choice}")
        before[question.id] = question


def _has_choice(question: AnyQuestion, code: str) -> bool:
    return isinstance(question, ChoiceQuestion) and any(c.code == code for c in question.choices)


def _choice_faults(
    name: str, question: AnyQuestion | None, kind: type[StrEnum] | None
) -> Iterator[dict[str, Any]]:
    if not isinstance(question, ChoiceQuestion):
        yield _fault(name, "must be asked, as a choice")
        return
    codes = [choice.code for choice in question.choices]
    if len(set(codes)) < len(codes):
        yield _fault(name, "a choice stands twice")
    if kind is not None and not set(codes) <= {one.value for one in kind}:
        yield _fault(name, f"choices are some of {', '.join(kind)}")
    yield from _answered_faults(question)


def _integer_faults(
    name: str, question: AnyQuestion | None, bounds: tuple[int, int, str]
) -> Iterator[dict[str, Any]]:
    least, most, unit = bounds
    if not isinstance(question, IntegerQuestion):
        yield _fault(name, "must be asked, as an integer")
        return
    if question.unit != unit or not least <= question.minimum <= question.maximum <= most:
        yield _fault(name, f"counts {unit}, from {least} to {most} at the widest")
    yield from _answered_faults(question)


def _answered_faults(question: AnyQuestion) -> Iterator[dict[str, Any]]:
    """Whether what the assessment needs may stay without an answer."""
    if question.id in _MAY_BE_MISSING:
        return
    of_second = question.id.startswith("second_goal_")
    condition = _WITH_SECOND_GOAL if of_second else None
    if question.optional or question.asked_if != condition:
        always = "whenever second_goal is answered" if of_second else "always"
        yield _fault(question.id, f"must be answered {always}")
