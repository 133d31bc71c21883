"""All the SQL of adjustments."""

from typing import Final

from kit.base.db import Record, Tx
from members.adjustments import domain
from members.adjustments.domain import AdjustedUnit, Adjustment, Correction, Direction

_ADJUSTMENT: Final = (
    "select account, adjustment::text, version, direction, unit, amount, issuer, funder, cost_rial,"
    " expires_at, reason, proposed_by, approved_by, adjusted_at from adjustments"
)


async def insert_adjustment(tx: Tx, account: int, adjustment: Adjustment) -> None:
    """Add an adjustment; an id or a version that is there is a DataError."""
    correction = adjustment.correction
    await tx.execute(
        "insert into adjustments (adjustment, account, version, direction, unit, amount, issuer,"
        " funder, cost_rial, expires_at, reason, proposed_by, approved_by, adjusted_at, name)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        adjustment.adjustment, account, adjustment.version, correction.direction.value,
        correction.unit.value, correction.amount, correction.issuer, correction.funder,
        correction.cost_rial, correction.expires_at, correction.reason, adjustment.proposed_by,
        adjustment.approved_by, adjustment.adjusted_at,
        domain.command_name(account, adjustment.adjustment),
    )  # fmt: skip


async def find_adjustment(tx: Tx, adjustment: str) -> tuple[int, Adjustment] | None:
    """The account of an adjustment, and the adjustment; None where there is none of that id."""
    row = await tx.fetchrow(_ADJUSTMENT + " where adjustment = $1::uuid", adjustment)
    return None if row is None else (row["account"], _adjustment(row))


async def list_adjustments(tx: Tx, account: int, *, before: int, limit: int) -> list[Adjustment]:
    """Adjustments of an account below a version, newest first."""
    rows = await tx.fetch(
        _ADJUSTMENT + " where account = $1 and version < $2 order by version desc limit $3",
        account,
        before,
        limit,
    )
    return [_adjustment(row) for row in rows]


def _adjustment(row: Record) -> Adjustment:
    return Adjustment(
        adjustment=row["adjustment"],
        version=row["version"],
        correction=Correction(
            direction=Direction(row["direction"]),
            unit=AdjustedUnit(row["unit"]),
            amount=row["amount"],
            issuer=row["issuer"],
            funder=row["funder"],
            cost_rial=row["cost_rial"],
            expires_at=row["expires_at"],
            reason=row["reason"],
        ),
        proposed_by=row["proposed_by"],
        approved_by=row["approved_by"],
        adjusted_at=row["adjusted_at"],
    )
