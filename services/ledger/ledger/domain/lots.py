"""Rules of lots: what is available, which lots pay a debit, what their points cost."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contracts.pos import Balance
from contracts.values import TEHRAN, UNSET_TIME, Unit
from ledger.domain.book import Lot

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


class Plan(NamedTuple):
    """takes: (lot, amount) in order of consumption. short: what they lack of the demand."""

    takes: list[tuple[Lot, int]]
    short: int


def in_date(lot: Lot, now: datetime) -> bool:
    """Dates alone decide; a sweep only books what is past them."""
    return lot.expires_at is None or now < lot.expires_at


def available(lot: Lot, now: datetime) -> bool:
    """Whether a debit at decision time now may use the lot."""
    return lot.remaining > 0 and lot.available_from <= now and in_date(lot, now)


def plan_consumption(lots: Iterable[Lot], demand: int, *, now: datetime) -> Plan:
    """Choose the lots that pay a debit: first to expire, then first earned, then by number.

    lots: of one account and unit, any order. demand: > 0, in that unit. takes sums to
    demand - short. Source: RK1, architecture 5.
    """
    usable = sorted((lot for lot in lots if available(lot, now)), key=_consumption_order)
    takes: list[tuple[Lot, int]] = []
    for lot in usable:
        if demand == 0:
            break
        amount = min(demand, lot.remaining)
        takes.append((lot, amount))
        demand -= amount
    return Plan(takes, demand)


def cost_of(lot: Lot, amount: int) -> int:
    """Rial that amount of the lot's remainder costs: parts always add up to the whole."""
    return lot.cost_left * amount // lot.remaining


def balance(lots: Iterable[Lot], *, now: datetime) -> Balance:
    """What a member may be told. points: available and pending; expiring: of the next Tehran day
    on which something expires. A lot past its date is not told, swept or not.
    """
    usable = credit = pending = 0
    dated: list[Lot] = []
    for lot in lots:
        if lot.remaining == 0 or not in_date(lot, now):
            continue
        if lot.unit is Unit.CREDIT:
            credit += lot.remaining if lot.available_from <= now else 0
        elif lot.available_from > now:
            pending += lot.remaining
        else:
            usable += lot.remaining
            if lot.expires_at is not None:
                dated.append(lot)
    points, first = _expiring_next(dated)
    return Balance(
        points=usable + pending,
        available_points=usable,
        pending_points=pending,
        credit_rial=credit,
        expiring_points=points,
        expiring_at=first,
    )


def _expiring_next(dated: Sequence[Lot]) -> tuple[int, datetime | None]:
    if not dated:
        return 0, None
    first = min(_expiry(lot) for lot in dated)
    soon = first + _DAY + _HOUR  # a day may have had 25 hours
    dated = [lot for lot in dated if _expiry(lot) < soon]
    if len(dated) == 1:  # the usual case, without asking what day it is in Iran
        return dated[0].remaining, first
    midnight = first.astimezone(TEHRAN).replace(hour=0, minute=0, second=0, microsecond=0)
    day_end = midnight + _DAY
    return sum(lot.remaining for lot in dated if _expiry(lot) < day_end), first


def _expiry(lot: Lot) -> datetime:
    return lot.expires_at or UNSET_TIME


def _consumption_order(lot: Lot) -> tuple[datetime, datetime, int]:
    return _expiry(lot), lot.born_at, lot.lot
