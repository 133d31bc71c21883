"""All the SQL of account status."""

from collections.abc import Sequence
from typing import Final

from kit.db import Record, Tx
from members.account_status import domain
from members.account_status.domain import AccountStatus, Answer, Progress, StatusChange

_CHANGE: Final = (
    "select account, change::text, version, stopped, reason, changed_by, changed_at, booked, code,"
    " fa, en, answered_at from account_status_changes"
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


async def find_booked(tx: Tx, account: int) -> StatusChange | None:
    """The newest change of an account that the ledger booked; None: it was never stopped."""
    row = await tx.fetchrow(
        _CHANGE + " where account = $1 and booked order by version desc limit 1", account
    )
    return None if row is None else _change(row)


async def list_changes(tx: Tx, account: int, *, before: int, limit: int) -> list[StatusChange]:
    """Changes of an account below a version, newest first."""
    rows = await tx.fetch(
        _CHANGE + " where account = $1 and version < $2 order by version desc limit $3",
        account,
        before,
        limit,
    )
    return [_change(row) for row in rows]


async def update_answered(tx: Tx, answers: Sequence[Answer]) -> None:
    """Write the ledger's answers; the first answer to a name stands."""
    await tx.execute(
        "update account_status_changes s"
        " set booked = u.booked, code = u.code, fa = u.fa, en = u.en, answered_at = u.answered_at"
        " from unnest($1::text[], $2::bool[], $3::text[], $4::text[], $5::text[],"
        " $6::timestamptz[]) as u (name, booked, code, fa, en, answered_at)"
        " where s.name = u.name and s.booked is null",
        [a.name for a in answers],
        [a.booked for a in answers],
        [a.code for a in answers],
        [a.fa for a in answers],
        [a.en for a in answers],
        [a.answered_at for a in answers],
    )


def _change(row: Record) -> StatusChange:
    booked: bool | None = row["booked"]
    done = Progress.COMPLETED if booked else Progress.DECLINED
    return StatusChange(
        change=row["change"],
        version=row["version"],
        standing=AccountStatus.STOPPED if row["stopped"] else AccountStatus.OPEN,
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
        status=Progress.PENDING if booked is None else done,
        code=row["code"],
        fa=row["fa"],
        en=row["en"],
        answered_at=row["answered_at"],
    )
