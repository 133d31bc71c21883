"""The words members read: templates in Persian and English, numbers as each writes them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

FOOTER: Final = "\nلغو۱۱"  # service lines must say how to leave them (regulator, Shahrivar 1401)
_PERSIAN_DIGITS: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_GROUPING: Final = "\u066c"  # Arabic thousands separator


class Template(StrEnum):
    """Everything that is ever told."""

    FIRST_PURCHASE = "first-purchase"
    RECEIPT_PURCHASE = "receipt-purchase"
    RECEIPT_REDEMPTION = "receipt-redemption"
    RECEIPT_REFUND = "receipt-refund"
    POINTS_RELEASED = "points-released"
    POINTS_CANCELLED = "points-cancelled"


class Locale(StrEnum):
    """Languages there are texts in."""

    FA = "fa"
    EN = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a text may show, of the outcome it tells.

    points: earned, spent, clawed back or cancelled, by template; pending: earned but not yet
    available. restored_points: given back by a refund. credit_rial: given or spent.
    """

    amount_rial: int = 0
    points: int = 0
    pending: bool = False
    restored_points: int = 0
    credit_rial: int = 0
    balance_points: int = 0
    balance_credit_rial: int = 0


def locale_of(text: str) -> Locale:
    """The language a contact asked for, Persian where there are no texts in it."""
    return Locale.EN if text.lower().partition("-")[0] == "en" else Locale.FA


def render(template: Template, locale: Locale, facts: Facts) -> str:
    """The text of a message, with the footer that leaves the line."""
    match locale:
        case Locale.FA:
            return _persian(template, facts) + FOOTER
        case Locale.EN:
            return _english(template, facts) + FOOTER
        case _:
            assert_never(locale)


def number_fa(value: int) -> str:
    """Persian digits in groups of three, parted by U+066C: ۱٬۲۳۴٬۵۶۷."""
    return f"{value:,}".replace(",", _GROUPING).translate(_PERSIAN_DIGITS)


def money_fa(rial: int) -> str:
    """An amount of Rial as people say it: Toman where it is whole, labelled either way."""
    toman, rest = divmod(rial, 10)
    return f"{number_fa(rial)} ریال" if rest else f"{number_fa(toman)} تومان"


def money_en(rial: int) -> str:
    """An amount in Rial, labelled."""
    return f"{rial:,} Rial"


def _persian(template: Template, facts: Facts) -> str:
    points, amount = number_fa(facts.points), money_fa(facts.amount_rial)
    credit, left = money_fa(facts.credit_rial), f"مانده {number_fa(facts.balance_points)}"
    match template:
        case Template.FIRST_PURCHASE:
            return f"پیوند: هدیهٔ نخستین خرید شما {credit} اعتبار است."
        case Template.RECEIPT_PURCHASE if facts.pending and facts.points:
            return f"پیوند: خرید {amount}. {points} امتیاز در انتظار بررسی؛ {left}"
        case Template.RECEIPT_PURCHASE if facts.points == 0:
            return f"پیوند: خرید {amount}، بی‌امتیاز؛ {left}"
        case Template.RECEIPT_PURCHASE:
            return f"پیوند: خرید {amount}، {points} امتیاز گرفتید؛ {left}"
        case Template.RECEIPT_REDEMPTION:
            spent = [f"{points} امتیاز"] if facts.points else []
            spent += [f"{credit} اعتبار"] if facts.credit_rial else []
            return f"پیوند: {' و '.join(spent)} خرج شد؛ {left}"
        case Template.RECEIPT_REFUND:
            back = [f"{points} امتیاز پس گرفته شد"] if facts.points else []
            if facts.restored_points:
                back.append(f"{number_fa(facts.restored_points)} امتیاز برگشت")
            return f"پیوند: برگشت خرید. {'، '.join([*back, left])}"
        case Template.POINTS_RELEASED:
            return f"پیوند: امتیازهای در انتظار آزاد شد؛ {left}"
        case Template.POINTS_CANCELLED:
            return f"پیوند: {points} امتیاز در انتظار پذیرفته نشد؛ {left}"
        case _:
            assert_never(template)


def _english(template: Template, facts: Facts) -> str:
    points, amount = f"{facts.points:,}", money_en(facts.amount_rial)
    credit, left = money_en(facts.credit_rial), f"balance {facts.balance_points:,}"
    match template:
        case Template.FIRST_PURCHASE:
            return f"Peyvand: {credit} credit for your first purchase."
        case Template.RECEIPT_PURCHASE if facts.pending and facts.points:
            return f"Peyvand: {amount}, {points} points under review; {left}"
        case Template.RECEIPT_PURCHASE if facts.points == 0:
            return f"Peyvand: {amount}, no points; {left}"
        case Template.RECEIPT_PURCHASE:
            return f"Peyvand: {amount}, {points} points earned; {left}"
        case Template.RECEIPT_REDEMPTION:
            spent = [f"{points} points"] if facts.points else []
            spent += [f"{credit} credit"] if facts.credit_rial else []
            return f"Peyvand: {' and '.join(spent)} spent; {left}"
        case Template.RECEIPT_REFUND:
            back = [f"{points} points taken back"] if facts.points else []
            if facts.restored_points:
                back.append(f"{facts.restored_points:,} points restored")
            return f"Peyvand: refund. {', '.join([*back, left])}"
        case Template.POINTS_RELEASED:
            return f"Peyvand: your pending points are available; {left}"
        case Template.POINTS_CANCELLED:
            return f"Peyvand: {points} pending points were not approved; {left}"
        case _:
            assert_never(template)
