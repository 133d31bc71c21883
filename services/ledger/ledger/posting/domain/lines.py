"""Lines that a cashier or member reads at a till: every unit that moved, and no other.

Persian first. Amounts of several units follow one another; an amount of zero is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from persiantools.jdatetime import JalaliDate

from contracts.pos import Balance, Movement
from contracts.values import TEHRAN, Kind, Reason, Unit, tehran_day
from ledger.posting.domain.texts import persian

Line = tuple[str, str]  # Persian, English
Moved = Mapping[tuple[Movement, Unit], int]

_UNITS: Final[dict[Unit, Line]] = {
    Unit.NETWORK_POINTS: ("{} امتیاز", "{} points"),
    Unit.MERCHANT_POINTS: ("{} امتیاز خود فروشگاه", "{} of the shop's own points"),
    Unit.CREDIT: ("{} ریال اعتبار", "{} Rial of credit"),
    Unit.GIFT: ("{} ریال هدیه", "{} Rial of gift value"),
}
_CLAUSES: Final[dict[Movement, Line]] = {
    Movement.EARNED: ("{} گرفتید", "{} earned"),
    Movement.SPENT: ("{} خرج شد", "{} spent"),
    Movement.RESTORED: ("{} به حساب افزوده شد", "{} given back"),
    Movement.TAKEN_BACK: ("{} کم شد", "{} taken back"),
    Movement.REPAID: ("{} بابت بدهی کم شد", "{} went to what was owed"),
    Movement.RELEASED: ("{} آزاد شد", "{} free again"),
    Movement.PAID_IN: ("{} شارژ شد", "{} topped up"),
}
_RESERVED: Final = ("{} تا {} نگه داشته شد", "{} held until {}")
_IN_REVIEW: Final = ("{} در انتظار بررسی است", "{} pending a review")
_LATER: Final = ("{} از {} قابل خرج است", "{} can be spent from {}")
_OFF: Final = ("با {} {} ریال تخفیف گرفتید", "{} used for {} Rial off")
_OWED: Final = (
    "{} پیش‌تر خرج شده و بدهی مشتری است، به ارزش {} ریال",
    "{} spent already and owed, worth {} Rial",
)
_UNDONE: Final = {
    Kind.REFUND: ("برگشت ثبت شد", "Refund booked"),
    Kind.REVERSAL: ("لغو ثبت شد", "Reversal booked"),
    Kind.VOID: ("لغو ثبت شد", "Void booked"),
}
_NO_POINTS: Final = ("این خرید امتیازی نداشت", "This sale earned no points")
_NOTHING_MOVED: Final = ("چیزی جابه‌جا نشد", "nothing moved")
_LEFT: Final = ("مانده: {}", "Balance: {}")
_DEBT: Final = ("بدهی: {}", "Owed: {}")
_NEXT_END: Final = ("مهلت {} تا {}", "{} until {}")
_HAVE: Final = ("{} دارید", "{} available")
_HAVE_NOTHING: Final = ("چیزی برای خرج کردن ندارید", "Nothing to spend")
_FOR_BASKET: Final = (
    "برای این خرید تا {} ریال قابل خرج است", "up to {} Rial can be spent on this sale",
)  # fmt: skip
_IN_ALL: Final = ("تا {} ریال قابل خرج است", "worth up to {} Rial")
_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن",
    "اسفند",
)  # fmt: skip
_INSTANT: Final = timedelta(microseconds=1)


_CLAUSES_AFTER: Final = (
    Movement.TAKEN_BACK, Movement.RESTORED, Movement.REPAID, Movement.RELEASED,
    Movement.PAID_IN,
)  # fmt: skip


class Spendable(NamedTuple):
    """What a redemption may take now: points, Rial of credit, the worth of both; or the reasons."""

    points: int
    credit_rial: int
    rial: int
    reasons: tuple[Reason, ...]


class LineDetails(NamedTuple):
    """What a line has beside amounts. debt_rial: worth of new debts.

    in_review: pending points wait for a reviewer. due_at: until when value is reserved.
    """

    discount_rial: int
    debt_rial: int
    pending_until: datetime | None
    in_review: bool
    due_at: datetime | None = None


def of_transaction(kind: Kind, moved: Moved, balance: Balance, details: LineDetails) -> Line:
    """The line of a completed transaction."""
    clauses: list[Line] = []
    if kind in _UNDONE:
        clauses.append(_UNDONE[kind])
    spent = _amounts(moved, Movement.SPENT)
    if spent is not None:
        clauses.append(_fill(_OFF, spent, _number(details.discount_rial)))
    clauses += _earned(kind, moved, details)
    reserved = _amounts(moved, Movement.AUTHORISED)
    if reserved is not None and details.due_at is not None:
        clauses.append(_fill(_RESERVED, reserved, minute(details.due_at)))
    for movement in _CLAUSES_AFTER:
        if (amounts := _amounts(moved, movement)) is not None:
            clauses.append(_fill(_CLAUSES[movement], amounts))
    if (owed := _amounts(moved, Movement.OWED)) is not None:
        clauses.append(_fill(_OWED, owed, _number(details.debt_rial)))
    if kind in _UNDONE and not moved:
        clauses.append(_NOTHING_MOVED)
    return _sentences([_joined(clauses), *_state(balance, _LEFT)])


def of_inquiry(balance: Balance, spendable: Spendable, *, basket: bool) -> Line:
    """What the account has, and how much of it can be spent: on this basket, or on any."""
    have = _of_balance(balance)
    if have is None:
        return _sentences([_HAVE_NOTHING, *_debt(balance)])
    clauses = [_fill(_HAVE, have)]
    if spendable.rial:
        clauses.append(_fill(_FOR_BASKET if basket else _IN_ALL, _number(spendable.rial)))
    first, *rest = _sentences([_joined(clauses)]), *_debt(balance), *_next_end(balance)
    why = [(reason.fa, reason.en) for reason in spendable.reasons[:1]]
    lines = [first, *why, *([_sentences(rest)] if rest else [])]
    return " ".join([fa for fa, _ in lines]), " ".join([en for _, en in lines])


def _earned(kind: Kind, moved: Moved, details: LineDetails) -> Iterable[Line]:
    now: dict[Unit, int] = {}
    later: dict[Unit, int] = {}
    for unit in _UNITS:
        pending = moved.get((Movement.PENDING, unit), 0)
        now[unit] = moved.get((Movement.EARNED, unit), 0) - pending
        later[unit] = pending
    if (amounts := _phrase(now)) is not None:
        yield _fill(_CLAUSES[Movement.EARNED], amounts)
    if (amounts := _phrase(later)) is not None:
        if details.in_review or details.pending_until is None:
            yield _fill(_IN_REVIEW, amounts)
        else:
            yield _fill(_LATER, amounts, day(details.pending_until))
    elif kind is Kind.PURCHASE and not any(now.values()):
        yield _NO_POINTS


def _state(balance: Balance, left: Line) -> Iterable[Line]:
    """The balance, the debt, and the next expiry."""
    yield _fill(left, _of_all(balance) or _fill(_UNITS[Unit.NETWORK_POINTS], _number(0)))
    yield from _debt(balance)
    yield from _next_end(balance)


def _debt(balance: Balance) -> Iterable[Line]:
    owed = _phrase(
        {
            Unit.NETWORK_POINTS: balance.debt_points,
            Unit.CREDIT: balance.debt_credit_rial,
            Unit.GIFT: balance.debt_gift_rial,
        }
    )
    if owed is not None:
        yield _fill(_DEBT, owed)


def _next_end(balance: Balance) -> Iterable[Line]:
    if balance.expiring_points and balance.expiring_at is not None:
        points = _fill(_UNITS[Unit.NETWORK_POINTS], _number(balance.expiring_points))
        yield _fill(_NEXT_END, points, day(balance.expiring_at - _INSTANT))


def _of_all(balance: Balance) -> Line | None:
    """All that the account has, pending and held value included."""
    return _phrase(
        {
            Unit.NETWORK_POINTS: balance.points,
            Unit.CREDIT: balance.credit_rial + balance.held_credit_rial,
            Unit.GIFT: balance.gift_rial + balance.held_gift_rial,
        }
    )


def _of_balance(balance: Balance) -> Line | None:
    """What can be spent now."""
    return _phrase(
        {
            Unit.NETWORK_POINTS: balance.available_points,
            Unit.CREDIT: balance.credit_rial,
            Unit.GIFT: balance.gift_rial,
        }
    )


def _amounts(moved: Moved, movement: Movement) -> Line | None:
    return _phrase({unit: moved.get((movement, unit), 0) for unit in _UNITS}) if moved else None


def _phrase(amounts: Mapping[Unit, int]) -> Line | None:
    """Amounts by unit, without zeros; None where all are zero."""
    phrases = [_fill(_UNITS[unit], _number(amount)) for unit, amount in amounts.items() if amount]
    if not phrases:
        return None
    return " و ".join([fa for fa, _ in phrases]), " and ".join([en for _, en in phrases])


def _number(amount: int) -> Line:
    digits = f"{amount:,}"
    return persian(digits), digits


def day(at: datetime) -> Line:
    """A day in Tehran: of the Solar Hijri calendar in Persian, of the Gregorian in English."""
    return _day(tehran_day(at))


def minute(at: datetime) -> Line:
    """A minute in Tehran, with its day."""
    clock = f"{at.astimezone(TEHRAN):%H:%M}"
    return _fill(("ساعت {} {}", "{} on {}"), (persian(clock), clock), day(at))


@lru_cache(maxsize=1024)
def _day(civil: date) -> Line:
    solar = JalaliDate(civil)
    text = f"{solar.day} {_MONTHS[solar.month - 1]} {solar.year}"
    return persian(text), f"{civil.day} {civil:%B} {civil.year}"


def _fill(template: Line, *words: Line) -> Line:
    return (
        template[0].format(*[fa for fa, _ in words]),
        template[1].format(*[en for _, en in words]),
    )


def _joined(clauses: Sequence[Line]) -> Line:
    return "؛ ".join([fa for fa, _ in clauses]), "; ".join([en for _, en in clauses])


def _sentences(lines: Iterable[Line]) -> Line:
    clauses = list(lines)
    return (
        " ".join([f"{fa}." for fa, _ in clauses]),
        " ".join([f"{en[:1].upper()}{en[1:]}." for _, en in clauses]),
    )
