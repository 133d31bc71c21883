"""All the SQL of party status."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from kit.db import Record, Tx
from merchants.party_status import domain
from merchants.party_status.domain import Answer, PartyStatusChange
from merchants.terminal_status.domain import OperatingStatus

_CHANGE: Final = (
    "select party, change::text, version, stopped, reason, changed_by, changed_at, name, shards"
    " from party_status_changes"
)


async def insert_change(tx: Tx, party: int, change: PartyStatusChange, *, shards: int) -> None:
    """Add a change; a change or a version that is there is a DataError."""
    await tx.execute(
        "insert into party_status_changes"
        " (change, party, version, stopped, reason, changed_by, changed_at, name, shards)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)",
        change.change,
        party,
        change.version,
        change.standing is OperatingStatus.STOPPED,
        change.reason,
        change.changed_by,
        change.changed_at,
        domain.command_name(party, change.change),
        shards,
    )


async def find_change(tx: Tx, change: str) -> tuple[int, PartyStatusChange] | None:
    """The party of a change, and the change; None where there is none of that id."""
    row = await tx.fetchrow(_CHANGE + " where change = $1::uuid", change)
    if row is None:
        return None
    (answered,) = await _answered(tx, [row])
    return row["party"], answered


async def list_changes(tx: Tx, party: int, *, before: int, limit: int) -> list[PartyStatusChange]:
    """Changes of a party below a version, newest first."""
    rows = await tx.fetch(
        _CHANGE + " where party = $1 and version < $2 order by version desc limit $3",
        party,
        before,
        limit,
    )
    return await _answered(tx, rows)


async def find_booked(tx: Tx, party: int) -> bool | None:
    """Whether the newest change that every shard booked stopped the party; None: there is none."""
    row = await tx.fetchrow(
        "select s.stopped from party_status_changes s join party_status_answers a using (name)"
        " where s.party = $1 group by s.change"
        " having bool_and(a.booked) and count(*) = s.shards order by s.version desc limit 1",
        party,
    )
    return None if row is None else row["stopped"]


async def insert_answers(tx: Tx, answers: Sequence[Answer]) -> None:
    """Keep the shards' answers to changes of parties; the first answer of a shard stands."""
    await tx.execute(
        "insert into party_status_answers (name, shard, booked, code, fa, en, answered_at)"
        " select u.name, u.shard, u.booked, u.code, u.fa, u.en, u.answered_at"
        " from unnest($1::text[], $2::int[], $3::bool[], $4::text[], $5::text[], $6::text[],"
        " $7::timestamptz[]) as u (name, shard, booked, code, fa, en, answered_at)"
        " join party_status_changes s on s.name = u.name"
        " order by u.name, u.shard on conflict (name, shard) do nothing",
        [a.name for a in answers],
        [a.shard for a in answers],
        [a.booked for a in answers],
        [a.code for a in answers],
        [a.fa for a in answers],
        [a.en for a in answers],
        [a.answered_at for a in answers],
    )


async def _answered(tx: Tx, rows: Sequence[Record]) -> list[PartyStatusChange]:
    """The changes of rows, each with the answers of the shards."""
    answer_rows = await tx.fetch(
        "select name, shard, booked, code, fa, en, answered_at from party_status_answers"
        " where name = any($1::text[]) order by name, shard",
        [row["name"] for row in rows],
    )
    answers: defaultdict[str, list[Answer]] = defaultdict(list)
    for row in answer_rows:
        answers[row["name"]].append(Answer(**dict(row)))
    return [
        domain.with_answers(_change(row), answers[row["name"]], shards=row["shards"])
        for row in rows
    ]


def _change(row: Record) -> PartyStatusChange:
    return PartyStatusChange(
        change=row["change"],
        version=row["version"],
        standing=OperatingStatus.STOPPED if row["stopped"] else OperatingStatus.OPEN,
        reason=row["reason"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
