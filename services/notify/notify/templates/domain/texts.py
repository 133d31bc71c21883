"""The texts members read, Persian and English, with the digits of each.

A text names the shop, every unit that moved, the debt and the balance; nothing that is zero.
Source: findings F12 and §7.
"""

from datetime import date
from enum import StrEnum
from typing import Final, assert_never

from persiantools.jdatetime import JalaliDate

from contracts.members import IdentifierKind
from contracts.values import TEHRAN, Kind, tehran_day
from notify.templates.domain import segments
from notify.templates.domain.facts import Amounts, Facts

# service lines must say how to leave them (regulator, Shahrivar 1401); a Persian letter or digit
# under an English text would make all of it UCS-2, at 70 letters a part for 160
FOOTER_FA: Final = "\nلغو۱۱"
FOOTER_EN: Final = "\nStop 11"
SHOP_LETTERS_MAX: Final = 24
_PERSIAN_DIGITS: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_GROUPING: Final = "\u066c"  # Arabic thousands separator
_MONTHS_FA: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی",
    "بهمن", "اسفند",
)  # fmt: skip
_MONTHS_EN: Final = (
    "Farvardin", "Ordibehesht", "Khordad", "Tir", "Mordad", "Shahrivar", "Mehr", "Aban", "Azar",
    "Dey", "Bahman", "Esfand",
)  # fmt: skip


_KINDS_FA: Final = {
    IdentifierKind.CARD: "کارت",
    IdentifierKind.MOBILE: "شمارهٔ همراه",
    IdentifierKind.QR: "کارت مجازی",
    IdentifierKind.EXTERNAL: "شناسهٔ همکار",
}
_KINDS_EN: Final = {
    IdentifierKind.CARD: "card",
    IdentifierKind.MOBILE: "mobile",
    IdentifierKind.QR: "virtual card",
    IdentifierKind.EXTERNAL: "partner's reference",
}


class Template(StrEnum):
    """Every kind of message to a member."""

    FIRST_PURCHASE = "first-purchase"
    CREDIT_RETURNED = "credit-returned"
    RECEIPT_PURCHASE = "receipt-purchase"
    VALUE_SPENT = "value-spent"
    RECEIPT_REFUND = "receipt-refund"
    WALLET_TOPPED_UP = "wallet-topped-up"
    WALLET_GIVEN_BACK = "wallet-given-back"
    POINTS_RELEASED = "points-released"
    POINTS_CANCELLED = "points-cancelled"
    IDENTIFIER_ADDED = "identifier-added"
    IDENTIFIER_SHOWN = "identifier-shown"
    IDENTIFIER_MOVED = "identifier-moved"


class Locale(StrEnum):
    """Languages there are texts in."""

    FA = "fa"
    EN = "en"


def locale_of(text: str) -> Locale:
    """The language a contact asked for, Persian where there are no texts in it."""
    return Locale.EN if text.lower().partition("-")[0] == "en" else Locale.FA


def render(template: Template, locale: Locale, facts: Facts, *, support: str = "") -> str:
    """The text of a message, with the footer that leaves the line.

    support: the telephone number to ask at, in ASCII; "" where the platform has none.
    """
    match locale:
        case Locale.FA:
            clauses = _persian(template, facts, support.translate(_PERSIAN_DIGITS))
            return f"{_head('پیوند،', facts.shop_fa, 'پیوند')}: {'؛ '.join(clauses)}{FOOTER_FA}"
        case Locale.EN:
            shop = "" if segments.measure(facts.shop_en).ucs2 else facts.shop_en
            clauses = _english(template, facts, support)
            return f"{_head('Peyvand,', shop, 'Peyvand')}: {'; '.join(clauses)}{FOOTER_EN}"
        case _:
            assert_never(locale)


def number_fa(value: int) -> str:
    """Persian digits in groups of three, parted by U+066C: ۱٬۲۳۴٬۵۶۷."""
    return f"{value:,}".replace(",", _GROUPING).translate(_PERSIAN_DIGITS)


def digits_fa(text: str) -> str:
    """The same text in Persian digits."""
    return text.translate(_PERSIAN_DIGITS)


def money_fa(rial: int) -> str:
    """An amount of Rial as people say it: Toman where it is whole, labelled either way."""
    toman, rest = divmod(rial, 10)
    return f"{number_fa(rial)} ریال" if rest else f"{number_fa(toman)} تومان"


def money_en(rial: int) -> str:
    """The same in English."""
    toman, rest = divmod(rial, 10)
    return f"{rial:,} Rial" if rest else f"{toman:,} Toman"


def day_fa(day: date) -> str:
    """A day of the Solar Hijri calendar, without its year: ۸ بهمن."""
    solar = JalaliDate(day)
    return f"{number_fa(solar.day)} {_MONTHS_FA[solar.month - 1]}"


def day_en(day: date) -> str:
    """The same day in English letters: 8 Bahman."""
    solar = JalaliDate(day)
    return f"{solar.day} {_MONTHS_EN[solar.month - 1]}"


def _head(brand: str, shop: str, alone: str) -> str:
    if not shop:
        return alone
    return f"{brand} {shop[:SHOP_LETTERS_MAX].rstrip()}"


def value_fa(value: Amounts) -> str:
    """The amounts that are not zero: ۱۰۰ امتیاز و ۵٬۰۰۰ تومان اعتبار."""
    parts = [f"{number_fa(value.points)} امتیاز"] if value.points else []
    parts += [f"{number_fa(value.own_points)} امتیاز فروشگاه"] if value.own_points else []
    parts += [f"{money_fa(value.credit_rial)} اعتبار"] if value.credit_rial else []
    parts += [f"{money_fa(value.gift_rial)} کارت هدیه"] if value.gift_rial else []
    return " و ".join(parts)


def value_en(value: Amounts) -> str:
    """The same in English: 100 points and 5,000 Toman credit."""
    parts = [f"{value.points:,} points"] if value.points else []
    parts += [f"{value.own_points:,} shop points"] if value.own_points else []
    parts += [f"{money_en(value.credit_rial)} credit"] if value.credit_rial else []
    parts += [f"{money_en(value.gift_rial)} gift card"] if value.gift_rial else []
    return " and ".join(parts)


def _persian(template: Template, facts: Facts, support: str) -> list[str]:
    match template:
        case Template.FIRST_PURCHASE:
            until = f"تا {day_fa(facts.ends_on)} خرج کنید" if facts.ends_on else ""
            return [f"{money_fa(facts.credited.credit_rial)} اعتبار هدیه گرفتید", *_some(until)]
        case Template.CREDIT_RETURNED:
            return [f"نخستین خرید برگشت داده شد و {value_fa(facts.revoked)} هدیهٔ آن پس گرفته شد"]
        case Template.RECEIPT_PURCHASE:
            return [_earned_fa(facts), *_left_fa(facts)]
        case Template.VALUE_SPENT:
            discount = money_fa(facts.discount_rial)
            spent = [f"با {value_fa(facts.spent)}، {discount} تخفیف گرفتید"]
            earned = [_earned_fa(facts)] if facts.credited else []
            return [*spent, *earned, *_left_fa(facts)]
        case Template.RECEIPT_REFUND:
            done = "خرید لغو شد" if facts.kind is Kind.REVERSAL else "خرید برگشت داده شد"
            taken = f"{value_fa(facts.revoked)} آن کم شد" if facts.revoked else ""
            back = f"{value_fa(facts.restored)} به شما بازگشت" if facts.restored else ""
            return [done, *_some(taken, back), *_left_fa(facts)]
        case Template.WALLET_TOPPED_UP | Template.WALLET_GIVEN_BACK:
            return [*_wallet_fa(template, facts), *_left_fa(facts)]
        case Template.POINTS_RELEASED:
            return ["امتیاز در انتظار بررسی تأیید شد", *_left_fa(facts)]
        case Template.POINTS_CANCELLED:
            no = f"{value_fa(facts.revoked)} در بررسی امنیتی تأیید نشد"
            call = f"پشتیبانی: {support}" if support else ""
            return [no, *_left_fa(facts), *_some(call)]
        case Template.IDENTIFIER_ADDED | Template.IDENTIFIER_SHOWN | Template.IDENTIFIER_MOVED:
            return _identifiers_fa(template, facts, support)
        case _:
            assert_never(template)


def _identifiers_fa(template: Template, facts: Facts, support: str) -> list[str]:
    """The identifiers that were added or moved, when, and whom to call if it was not the member."""
    labels = " و ".join(
        f"{_KINDS_FA[one.kind]} …{digits_fa(one.last4)}"
        if one.last4.isdigit()
        else _KINDS_FA[one.kind]
        for one in facts.identifiers
    )
    done = {
        Template.IDENTIFIER_SHOWN: "برای حساب شما دوباره نمایش داده شد",
        Template.IDENTIFIER_MOVED: "از حساب شما به حساب دیگری رفت",
    }.get(template, "به حساب شما افزوده شد")
    return [f"{labels} {_when_fa(facts)}{done}", f"اگر کار شما نیست {_call_fa(support)}"]


def _call_fa(support: str) -> str:
    return f"با {support} تماس بگیرید" if support else "به پشتیبانی پیوند خبر دهید"


def _when_fa(facts: Facts) -> str:
    at = facts.changed_at
    if at is None:
        return ""
    hour = at.astimezone(TEHRAN).strftime("%H:%M")
    return f"در {day_fa(tehran_day(at))} ساعت {digits_fa(hour)} "


def _earned_fa(facts: Facts) -> str:
    if not facts.credited:
        return f"خرید {money_fa(facts.amount_rial)} امتیازی نداشت"
    waits = "در انتظار بررسی است" if facts.pending else "گرفتید"
    return f"{value_fa(facts.credited)} {waits}"


def _left_fa(facts: Facts) -> list[str]:
    """Debts, the balance (credit where credit moved), and the part of it that ends soon."""
    repaid = f"{value_fa(facts.repaid)} بابت بدهی قبلی کم شد" if facts.repaid else ""
    owed = f"{number_fa(facts.debt_points)} امتیاز بدهکارید" if facts.debt_points else ""
    left = f"مانده {number_fa(facts.balance_points)} امتیاز"
    if _credit_moved(facts):
        left += f" و {money_fa(facts.balance_credit_rial)} اعتبار"
    ends = ""
    if facts.ending_on is not None:
        ends = f"{number_fa(facts.ending_points)} امتیاز تا {day_fa(facts.ending_on)} مهلت دارد"
    return _some(repaid, owed, left, ends)


def _english(template: Template, facts: Facts, support: str) -> list[str]:
    match template:
        case Template.FIRST_PURCHASE:
            until = f"spend it by {day_en(facts.ends_on)}" if facts.ends_on else ""
            return [f"{money_en(facts.credited.credit_rial)} gift credit for you", *_some(until)]
        case Template.CREDIT_RETURNED:
            gift = value_en(facts.revoked)
            return [f"your first purchase was refunded, so its gift of {gift} was taken back"]
        case Template.RECEIPT_PURCHASE:
            return [_earned_en(facts), *_left_en(facts)]
        case Template.VALUE_SPENT:
            spent = [f"{money_en(facts.discount_rial)} off for {value_en(facts.spent)}"]
            earned = [_earned_en(facts)] if facts.credited else []
            return [*spent, *earned, *_left_en(facts)]
        case Template.RECEIPT_REFUND:
            done = "sale reversed" if facts.kind is Kind.REVERSAL else "sale refunded"
            taken = f"{value_en(facts.revoked)} taken back" if facts.revoked else ""
            back = f"{value_en(facts.restored)} returned to you" if facts.restored else ""
            return [done, *_some(taken, back), *_left_en(facts)]
        case Template.WALLET_TOPPED_UP | Template.WALLET_GIVEN_BACK:
            return [*_wallet_en(template, facts), *_left_en(facts)]
        case Template.POINTS_RELEASED:
            return ["your points under review were approved", *_left_en(facts)]
        case Template.POINTS_CANCELLED:
            no = f"{value_en(facts.revoked)} under a security review were not approved"
            call = f"questions: {support}" if support else ""
            return [no, *_left_en(facts), *_some(call)]
        case Template.IDENTIFIER_ADDED | Template.IDENTIFIER_SHOWN | Template.IDENTIFIER_MOVED:
            return _identifiers_en(template, facts, support)
        case _:
            assert_never(template)


def _wallet_fa(template: Template, facts: Facts) -> list[str]:
    if template is Template.WALLET_TOPPED_UP:
        return [f"{value_fa(facts.credited)} به کیف پول شما افزوده شد"]
    taken = f"{value_fa(facts.revoked)} کم شد" if facts.revoked else ""
    return ["شارژ کیف پول لغو شد", *_some(taken)]


def _wallet_en(template: Template, facts: Facts) -> list[str]:
    if template is Template.WALLET_TOPPED_UP:
        return [f"{value_en(facts.credited)} added to your wallet"]
    taken = f"{value_en(facts.revoked)} taken back" if facts.revoked else ""
    return ["the top-up of your wallet was cancelled", *_some(taken)]


def _identifiers_en(template: Template, facts: Facts, support: str) -> list[str]:
    labels = " and ".join(
        f"{_KINDS_EN[one.kind]} ending {one.last4}" if one.last4.isdigit() else _KINDS_EN[one.kind]
        for one in facts.identifiers
    )
    done = {
        Template.IDENTIFIER_SHOWN: "shown again",
        Template.IDENTIFIER_MOVED: "moved to another account",
    }.get(template, "added to your account")
    at = facts.changed_at
    when = ""
    if at is not None:
        when = f" on {day_en(tehran_day(at))} at {at.astimezone(TEHRAN):%H:%M}"
    call = f"call {support}" if support else "tell Peyvand's support"
    return [f"{labels} {done}{when}", f"if this was not you, {call}"]


def _earned_en(facts: Facts) -> str:
    if not facts.credited:
        return f"your sale of {money_en(facts.amount_rial)} earned no points"
    return f"{value_en(facts.credited)} {'under review' if facts.pending else 'earned'}"


def _left_en(facts: Facts) -> list[str]:
    repaid = f"{value_en(facts.repaid)} went to an old debt" if facts.repaid else ""
    owed = f"you owe {facts.debt_points:,} points" if facts.debt_points else ""
    left = f"balance {facts.balance_points:,} points"
    if _credit_moved(facts):
        left += f" and {money_en(facts.balance_credit_rial)} credit"
    ends = ""
    if facts.ending_on is not None:
        ends = f"{facts.ending_points:,} points end after {day_en(facts.ending_on)}"
    return _some(repaid, owed, left, ends)


def _credit_moved(facts: Facts) -> bool:
    moved = (facts.credited, facts.spent, facts.revoked, facts.restored)
    return any(value.credit_rial for value in moved)


def _some(*clauses: str) -> list[str]:
    return [clause for clause in clauses if clause]
