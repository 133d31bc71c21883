"""All the SQL of terminal status."""

from typing import Final

from kit.base.db import Record, Tx
from merchants.terminal_status.domain import OperatingStatus, StatusChange, Subject, SubjectKind

_CHANGE: Final = (
    "select change::text, version, stopped, reason, changed_by, changed_at"
    " from terminal_status_changes"
)


async def insert_change(tx: Tx, subject: Subject, change: StatusChange) -> None:
    """Add a change; a change or a version that is there is a DataError."""
    await tx.execute(
        "insert into terminal_status_changes"
        " (change, subject, number, version, stopped, reason, changed_by, changed_at)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8)",
        change.change,
        subject.kind.value,
        subject.number,
        change.version,
        change.standing is OperatingStatus.STOPPED,
        change.reason,
        change.changed_by,
        change.changed_at,
    )


async def find_change(tx: Tx, change: str) -> tuple[Subject, StatusChange] | None:
    """The subject of a change, and the change; None where there is none of that id."""
    row = await tx.fetchrow(
        "select subject, number, change::text, version, stopped, reason, changed_by, changed_at"
        " from terminal_status_changes where change = $1::uuid",
        change,
    )
    return (
        None if row is None else (Subject(SubjectKind(row["subject"]), row["number"]), _change(row))
    )


async def list_changes(tx: Tx, subject: Subject, *, before: int, limit: int) -> list[StatusChange]:
    """Changes of a subject below a version, newest first."""
    rows = await tx.fetch(
        _CHANGE + " where subject = $1 and number = $2 and version < $3"
        " order by version desc limit $4",
        subject.kind.value,
        subject.number,
        before,
        limit,
    )
    return [_change(row) for row in rows]


def _change(row: Record) -> StatusChange:
    return StatusChange(
        change=row["change"],
        version=row["version"],
        standing=OperatingStatus.STOPPED if row["stopped"] else OperatingStatus.OPEN,
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
