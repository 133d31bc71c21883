"""All the SQL of cases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from contracts.values import Reason, Status
from fraud.cases.domain import Case, CaseStatus, EarningOutcome, Review, ReviewOutcome
from kit.base.db import Record, Tx
from kit.stream import local_tables

_json: Final = msgspec.json.Encoder()
_reasons: Final = msgspec.json.Decoder(tuple[Reason, ...])


async def insert_cases(tx: Tx, reviews: Sequence[Review]) -> None:
    """Open cases; a case that is there stays as it is."""
    await tx.execute(
        "insert into cases (case_id, shard, name, account, member, merchant, terminal,"
        "  amount_rial, opened_at, due_at, reasons, auto_release, status)"
        " select *, 'waiting' from unnest($1::text[], $2::int[], $3::text[], $4::bigint[],"
        "  $5::bigint[], $6::int[], $7::bigint[], $8::bigint[], $9::timestamptz[],"
        "  $10::timestamptz[], $11::jsonb[], $12::bool[]) on conflict do nothing",
        [r.case_id for r in reviews],
        [r.shard for r in reviews],
        [r.name for r in reviews],
        [r.account for r in reviews],
        [r.member for r in reviews],
        [r.merchant for r in reviews],
        [r.terminal for r in reviews],
        [r.amount_rial for r in reviews],
        [r.opened_at for r in reviews],
        [r.due_at for r in reviews],
        [_json.encode(r.reasons).decode() for r in reviews],
        [r.auto_release for r in reviews],
    )


async def update_ledger_status(tx: Tx, earning_outcomes: Sequence[EarningOutcome]) -> None:
    """Write the ledger's outcomes of earnings to waiting cases; others change nothing."""
    await tx.execute(
        "update cases c set status = u.status, ledger_status = u.ledger_status"
        " from unnest($1::int[], $2::text[], $3::text[], $4::text[])"
        "  as u (shard, name, status, ledger_status)"
        " where c.shard = u.shard and c.name = u.name and c.status = 'waiting'",
        [e.shard for e in earning_outcomes],
        [e.name for e in earning_outcomes],
        [e.case_status.value for e in earning_outcomes],
        [e.ledger_status.value for e in earning_outcomes],
    )


async def update_answered(tx: Tx, answered: Sequence[tuple[str, CaseStatus]]) -> None:
    """Write the statuses that cases took from the ledger's answers, by case id."""
    await tx.execute(
        "update cases c set status = u.status from unnest($1::text[], $2::text[])"
        " as u (case_id, status) where c.case_id = u.case_id and c.status = 'decided'",
        [case_id for case_id, _ in answered],
        [status.value for _, status in answered],
    )


async def update_outcome(
    tx: Tx, case_id: str, outcome: ReviewOutcome, note: str, reviewer: str, now: datetime
) -> None:
    """Write a reviewer's outcome down."""
    await tx.execute(
        "update cases set status = 'decided', outcome = $2, note = $3, reviewer = $4,"
        " decided_at = $5 where case_id = $1",
        case_id,
        outcome.value,
        note,
        reviewer,
        now,
    )


async def update_expired(tx: Tx, now: datetime) -> int:
    """Close open cases that are past due and released by themselves; gives how many."""
    done = await tx.execute(
        "update cases set status = 'lapsed'"
        " where outcome is null and status = 'open' and auto_release and due_at <= $1",
        now,
    )
    return int(done.rpartition(" ")[2])


async def lock_unreviewed(tx: Tx, now: datetime, limit: int) -> list[Review]:
    """Open cases past due that are not released by themselves, locked; those a reviewer decides now
    are left."""
    rows = await tx.fetch(
        "select case_id, shard, name, account, member, merchant, terminal, amount_rial, reasons,"
        " opened_at, due_at, auto_release from cases"
        " where outcome is null and status = 'open' and not auto_release and due_at <= $1"
        " order by due_at limit $2 for update skip locked",
        now,
        limit,
    )
    return [_review(row) for row in rows]


async def find_case(tx: Tx, case_id: str, *, lock: bool = False) -> Case | None:
    """One case; lock: until the transaction ends, so that one outcome is decided."""
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
    "amount_rial", "reasons", "opened_at", "due_at", "status", "ledger_status", "outcome", "note",
    "reviewer", "decided_at", "auto_release",
)  # fmt: skip
_columns: list[sa.ColumnClause[Any]] = [sa.column(column) for column in _COLUMNS]
_CASES: Final = sa.table("cases", *_columns)


def _case(row: Record) -> Case:
    outcome, ledger_status = row["outcome"], row["ledger_status"]
    return Case(
        number=row["number"],
        review=_review(row),
        status=CaseStatus(row["status"]),
        ledger_status=None if ledger_status is None else Status(ledger_status),
        outcome=None if outcome is None else ReviewOutcome(outcome),
        note=row["note"],
        reviewer=row["reviewer"],
        decided_at=row["decided_at"],
    )


def _review(row: Record) -> Review:
    fields = {name: row[name] for name in Review.__struct_fields__ if name != "reasons"}
    return Review(**fields, reasons=_reasons_of(row))


def _reasons_of(row: Record) -> tuple[Reason, ...]:
    """Why a case was opened; empty where the stored text is not readable any more."""
    rows = [(row["case_id"], row["reasons"])]
    return next(iter(local_tables.legible(rows, lambda one: _reasons.decode(one[1]), "cases")), ())
