"""All the SQL of changes of users."""

from typing import Final

from identity.user_changes.domain import Kind, UserChange, UserStanding
from kit.base.db import Record, Tx

_CHANGE: Final = (
    "select change::text, user_id::text, version, kind, stopped, grants, reason, changed_by,"
    " changed_at from user_changes"
)


async def insert_change(tx: Tx, change: UserChange) -> None:
    """Add a change; a change or a version that is there is a DataError."""
    await tx.execute(
        "insert into user_changes (change, user_id, version, kind, stopped, grants, reason,"
        " changed_by, changed_at) values ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9)",
        change.change, change.user, change.version, change.kind.value,
        change.standing is UserStanding.STOPPED, list(change.grants), change.reason,
        change.changed_by, change.changed_at,
    )  # fmt: skip


async def find_change(tx: Tx, change: str) -> UserChange | None:
    """A change by id."""
    row = await tx.fetchrow(_CHANGE + " where change = $1::uuid", change)
    return None if row is None else _change(row)


async def list_changes(tx: Tx, user: str, *, before: int, limit: int) -> list[UserChange]:
    """Changes of a user below a version, newest first."""
    rows = await tx.fetch(
        _CHANGE + " where user_id = $1::uuid and version < $2 order by version desc limit $3",
        user, before, limit,
    )  # fmt: skip
    return [_change(row) for row in rows]


def _change(row: Record) -> UserChange:
    return UserChange(
        change=row["change"],
        user=row["user_id"],
        version=row["version"],
        kind=Kind(row["kind"]),
        standing=UserStanding.STOPPED if row["stopped"] else UserStanding.OPEN,
        grants=tuple(row["grants"]),
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
