"""The facts of an outcome that a text may show: what it moved, and what it left."""

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
class Amounts:
    """An amount of each unit. own_points: a merchant's own; gift_rial: of a gift card."""

    points: int = 0
    own_points: int = 0
    credit_rial: int = 0
    gift_rial: int = 0

    def __bool__(self) -> bool:
        return any((self.points, self.own_points, self.credit_rial, self.gift_rial))


@dataclass(frozen=True, slots=True)
class IdentifierLabel:
    """An identifier as a text may show it. last4: "" where it has no digits to show."""

    kind: IdentifierKind
    last4: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a text may show of an outcome, or of a notice about identifiers.

    amount_rial: of the sale or of the refund. discount_rial: taken off the sale for spent value.
    credited: earned or issued; pending: not yet available. revoked: clawed back or cancelled.
    repaid: the part of credited that paid an old debt. debt_points: a new debt. ends_on: the last
    day of what was credited. ending_points, ending_on: the points that end next, if they end soon.
    identifiers, changed_at: identifiers that were added or moved, and when; of a notice alone.
    """

    kind: Kind | None = None
    shop_fa: str = ""
    shop_en: str = ""
    amount_rial: int = 0
    discount_rial: int = 0
    credited: Amounts = Amounts()
    pending: bool = False
    spent: Amounts = Amounts()
    revoked: Amounts = Amounts()
    restored: Amounts = Amounts()
    repaid: Amounts = Amounts()
    debt_points: int = 0
    ends_on: date | None = None
    ending_points: int = 0
    ending_on: date | None = None
    balance_points: int = 0
    balance_credit_rial: int = 0
    identifiers: tuple[IdentifierLabel, ...] = ()
    changed_at: datetime | None = None


_decode_answer: Final = msgspec.json.Decoder(Answer | None).decode  # pyright: ignore[reportArgumentType]
_FIELDS: Final = {
    Unit.NETWORK_POINTS: "points",
    Unit.MERCHANT_POINTS: "own_points",
    Unit.CREDIT: "credit_rial",
    Unit.GIFT: "gift_rial",
}


def facts_of(outcome: Outcome) -> Facts:
    """The facts of an outcome; discount, debt and what ends soon come from the till's answer."""
    answer = _answer(outcome)
    issued = [lot for lot in outcome.lots if lot.parent == 0]
    ends = min((lot.expires_at for lot in issued if lot.expires_at), default=None)
    spent = _moved(outcome, "redeemed")
    ending, ending_at = (0, None) if answer is None else _ending(answer, outcome.decided_at)
    return Facts(
        kind=outcome.kind,
        amount_rial=outcome.amount_rial,
        discount_rial=outcome.amount_rial if answer is None else answer.discount_rial,
        credited=_sums((lot.unit, lot.amount) for lot in issued),
        pending=outcome.status is Status.UNDER_REVIEW,
        spent=spent,
        revoked=_moved(outcome, "clawed-back", "cancelled"),
        restored=_moved(outcome, "restored"),
        repaid=_moved(outcome, "repaid"),
        debt_points=0 if answer is None else answer.debt_points,
        ends_on=None if ends is None else _last_day(ends),
        ending_points=ending,
        ending_on=None if ending_at is None else _last_day(ending_at),
        balance_points=outcome.balance_points,
        balance_credit_rial=outcome.balance_credit_rial,
    )


def _answer(outcome: Outcome) -> Answer | None:
    """The till's answer; None where no till sent a request, or where it cannot be read."""
    try:
        return _decode_answer(outcome.answer)
    except msgspec.MsgspecError:
        return None


def _ending(answer: Answer, now: datetime) -> tuple[int, datetime | None]:
    balance = answer.balance
    if balance is None or balance.expiring_at is None or not balance.expiring_points:
        return 0, None
    soon = balance.expiring_at - now <= ENDING_SOON
    return (balance.expiring_points, balance.expiring_at) if soon else (0, None)


def _last_day(ends_at: datetime) -> date:
    """The day in Tehran before ends_at, which is the first instant at which the lot is over."""
    return tehran_day(ends_at - timedelta(microseconds=1))


def _moved(outcome: Outcome, *movements: str) -> Amounts:
    return _sums((m.unit, m.amount) for m in outcome.moves if m.movement in movements)


def _sums(amounts: Iterable[tuple[Unit, int]]) -> Amounts:
    sums: dict[str, int] = {}
    for unit, amount in amounts:
        field = _FIELDS.get(unit)
        if field is not None:
            sums[field] = sums.get(field, 0) + amount
    return Amounts(**sums)
