"""Figures of an account at one moment, by unit and issuer, from its lots, holds and debts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from contracts.values import TEHRAN, Unit

_DAY: Final = timedelta(days=1)
Kin = tuple[Unit, int]  # unit, issuer


class LotAt(Struct, frozen=True, gc=False):
    """A lot as of a sequence number. remaining, cost_left: then; held: by holds not due then.

    available_from None: pending until an event. expires_at None: never.
    """

    lot: int
    unit: Unit
    issuer: int
    remaining: int
    cost_left: int
    available_from: datetime | None
    expires_at: datetime | None
    held: int = 0


class Figures(Struct, frozen=True, kw_only=True):
    """Amounts of one unit at one moment; of one issuer, or of all.

    total = available + held + pending: what is in date. available: what a debit may use. held:
    reserved; it stays in total past its lot's date until its hold is resolved. pending: not yet
    available. past: past its date and not yet swept, in no other figure. balance: the account's
    entries = total + past. debt: owed to issuers. in_transit: sent from here and neither arrived
    nor returned, in no other figure. expiring: of available, on the next Tehran day on which some
    of it expires.
    """

    total: int = 0
    available: int = 0
    held: int = 0
    pending: int = 0
    past: int = 0
    balance: int = 0
    debt: int = 0
    in_transit: int = 0
    expiring: int = 0
    expiring_at: datetime | None = None


def by_kin(
    lots: Iterable[LotAt],
    *,
    at: datetime,
    debts: Mapping[Kin, int] | None = None,
    in_transit: Mapping[Kin, int] | None = None,
) -> dict[Kin, Figures]:
    """Figures by unit and issuer at a time, in order; debts: owed, >= 0. Zeros are left out."""
    lots_of: dict[Kin, list[LotAt]] = {}
    for lot in lots:
        if lot.remaining:
            lots_of.setdefault((lot.unit, lot.issuer), []).append(lot)
    debts, in_transit = debts or {}, in_transit or {}
    kins = sorted(lots_of.keys() | {k for k, n in (*debts.items(), *in_transit.items()) if n})
    return {
        kin: _figures(
            lots_of.get(kin, ()), at, debt=debts.get(kin, 0), in_transit=in_transit.get(kin, 0)
        )
        for kin in kins
    }


def by_unit(
    lots: Sequence[LotAt],
    *,
    at: datetime,
    debts: Mapping[Kin, int] | None = None,
    in_transit: Mapping[Kin, int] | None = None,
) -> dict[Unit, Figures]:
    """As by_kin, over all issuers: the next day of expiry is that of the unit."""
    units = {lot.unit for lot in lots if lot.remaining}
    units |= {unit for (unit, _), n in (*(debts or {}).items(), *(in_transit or {}).items()) if n}
    return {
        unit: _figures(
            [lot for lot in lots if lot.unit is unit],
            at,
            debt=sum(n for kin, n in (debts or {}).items() if kin[0] is unit),
            in_transit=sum(n for kin, n in (in_transit or {}).items() if kin[0] is unit),
        )
        for unit in sorted(units)
    }


def _figures(lots: Iterable[LotAt], at: datetime, *, debt: int, in_transit: int) -> Figures:
    available = held = pending = past = 0
    dated: list[tuple[datetime, int]] = []
    for lot in lots:
        free = lot.remaining - lot.held
        held += lot.held
        if lot.expires_at is not None and lot.expires_at <= at:
            past += free
            continue
        if lot.available_from is None or lot.available_from > at:
            pending += free
            continue
        available += free
        if lot.expires_at is not None and free:
            dated.append((lot.expires_at, free))
    total = available + held + pending
    expiring, first = _next_day(dated)
    return Figures(
        total=total,
        available=available,
        held=held,
        pending=pending,
        past=past,
        balance=total + past,
        debt=debt,
        in_transit=in_transit,
        expiring=expiring,
        expiring_at=first,
    )


def _next_day(dated: Sequence[tuple[datetime, int]]) -> tuple[int, datetime | None]:
    """The amount that expires on the first Tehran day with an expiry."""
    if not dated:
        return 0, None
    first = min(at for at, _ in dated)
    midnight = first.astimezone(TEHRAN).replace(hour=0, minute=0, second=0, microsecond=0)
    day_end = midnight + _DAY
    return sum(amount for at, amount in dated if at < day_end), first
