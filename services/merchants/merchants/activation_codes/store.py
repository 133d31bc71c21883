"""All the SQL of activation codes."""

from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from merchants.activation_codes.domain import ActivationCode

_SELECT: Final = (
    "select code_id::text, terminal, sha256, overlap_s, issued_by, issued_at, ends_at, ended_at,"
    " device::text, redeemed from activation_codes"
)


async def insert_code(tx: Tx, code: ActivationCode) -> None:
    """Write a new code."""
    await tx.execute(
        "insert into activation_codes"
        " (code_id, terminal, sha256, overlap_s, issued_by, issued_at, ends_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        code.code_id,
        code.terminal,
        code.sha256,
        code.overlap_s,
        code.issued_by,
        code.issued_at,
        code.ends_at,
    )


async def find_code(tx: Tx, code_id: str) -> ActivationCode | None:
    """A code by its id, or None."""
    return _code(await tx.fetchrow(_SELECT + " where code_id = $1", code_id))


async def lock_digest(tx: Tx, sha256: str) -> ActivationCode | None:
    """A code by its digest, held until the transaction ends, or None."""
    return _code(await tx.fetchrow(_SELECT + " where sha256 = $1 for update", sha256))


async def update_ended(tx: Tx, terminal: int, at: datetime, *, code_id: str | None = None) -> None:
    """End one code of a terminal that has not ended, or all."""
    await tx.execute(
        "update activation_codes set ended_at = $2 where terminal = $1 and ended_at is null"
        " and ($3::uuid is null or code_id = $3)",
        terminal,
        at,
        code_id,
    )


async def update_redeemed(tx: Tx, code_id: str, device: str) -> None:
    """Count a redemption by a device."""
    await tx.execute(
        "update activation_codes set device = $2, redeemed = redeemed + 1 where code_id = $1",
        code_id,
        device,
    )


def _code(row: Record | None) -> ActivationCode | None:
    return None if row is None else ActivationCode(**dict(row))
