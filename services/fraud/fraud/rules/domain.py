"""Rules: a version's fields, the check that it can work, and the reasons it gives."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from contracts.members import IdentifierKind
from contracts.values import AMOUNT_MAX, SPENDS, Kind, Reason
from kit.base import errors

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,47}$")]
Text = Annotated[str, Meta(min_length=1, max_length=300)]


LAPSE_MAX_RIAL: Final = 1_000_000_000
EVENTS_MAX: Final = 512  # kept of one key and series; beyond it the oldest are forgotten


class Subject(StrEnum):
    """Whose events are counted, and which of them.

    A stranger's attempts must not count against his victim at other merchants: the network's
    windows count only allowed events, and attempts count only where they were made (findings S8).
    """

    ACCOUNT = "account"  # allowed sales and all undos, at every merchant
    CARD = "card"  # allowed redemptions of one identifier: a card, a mobile number, a QR
    CARD_AT_MERCHANT = (
        "card_at_merchant"  # of one identifier at one merchant; declined ones: 0 Rial
    )
    TERMINAL = "terminal"  # allowed sales of a day of Tehran, over all shards, as last heard
    MERCHANT = "merchant"  # the same of all its terminals


DAYS: Final = frozenset((Subject.TERMINAL, Subject.MERCHANT))  # summed by day, not by window


class Counted(StrEnum):
    """Which events are counted. Undos (refunds, reversals) are a series of their own."""

    SALES = "sales"  # purchases and redemptions
    PURCHASES = "purchases"
    REDEMPTIONS = "redemptions"
    UNDOS = "undos"


class Measure(StrEnum):
    """The number taken of the counted events."""

    COUNT = "count"
    SUM_RIAL = "sum_rial"
    MERCHANTS = "merchants"  # distinct ones


class Window(StrEnum):
    """How far back, in event time: (t - window, t], the event at t included."""

    TEN_MINUTES = "10m"
    HOUR = "1h"
    DAY = "1d"


class Action(StrEnum):
    """The action of a firing rule. REVIEW is written "hold" by operators and in kept versions."""

    ALLOW = "allow"
    REVIEW = "hold"
    DECLINE = "decline"


class Rule(Struct, frozen=True, kw_only=True):
    """One version of a rule: it fires when its value is above the threshold.

    In force from effective_from on, in the time of the windows, until a higher version is. A
    version with enabled false retires the rule. on_purchase, on_redemption: the action there (a
    redemption is never reviewed). on_history: whether it acts on imported history. identifiers: it
    applies only where one of these kinds was shown; empty: to any. lapse_max_rial: an earning that
    this rule sends to review and nobody reviews becomes available at its due time where its basket
    is at most so many Rial, and is cancelled where it is more (findings S15). fa, en: the reason,
    with {value}, {threshold} and {shown} (the card, mobile number or QR code shown).
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
    on_purchase: Action
    on_redemption: Action
    on_history: bool = False
    identifiers: tuple[IdentifierKind, ...] = ()
    lapse_max_rial: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] = LAPSE_MAX_RIAL
    fa: Text
    en: Text


class Threshold(Struct, frozen=True):
    """A rule's threshold on a sum of a day, in Rial: over whom, and of which events."""

    over: Subject
    counts: Counted
    rial: int


def check(rule: Rule) -> None:
    """Raises Invalid where a rule could not work as written. Source: fraud reference 5.1."""
    if rule.on_redemption is Action.REVIEW:
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
    if rule.measure is not Measure.SUM_RIAL and rule.threshold >= EVENTS_MAX:
        raise errors.Invalid(
            f"a threshold of events or merchants is below {EVENTS_MAX}, the events kept",
            code="threshold-too-high",
            fa="آستانهٔ تعداد باید کمتر از شمار رویدادهای نگه‌داشته‌شده باشد.",
        )


def _of_a_day(rule: Rule) -> bool:
    summed = rule.counts in (Counted.PURCHASES, Counted.REDEMPTIONS)
    return summed and rule.measure is Measure.SUM_RIAL and rule.window is Window.DAY


def action(rule: Rule, kind: Kind) -> Action:
    """The rule's action on what asks for a member's value, or on what sells and earns."""
    return rule.on_redemption if kind in SPENDS else rule.on_purchase


def reason_of(rule: Rule, value: int, kind: IdentifierKind | None) -> Reason:
    """Why a rule fired, with value, threshold and the identifier's kind in both texts."""
    reached, limit = f"{value:,}", f"{rule.threshold:,}"
    fa, en = IDENTIFIER_NAMES[kind]
    return Reason(
        code=rule.rule,
        fa=_filled(rule.fa, persian_digits(reached), persian_digits(limit), fa),
        en=_filled(rule.en, reached, limit, en),
        rule=rule.rule,
        version=rule.version,
    )


IDENTIFIER_NAMES: Final = {
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


def _filled(template: str, value: str, threshold: str, identifier: str) -> str:
    text = template.replace("{value}", value).replace("{threshold}", threshold)
    return text.replace("{shown}", identifier)
