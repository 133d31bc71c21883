"""Versioned rules over windows: what they are, which are in force, why they fired."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Final

from msgspec import Meta, Struct

from contracts.fraud import Verdict
from contracts.members import IdentifierKind
from contracts.merchants import Terms
from contracts.pos import PosTransaction
from contracts.values import AMOUNT_MAX, Kind, Reason, micros
from fraud.screening.domain import windows
from fraud.screening.domain.windows import DAYS, Counted, Measure, Subject, Window
from kit import errors
from kit.base import versions

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,47}$")]
Text = Annotated[str, Meta(min_length=1, max_length=300)]


LAPSE_MAX_RIAL: Final = 1_000_000_000
DayKey = tuple[Subject, int, date]  # a terminal's or merchant's number and a day of Tehran


class Rule(Struct, frozen=True, kw_only=True):
    """One version of a rule: it fires when its value is above the threshold.

    In force from effective_from on, by the time that windows go by, until a higher version is; a
    version with enabled false retires it. on_purchase, on_redemption: what a firing asks for there
    (a redemption is never held). on_history: whether imported history feels it. identifiers: what
    must have been shown for it to look at all; empty: anything. lapse_max_rial: an earning that
    this rule holds and nobody reviews becomes available at its due time where its basket is at
    most so many Rial, and is cancelled where it is more (findings S15). fa, en: reason, with
    {value}, {threshold} and {shown} (the card, mobile number or QR code that was shown).
    """

    rule: Slug
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    effective_from: datetime
    enabled: bool = True
    over: Subject
    counts: Counted
    measure: Measure
    window: Window
    threshold: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    on_purchase: Verdict
    on_redemption: Verdict
    on_history: bool = False
    identifiers: tuple[IdentifierKind, ...] = ()
    lapse_max_rial: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] = LAPSE_MAX_RIAL
    fa: Text
    en: Text


class LiveRule(Struct, frozen=True):
    """A rule as the road uses it: what never changes is looked up once."""

    rule: Rule
    name: str
    version: int
    threshold: int
    over: Subject
    value: windows.Value


def check(rule: Rule) -> None:
    """Raises Invalid where a rule could not do what it says. Source: fraud reference 5.1."""
    if rule.on_redemption is Verdict.HOLD:
        raise errors.Invalid(
            "a redemption is never held; let on_redemption be decline or allow",
            code="redemption-never-held",
            fa="خرج امتیاز هرگز نگه داشته نمی‌شود؛ on_redemption باید decline یا allow باشد.",
        )
    if rule.over is Subject.CARD and rule.counts is not Counted.REDEMPTIONS:
        raise errors.Invalid(
            "of a card over all merchants only redemptions are counted; let over be account or"
            " card_at_merchant",
            code="card-counts-redemptions",
            fa="از یک کارت در همهٔ فروشگاه‌ها تنها خرج امتیاز شمرده می‌شود؛ over باید account یا"
            " card_at_merchant باشد.",
        )
    if rule.over in DAYS and not _of_a_day(rule):
        raise errors.Invalid(
            "of a terminal or merchant only the sum of purchases or of redemptions in 1d is known",
            code="not-summed-by-day",
            fa="از پایانه و فروشگاه تنها جمع ریالی یک روزِ خرید یا خرج امتیاز دانسته است.",
        )
    if rule.measure is not Measure.SUM_RIAL and rule.threshold >= windows.EVENTS_MAX:
        raise errors.Invalid(
            f"a threshold of events or merchants is below {windows.EVENTS_MAX}, the events kept",
            code="threshold-too-high",
            fa="آستانهٔ تعداد باید کمتر از شمار رویدادهای نگه‌داشته‌شده باشد.",
        )


def _of_a_day(rule: Rule) -> bool:
    summed = rule.counts in (Counted.PURCHASES, Counted.REDEMPTIONS)
    return summed and rule.measure is Measure.SUM_RIAL and rule.window is Window.DAY


class Daily(Struct, frozen=True, kw_only=True):
    """What a terminal or merchant sold and took in redemptions on a day of Tehran, in Rial."""

    sold_rial: int = 0
    redeemed_rial: int = 0


_NO_SUMS: Final[Mapping[DayKey, Daily]] = {}


class Rulebook:
    """What the road decides by, beside windows; revision: of the tables it was read from.

    rules: all versions of all. terms: the network's, for what points are worth. sums: the days of
    terminals and merchants that passed a threshold, as they last did so.
    """

    __slots__ = ("_sets", "_since", "_terms", "revision", "sums")

    def __init__(
        self,
        rules: Iterable[Rule],
        revision: int,
        terms: Iterable[Terms] = (),
        sums: Mapping[DayKey, Daily] = _NO_SUMS,
    ) -> None:
        published = sorted(rules, key=lambda rule: (rule.rule, -rule.version))
        newest_first = [tuple(of_one) for _, of_one in groupby(published, lambda r: r.rule)]
        self.revision = revision
        self.sums = sums
        self._terms = {one.version: one for one in terms}
        starts = sorted({rule.effective_from for rule in published})
        self._since = [micros(start) for start in starts]
        self._sets = [_in_force(newest_first, start) for start in starts]

    def in_force(self, at: int) -> tuple[LiveRule, ...]:
        """The rules that count at a time in microseconds, by name."""
        place = bisect_right(self._since, at)
        return self._sets[place - 1] if place else ()

    def redeemed_rial(self, transaction: PosTransaction) -> int:
        """What a redemption asks to spend, in Rial at the price that the gateway stamped.

        Where those terms are not known here, the whole basket: the ledger lets no more be paid.
        """
        terms = self._terms.get(transaction.terms_version)
        if terms is None:
            return transaction.amount_rial
        points = transaction.points * terms.price_rial // terms.price_points
        return min(points + transaction.credit_rial, AMOUNT_MAX)


def _in_force(newest_first: Iterable[Sequence[Rule]], at: datetime) -> tuple[LiveRule, ...]:
    current = [versions.in_force(of_one, at) for of_one in newest_first]
    return tuple(
        LiveRule(
            rule,
            rule.rule,
            rule.version,
            rule.threshold,
            rule.over,
            windows.value_of(rule.counts, rule.measure, rule.window),
        )
        for rule in current
        if rule is not None and rule.enabled
    )


def action(rule: Rule, kind: Kind) -> Verdict:
    """What a firing asks for, of a purchase or a redemption."""
    return rule.on_redemption if kind is Kind.REDEMPTION else rule.on_purchase


def reason_of(rule: Rule, value: int, shown: IdentifierKind | None) -> Reason:
    """Why a rule fired, with value, threshold and what was shown in both texts."""
    reached, limit = f"{value:,}", f"{rule.threshold:,}"
    fa, en = SHOWN[shown]
    return Reason(
        code=rule.rule,
        fa=_filled(rule.fa, persian_digits(reached), persian_digits(limit), fa),
        en=_filled(rule.en, reached, limit, en),
        rule=rule.rule,
        version=rule.version,
    )


SHOWN: Final = {
    IdentifierKind.CARD: ("این کارت", "This card"),
    IdentifierKind.MOBILE: ("این شمارهٔ موبایل", "This mobile number"),
    IdentifierKind.QR: ("این کد QR", "This QR code"),
    IdentifierKind.EXTERNAL: ("این شناسه", "This identifier"),
    None: ("این شناسه", "This identifier"),
}


def persian_digits(number: str) -> str:
    """A number's text in Persian digits and separators."""
    return number.translate(_PERSIAN)


_PERSIAN: Final = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")


def _filled(template: str, value: str, threshold: str, shown: str) -> str:
    text = template.replace("{value}", value).replace("{threshold}", threshold)
    return text.replace("{shown}", shown)
