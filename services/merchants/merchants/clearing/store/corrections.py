"""SQL of corrections and their payments, each in the window that is open at the time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from merchants.clearing.domain.corrections import Correction
from merchants.clearing.domain.counting import Pair

_SELECT: Final = (
    "select c.correction::text as correction, c.of_window, c.window_number, c.debtor, c.creditor,"
    " c.amount_rial, c.made_at, p.window_number as paid_window"
    " from clearing_corrections c left join clearing_correction_payments p using (correction)"
)


async def lock_open_window(tx: Tx) -> int | None:
    """The open window, which is not cut until this transaction ends; None: it was cut just now."""
    number: int | None = await tx.fetchval(
        "select window_number from clearing_windows where state = 'open' for share"
    )
    return number


async def insert_correction(tx: Tx, correction: Correction) -> bool:
    """Add a correction; False where there is one of that name."""
    tag = await tx.execute(
        "insert into clearing_corrections"
        " (correction, window_number, of_window, debtor, creditor, amount_rial, made_at)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7) on conflict (correction) do nothing",
        correction.correction,
        correction.window,
        correction.of_window,
        *correction.pair,
        correction.amount_rial,
        correction.made_at,
    )
    return tag == "INSERT 0 1"


async def find_correction(tx: Tx, correction: str) -> Correction | None:
    """A correction, or None."""
    row = await tx.fetchrow(_SELECT + " where c.correction = $1::uuid", correction)
    return None if row is None else _correction(row)


async def insert_payments(
    tx: Tx, pairs: Sequence[Pair], *, up_to: int, window: int, at: datetime
) -> None:
    """The corrections of pairs, both ways, of windows up to one are paid in the open window."""
    await tx.execute(
        "insert into clearing_correction_payments (correction, window_number, paid_at)"
        " select c.correction, $4, $5 from clearing_corrections c"
        " join unnest($1::int[], $2::int[]) as u (one, other)"
        "  on least(c.debtor, c.creditor) = u.one and greatest(c.debtor, c.creditor) = u.other"
        " where c.window_number <= $3 order by c.correction on conflict (correction) do nothing",
        [min(pair) for pair in pairs],
        [max(pair) for pair in pairs],
        up_to,
        window,
        at,
    )


async def list_unpaid_corrections(tx: Tx, window: int) -> list[Correction]:
    """Corrections of windows up to one that are not paid."""
    rows = await tx.fetch(
        _SELECT + " where c.window_number <= $1 and p.correction is null"
        " order by c.window_number, c.correction",
        window,
    )
    return [_correction(row) for row in rows]


async def list_corrections(tx: Tx, window: int) -> list[Correction]:
    """Corrections that were made or paid in a window, by name."""
    rows = await tx.fetch(
        _SELECT + " where c.window_number = $1 or p.window_number = $1 order by c.correction",
        window,
    )
    return [_correction(row) for row in rows]


async def list_corrections_of(tx: Tx, window: int, party: int) -> list[Correction]:
    """Those of list_corrections that a party is one of."""
    rows = await tx.fetch(
        _SELECT + " where (c.window_number = $1 or p.window_number = $1)"
        " and $2 in (c.debtor, c.creditor) order by c.correction",
        window,
        party,
    )
    return [_correction(row) for row in rows]


def _correction(row: Record) -> Correction:
    return Correction(
        correction=row["correction"],
        of_window=row["of_window"],
        window=row["window_number"],
        pair=Pair(row["debtor"], row["creditor"]),
        amount_rial=row["amount_rial"],
        made_at=row["made_at"],
        paid_window=row["paid_window"],
    )
