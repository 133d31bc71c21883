"""Versioned rules over windows: what they are, which are in force, why they fired."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from contracts.fraud import Verdict
from contracts.values import AMOUNT_MAX, Kind, Reason, micros
from fraud.domain import windows
from kit import errors

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,47}$")]
Text = Annotated[str, Meta(min_length=1, max_length=300)]


class Rule(Struct, frozen=True, kw_only=True):
    """One version of a rule: it fires when its value is above the threshold.

    In force from effective_from on, by the time that windows go by, until a higher version is; a
    version with enabled false retires it. on_purchase, on_redemption: what a firing asks for there
    (a redemption is never held). on_history: whether imported history feels it. fa, en: reason,
    with {value} and {threshold}.
    """

    rule: Slug
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    effective_from: datetime
    enabled: bool = True
    over: windows.Subject
    counts: windows.Counted
    measure: windows.Measure
    window: windows.Window
    threshold: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    on_purchase: Verdict
    on_redemption: Verdict
    on_history: bool = False
    fa: Text
    en: Text


class LiveRule(Struct, frozen=True):
    """A rule as the road uses it: what never changes is looked up once."""

    rule: Rule
    name: str
    version: int
    threshold: int
    of_account: bool
    value: windows.Value


def check(rule: Rule) -> None:
    """Raises Invalid where a rule could not do what it says. Source: fraud reference 5.1."""
    if rule.on_redemption is Verdict.HOLD:
        raise errors.Invalid(
            "a redemption is never held; let on_redemption be decline or allow",
            code="redemption-never-held",
            fa="خرج امتیاز هرگز نگه داشته نمی‌شود؛ on_redemption باید decline یا allow باشد.",
        )
    if rule.measure is not windows.Measure.SUM_RIAL and rule.threshold >= windows.EVENTS_MAX:
        raise errors.Invalid(
            f"a threshold of events or merchants is below {windows.EVENTS_MAX}, the events kept",
            code="threshold-too-high",
            fa="آستانهٔ تعداد باید کمتر از شمار رویدادهای نگه‌داشته‌شده باشد.",
        )


class Rulebook:
    """All versions of all rules; revision: of the table it was read from."""

    __slots__ = ("_sets", "_since", "revision")

    def __init__(self, rules: Iterable[Rule], revision: int) -> None:
        versions = sorted(rules, key=lambda rule: (rule.rule, rule.version))
        self.revision = revision
        self._since = sorted({micros(rule.effective_from) for rule in versions})
        self._sets = [_in_force(versions, since) for since in self._since]

    def in_force(self, at: int) -> tuple[LiveRule, ...]:
        """The rules that count at a time in microseconds, by name."""
        place = bisect_right(self._since, at)
        return self._sets[place - 1] if place else ()


def _in_force(versions: Sequence[Rule], at: int) -> tuple[LiveRule, ...]:
    newest = {rule.rule: rule for rule in versions if micros(rule.effective_from) <= at}
    return tuple(
        LiveRule(
            rule,
            rule.rule,
            rule.version,
            rule.threshold,
            rule.over is windows.Subject.ACCOUNT,
            windows.value_of(rule.counts, rule.measure, rule.window),
        )
        for rule in newest.values()
        if rule.enabled
    )


def action(rule: Rule, kind: Kind) -> Verdict:
    """What a firing asks for, of a purchase or a redemption."""
    return rule.on_redemption if kind is Kind.REDEMPTION else rule.on_purchase


def reason_of(rule: Rule, value: int) -> Reason:
    """Why a rule fired, with value and threshold in both texts."""
    shown, limit = f"{value:,}", f"{rule.threshold:,}"
    return Reason(
        code=rule.rule,
        fa=_filled(rule.fa, persian_digits(shown), persian_digits(limit)),
        en=_filled(rule.en, shown, limit),
        rule=rule.rule,
        version=rule.version,
    )


def persian_digits(number: str) -> str:
    """A number's text in Persian digits and separators."""
    return number.translate(_PERSIAN)


_PERSIAN: Final = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")


def _filled(template: str, value: str, threshold: str) -> str:
    return template.replace("{value}", value).replace("{threshold}", threshold)
