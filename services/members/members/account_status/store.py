"""All the SQL of account status."""

from typing import Final

from kit.base.db import Record, Tx
from kit.stream.requests import COMPLETED_EVERYWHERE
from members.account_status import domain
from members.account_status.domain import AccountStatus, StatusChange

_CHANGE: Final = (
    "select account, change::text, version, stopped, reason, changed_by, changed_at"
    " from account_status_changes"
)


async def insert_change(tx: Tx, account: int, change: StatusChange) -> None:
    """Add a change; a change or a version that is there is a DataError."""
    await tx.execute(
        "insert into account_status_changes"
        " (change, account, version, stopped, reason, changed_by, changed_at, name)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8)",
        change.change,
        account,
        change.version,
        change.standing is AccountStatus.STOPPED,
        change.reason,
        change.changed_by,
        change.changed_at,
        domain.command_name(account, change.change),
    )


async def find_change(tx: Tx, change: str) -> tuple[int, StatusChange] | None:
    """The account of a change, and the change; None where there is none of that id."""
    row = await tx.fetchrow(_CHANGE + " where change = $1::uuid", change)
    return None if row is None else (row["account"], _change(row))


async def find_status(tx: Tx, account: int) -> AccountStatus:
    """The status by the newest change of an account that the ledger booked; open without one."""
    stopped: bool | None = await tx.fetchval(
        "select t.stopped from account_status_changes t where t.account = $1 and "  # noqa: S608
        + COMPLETED_EVERYWHERE
        + " order by t.version desc limit 1",
        account,
    )
    return AccountStatus.STOPPED if stopped else AccountStatus.OPEN


async def list_changes(tx: Tx, account: int, *, before: int, limit: int) -> list[StatusChange]:
    """Changes of an account below a version, newest first."""
    rows = await tx.fetch(
        _CHANGE + " where account = $1 and version < $2 order by version desc limit $3",
        account,
        before,
        limit,
    )
    return [_change(row) for row in rows]


def _change(row: Record) -> StatusChange:
    return StatusChange(
        change=row["change"],
        version=row["version"],
        standing=AccountStatus.STOPPED if row["stopped"] else AccountStatus.OPEN,
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
