"""What an outcome moved and left, as a text may show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from contracts.ledger import Outcome
from contracts.members import IdentifierKind
from contracts.pos import Answer
from contracts.values import Kind, Status, Unit, tehran_day

ENDING_SOON: Final = timedelta(days=30)  # what ends later is not worth a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """So much of each unit. own_points: a merchant's own; gift_rial: of a gift card."""

    points: int = 0
    own_points: int = 0
    credit_rial: int = 0
    gift_rial: int = 0

    def __bool__(self) -> bool:
        return any((self.points, self.own_points, self.credit_rial, self.gift_rial))


@dataclass(frozen=True, slots=True)
class Held:
    """An identifier as a text may show it. last4: "" where it has no digits to show."""

    kind: IdentifierKind
    last4: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a text may show, of the outcome it tells.

    amount_rial: of the sale or of what was refunded. discount_rial: what was taken off for spent
    value. given: earned or issued; pending: not yet available. taken: clawed back or cancelled.
    repaid: of what was given, what went to an old debt. debt_points: owed anew. ends_on: the last
    day of what was given. ending_points, ending_on: what ends next of the balance, where soon.
    held, happened_at: identifiers that came or went, and when; of a notice alone.
    """

    kind: Kind | None = None
    shop_fa: str = ""
    shop_en: str = ""
    amount_rial: int = 0
    discount_rial: int = 0
    given: Value = Value()
    pending: bool = False
    spent: Value = Value()
    taken: Value = Value()
    restored: Value = Value()
    repaid: Value = Value()
    debt_points: int = 0
    ends_on: date | None = None
    ending_points: int = 0
    ending_on: date | None = None
    balance_points: int = 0
    balance_credit_rial: int = 0
    held: tuple[Held, ...] = ()
    happened_at: datetime | None = None


_read: Final = msgspec.json.Decoder(Answer | None).decode  # pyright: ignore[reportArgumentType]
_FIELDS: Final = {
    Unit.NETWORK_POINTS: "points",
    Unit.MERCHANT_POINTS: "own_points",
    Unit.CREDIT: "credit_rial",
    Unit.GIFT: "gift_rial",
}


def facts_of(outcome: Outcome) -> Facts:
    """Every unit that moved, each way it moved; the answer adds what only it knows."""
    told = _answer(outcome)
    born = [lot for lot in outcome.lots if lot.parent == 0]
    ends = min((lot.expires_at for lot in born if lot.expires_at), default=None)
    spent = _moved(outcome, "redeemed")
    ending, ending_at = (0, None) if told is None else _ending(told, outcome.decided_at)
    return Facts(
        kind=outcome.kind,
        amount_rial=outcome.amount_rial,
        discount_rial=outcome.amount_rial if told is None else told.discount_rial,
        given=_sums((lot.unit, lot.amount) for lot in born),
        pending=outcome.status is Status.HELD,
        spent=spent,
        taken=_moved(outcome, "clawed-back", "cancelled"),
        restored=_moved(outcome, "restored"),
        repaid=_moved(outcome, "repaid"),
        debt_points=0 if told is None else told.debt_points,
        ends_on=None if ends is None else _last_day(ends),
        ending_points=ending,
        ending_on=None if ending_at is None else _last_day(ending_at),
        balance_points=outcome.balance_points,
        balance_credit_rial=outcome.balance_credit_rial,
    )


def _answer(outcome: Outcome) -> Answer | None:
    """What the till heard; None where no till asked, or where it cannot be read."""
    try:
        return _read(outcome.answer)
    except msgspec.MsgspecError:
        return None


def _ending(told: Answer, now: datetime) -> tuple[int, datetime | None]:
    balance = told.balance
    if balance is None or balance.expiring_at is None or not balance.expiring_points:
        return 0, None
    soon = balance.expiring_at - now <= ENDING_SOON
    return (balance.expiring_points, balance.expiring_at) if soon else (0, None)


def _last_day(ends_at: datetime) -> date:
    """A date of end is the first instant after the last day of Tehran."""
    return tehran_day(ends_at - timedelta(microseconds=1))


def _moved(outcome: Outcome, *what: str) -> Value:
    return _sums((m.unit, m.amount) for m in outcome.moves if m.what in what)


def _sums(parts: Iterable[tuple[Unit, int]]) -> Value:
    sums: dict[str, int] = {}
    for unit, amount in parts:
        field = _FIELDS.get(unit)
        if field is not None:
            sums[field] = sums.get(field, 0) + amount
    return Value(**sums)
