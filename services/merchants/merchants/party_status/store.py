"""All the SQL of party status."""

from typing import Final

from kit.base.db import Record, Tx
from kit.stream.requests import COMPLETED_EVERYWHERE
from merchants.party_status import domain
from merchants.party_status.domain import PartyStatusChange
from merchants.terminal_status.domain import OperatingStatus

_CHANGE: Final = (
    "select party, change::text, version, stopped, reason, changed_by, changed_at"
    " from party_status_changes"
)


async def insert_change(tx: Tx, party: int, change: PartyStatusChange) -> None:
    """Add a change; a change or a version that is there is a DataError."""
    await tx.execute(
        "insert into party_status_changes"
        " (change, party, version, stopped, reason, changed_by, changed_at, name)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8)",
        change.change,
        party,
        change.version,
        change.standing is OperatingStatus.STOPPED,
        change.reason,
        change.changed_by,
        change.changed_at,
        domain.command_name(party, change.change),
    )


async def find_change(tx: Tx, change: str) -> tuple[int, PartyStatusChange] | None:
    """The party of a change, and the change; None where there is none of that id."""
    row = await tx.fetchrow(_CHANGE + " where change = $1::uuid", change)
    return None if row is None else (row["party"], _change(row))


async def list_changes(tx: Tx, party: int, *, before: int, limit: int) -> list[PartyStatusChange]:
    """Changes of a party below a version, newest first."""
    rows = await tx.fetch(
        _CHANGE + " where party = $1 and version < $2 order by version desc limit $3",
        party,
        before,
        limit,
    )
    return [_change(row) for row in rows]


async def find_status(tx: Tx, party: int) -> OperatingStatus:
    """The status by the newest change that every shard booked; open without one."""
    stopped: bool | None = await tx.fetchval(
        "select t.stopped from party_status_changes t where t.party = $1 and "  # noqa: S608
        + COMPLETED_EVERYWHERE
        + " order by t.version desc limit 1",
        party,
    )
    return OperatingStatus.STOPPED if stopped else OperatingStatus.OPEN


def _change(row: Record) -> PartyStatusChange:
    return PartyStatusChange(
        change=row["change"],
        version=row["version"],
        standing=OperatingStatus.STOPPED if row["stopped"] else OperatingStatus.OPEN,
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
