"""Rules of lots: which are available, which pay a debit, what their points cost."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from contracts.pos import Balance
from contracts.values import TEHRAN, UNSET_TIME, Unit, tehran_day
from ledger.book import jalali
from ledger.book.errors import Unread
from ledger.book.facts import Hold, Lot, Origin, Rest, Turn

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
SLIDING_DAYS_MAX: Final = 36_500  # a longer term counts as this
_POINTS: Final = (Unit.NETWORK_POINTS, 0)  # one account for all issuers
ALL_READ: Final[Mapping[tuple[Unit, int], Rest]] = {}
FOR_EVER: Final = UNSET_TIME
_LAST_YEAR: Final = 2_099  # so that every expiry is a time that clocks can express


class Plan(NamedTuple):
    """takes: (lot, amount) in order of consumption. short: what is missing of the demand."""

    takes: list[tuple[Lot, int]]
    short: int


def in_date(lot: Lot, now: datetime) -> bool:
    """Whether a lot is in date. Dates alone decide; a sweep only books expiry."""
    return lot.expires_at is None or now < lot.expires_at


def available(lot: Lot, now: datetime) -> bool:
    """Whether a debit at decision time now may use the lot's part that is not held."""
    return lot.remaining > lot.held and not pending(lot, now) and in_date(lot, now)


def graced(lot: Lot) -> bool:
    """Whether the lot already has a grace date, and so can get no other."""
    return lot.origin in (Origin.CHILD, Origin.GRACED)


def pending(lot: Lot, now: datetime) -> bool:
    """Whether the lot waits for its time or its event."""
    return lot.available_from is None or lot.available_from > now


def plan_consumption(lots: Iterable[Lot], demand: int, *, now: datetime) -> Plan:
    """Choose the lots that pay a debit: first to expire, then first earned, then by number.

    lots: of one account and unit, any order. demand: > 0, in that unit. takes sums to
    demand - short. Source: RK1, architecture 5.
    """
    usable = [lot for lot in lots if available(lot, now)]
    if len(usable) > 1:
        usable.sort(key=turn)
    takes: list[tuple[Lot, int]] = []
    for lot in usable:
        if demand == 0:
            break
        amount = min(demand, lot.remaining - lot.held)
        takes.append((lot, amount))
        demand -= amount
    return Plan(takes, demand)


def cost_of(lot: Lot, amount: int) -> int:
    """Rial that amount of the lot's remainder costs: parts always add up to the whole."""
    return lot.cost_left * amount // lot.remaining


def effective(lots: Mapping[int, Lot], holds: Mapping[int, Hold], now: datetime) -> Iterable[Lot]:
    """Lots as balances count them: holds that are due, but not yet booked as released, are free."""
    due = [hold for hold in holds.values() if hold.due_at <= now] if holds else None
    if not due:
        return lots.values()
    freed = dict(lots)
    for hold in due:
        for number, amount in hold.parts:
            freed[number] = replace(freed[number], held=freed[number].held - amount)
    return freed.values()


def balance(
    lots: Iterable[Lot], rest: Mapping[tuple[Unit, int], Rest] = ALL_READ, *, now: datetime
) -> Balance:
    """A member's balance. lots: effective. points: available, pending and held. Raises Unread.

    expiring: of the next Tehran day with an expiry. Past its date only held value counts.
    """
    usable = waiting = held = 0
    others: list[Lot] = []
    dated: list[Lot] = []
    for lot in lots:
        if lot.remaining == 0:
            continue
        if lot.unit is not Unit.NETWORK_POINTS:
            others.append(lot)
            continue
        held += lot.held
        free = lot.remaining - lot.held
        if free == 0 or not in_date(lot, now):
            continue
        if lot.available_from is None or lot.available_from > now:
            waiting += free
        else:
            usable += free
            if lot.expires_at is not None:
                dated.append(lot)
    unread = rest.get(_POINTS) if rest else None
    points, first = _expiring_next(dated, unread)
    if unread is not None:
        usable, waiting = usable + unread.usable, waiting + unread.pending
    plain = Balance(
        points=usable + waiting + held,
        available_points=usable,
        pending_points=waiting,
        credit_rial=0,
        expiring_points=points,
        expiring_at=first,
    )
    if not held and not others and not rest:  # the usual case
        return plain
    credit = _free_and_held(others, Unit.CREDIT, rest, now)
    gift = _free_and_held(others, Unit.GIFT, rest, now)
    return replace(
        plain,
        credit_rial=credit[0],
        held_points=held,
        held_credit_rial=credit[1],
        gift_rial=gift[0],
        held_gift_rial=gift[1],
    )


def with_debts(plain: Balance, debts: Mapping[tuple[Unit, int], int]) -> Balance:
    """A balance with its debts. debts: by unit and issuer, below zero."""
    owed = dict.fromkeys(Unit, 0)
    for (unit, _), debt in debts.items():
        owed[unit] -= debt
    return replace(
        plain,
        debt_points=owed[Unit.NETWORK_POINTS],
        debt_credit_rial=owed[Unit.CREDIT],
        debt_gift_rial=owed[Unit.GIFT],
    )


def _free_and_held(
    lots: Iterable[Lot], unit: Unit, rest: Mapping[tuple[Unit, int], Rest], now: datetime
) -> tuple[int, int]:
    unread = rest.get((unit, 0))
    free, held = (0 if unread is None else unread.usable), 0
    for lot in lots:
        if lot.unit is unit:
            free += lot.remaining - lot.held if available(lot, now) else 0
            held += lot.held
    return free, held


def renewed_until(lot: Lot, active_at: datetime) -> datetime | None:
    """Expiry of a sliding lot in date after an activity: so many whole days on, never earlier.

    An activity before the lot's birth or its start counts from there (loyalty reference 1.2).
    """
    begins_at = max(lot.born_at, lot.available_from or lot.born_at, active_at)
    if lot.expires_at is None or begins_at.year > _LAST_YEAR:
        return lot.expires_at
    length = timedelta(days=min(lot.sliding_days, SLIDING_DAYS_MAX) + 1)
    return max(lot.expires_at, jalali.start_of(tehran_day(begins_at) + length))


def _expiring_next(dated: Sequence[Lot], rest: Rest | None) -> tuple[int, datetime | None]:
    if rest is not None and rest.dated and not any(turn(lot) <= rest.frontier for lot in dated):
        raise Unread
    if not dated:
        return 0, None
    first = min(_expiry(lot) for lot in dated)
    soon = first + _DAY + _HOUR  # a day may have had 25 hours
    dated = [lot for lot in dated if _expiry(lot) < soon]
    if len(dated) == 1 and rest is None:  # the usual case needs no Tehran day
        return dated[0].remaining - dated[0].held, first
    end = day_end(first)
    points = sum(lot.remaining - lot.held for lot in dated if _expiry(lot) < end)
    if rest is not None and end == rest.soon_until:
        points += rest.soon
    return points, first


def day_end(at: datetime) -> datetime:
    """When the Tehran day of a time ends."""
    midnight = at.astimezone(TEHRAN).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + _DAY


def _expiry(lot: Lot) -> datetime:
    return lot.expires_at or FOR_EVER


def turn(lot: Lot) -> Turn:
    """A lot's place in the order of consumption."""
    return _expiry(lot), lot.born_at, lot.lot


def turn_of(expires_at: datetime | None, born_at: datetime, lot: int) -> Turn:
    """A lot's place in the order of consumption, from its columns alone."""
    return expires_at or FOR_EVER, born_at, lot
