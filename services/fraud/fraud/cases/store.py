"""All the SQL of cases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from contracts.values import Reason, Status
from fraud.cases.domain import Case, CaseStatus, CaseVerdict, Hearing, Hold
from kit.base.db import Record, Tx
from kit.stream import local_tables

_json: Final = msgspec.json.Encoder()
_reasons: Final = msgspec.json.Decoder(tuple[Reason, ...])


async def insert_cases(tx: Tx, holds: Sequence[Hold]) -> None:
    """Open cases; a case that is there stays as it is."""
    await tx.execute(
        "insert into cases (case_id, shard, name, account, member, merchant, terminal,"
        "  amount_rial, opened_at, due_at, reasons, lapses, status)"
        " select *, 'waiting' from unnest($1::text[], $2::int[], $3::text[], $4::bigint[],"
        "  $5::bigint[], $6::int[], $7::bigint[], $8::bigint[], $9::timestamptz[],"
        "  $10::timestamptz[], $11::jsonb[], $12::bool[]) on conflict do nothing",
        [h.case_id for h in holds],
        [h.shard for h in holds],
        [h.name for h in holds],
        [h.account for h in holds],
        [h.member for h in holds],
        [h.merchant for h in holds],
        [h.terminal for h in holds],
        [h.amount_rial for h in holds],
        [h.opened_at for h in holds],
        [h.due_at for h in holds],
        [_json.encode(h.reasons).decode() for h in holds],
        [h.lapses for h in holds],
    )


async def update_heard(tx: Tx, hearings: Sequence[Hearing]) -> None:
    """Let waiting cases hear the ledger; what is no case's changes nothing."""
    await tx.execute(
        "update cases c set status = u.status, heard = u.heard"
        " from unnest($1::int[], $2::text[], $3::text[], $4::text[])"
        "  as u (shard, name, status, heard)"
        " where c.shard = u.shard and c.name = u.name and c.status = 'waiting'",
        [h.shard for h in hearings],
        [h.name for h in hearings],
        [h.then.value for h in hearings],
        [h.heard.value for h in hearings],
    )


async def update_answered(tx: Tx, answered: Sequence[tuple[str, CaseStatus]]) -> None:
    """Write down what the ledger's answers made of cases, by case id."""
    await tx.execute(
        "update cases c set status = u.status from unnest($1::text[], $2::text[])"
        " as u (case_id, status) where c.case_id = u.case_id and c.status = 'decided'",
        [case_id for case_id, _ in answered],
        [status.value for _, status in answered],
    )


async def update_verdict(
    tx: Tx, case_id: str, verdict: CaseVerdict, note: str, reviewer: str, now: datetime
) -> None:
    """Write a reviewer's verdict down."""
    await tx.execute(
        "update cases set status = 'decided', verdict = $2, note = $3, reviewer = $4,"
        " decided_at = $5 where case_id = $1",
        case_id,
        verdict.value,
        note,
        reviewer,
        now,
    )


async def update_lapsed(tx: Tx, now: datetime) -> int:
    """Close open cases that lapse, past due without a verdict; gives how many."""
    done = await tx.execute(
        "update cases set status = 'lapsed'"
        " where verdict is null and status = 'open' and lapses and due_at <= $1",
        now,
    )
    return int(done.rpartition(" ")[2])


async def lock_unreviewed(tx: Tx, now: datetime, limit: int) -> list[Hold]:
    """Open cases past due that must not lapse, locked; those a reviewer decides now are left."""
    rows = await tx.fetch(
        "select case_id, shard, name, account, member, merchant, terminal, amount_rial, reasons,"
        " opened_at, due_at, lapses from cases"
        " where verdict is null and status = 'open' and not lapses and due_at <= $1"
        " order by due_at limit $2 for update skip locked",
        now,
        limit,
    )
    return [_hold(row) for row in rows]


async def find_case(tx: Tx, case_id: str, *, lock: bool = False) -> Case | None:
    """One case; lock: until the transaction ends, so that one verdict is given."""
    statement = sa.select(*_CASES.c).where(_CASES.c.case_id == case_id)
    rows = await tx.select(statement.with_for_update() if lock else statement)
    return _case(rows[0]) if rows else None


async def list_cases(tx: Tx, status: CaseStatus | None, after: int, limit: int) -> list[Case]:
    """Cases after a number, oldest first, of one status or all."""
    statement = sa.select(*_CASES.c).where(_CASES.c.number > after)
    if status is not None:
        statement = statement.where(_CASES.c.status == status.value)
    rows = await tx.select(statement.order_by(_CASES.c.number).limit(limit))
    return [_case(row) for row in rows]


_COLUMNS: Final = (
    "number", "case_id", "shard", "name", "account", "member", "merchant", "terminal",
    "amount_rial", "reasons", "opened_at", "due_at", "status", "heard", "verdict", "note",
    "reviewer", "decided_at", "lapses",
)  # fmt: skip
_columns: list[sa.ColumnClause[Any]] = [sa.column(column) for column in _COLUMNS]
_CASES: Final = sa.table("cases", *_columns)


def _case(row: Record) -> Case:
    verdict, status = row["verdict"], row["heard"]
    return Case(
        number=row["number"],
        hold=_hold(row),
        status=CaseStatus(row["status"]),
        heard=None if status is None else Status(status),
        verdict=None if verdict is None else CaseVerdict(verdict),
        note=row["note"],
        reviewer=row["reviewer"],
        decided_at=row["decided_at"],
    )


def _hold(row: Record) -> Hold:
    fields = {name: row[name] for name in Hold.__struct_fields__ if name != "reasons"}
    return Hold(**fields, reasons=_reasons_of(row))


def _reasons_of(row: Record) -> tuple[Reason, ...]:
    """Why a case was opened; where that does not read any more, the case is decided without."""
    rows = [(row["case_id"], row["reasons"])]
    return next(iter(local_tables.legible(rows, lambda one: _reasons.decode(one[1]), "cases")), ())
