"""SQL of disputes and their steps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from merchants.disputes.domain.disputes import (
    Dispute,
    DisputedSide,
    DisputeFilter,
    DisputeReason,
    DisputeState,
    Opening,
    Step,
)

_SELECT: Final = (
    "select dispute::text as dispute, number, window_number, opener, respondent, side, amount_rial,"
    " reason, text, transactions, opened_at, version, state, due_at, accepted_rial, correction_rial"
    " from disputes"
)


async def insert_dispute(tx: Tx, opening: Opening, *, at: datetime, due_at: datetime) -> bool:
    """Open a dispute; False where its id is taken."""
    tag = await tx.execute(
        "insert into disputes (dispute, window_number, opener, respondent, side, amount_rial,"
        " reason, text, transactions, opened_at, version, state, due_at)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10, 1, 'open', $11)"
        " on conflict (dispute) do nothing",
        opening.dispute,
        opening.window,
        opening.opener,
        opening.respondent,
        opening.side.value,
        opening.amount_rial,
        opening.reason.value,
        opening.text,
        list(opening.transactions),
        at,
        due_at,
    )
    return tag == "INSERT 0 1"


async def update_dispute(tx: Tx, dispute: Dispute) -> None:
    """Write where a dispute stands."""
    await tx.execute(
        "update disputes set version = $2, state = $3, due_at = $4, accepted_rial = $5,"
        " correction_rial = $6 where dispute = $1::uuid",
        dispute.opening.dispute,
        dispute.version,
        dispute.state.value,
        dispute.due_at,
        dispute.accepted_rial,
        dispute.correction_rial,
    )


async def insert_step(tx: Tx, dispute: str, step: Step) -> None:
    """Add a step; one that is there is a DataError."""
    await tx.execute(
        "insert into dispute_steps"
        " (dispute, version, state, at, by, approved_by, party, rial, note)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)",
        dispute,
        step.version,
        step.state.value,
        step.at,
        step.by,
        step.approved_by,
        step.party,
        step.rial,
        step.note,
    )


async def find_dispute(tx: Tx, dispute: str) -> Dispute | None:
    """A dispute, or None."""
    row = await tx.fetchrow(_SELECT + " where dispute = $1::uuid", dispute)
    return None if row is None else _dispute(row)


async def lock_dispute(tx: Tx, dispute: str) -> Dispute | None:
    """A dispute, held until the transaction ends, or None."""
    row = await tx.fetchrow(_SELECT + " where dispute = $1::uuid for no key update", dispute)
    return None if row is None else _dispute(row)


async def list_steps(tx: Tx, dispute: str) -> list[Step]:
    """The steps of a dispute in their order; there are six at most."""
    rows = await tx.fetch(
        "select version, state, at, by, approved_by, party, rial, note from dispute_steps"
        " where dispute = $1::uuid order by version",
        dispute,
    )
    return [
        Step(
            row["version"],
            DisputeState(row["state"]),
            row["at"],
            row["by"],
            row["approved_by"],
            row["party"],
            row["rial"],
            row["note"],
        )
        for row in rows
    ]


async def list_of_line(tx: Tx, opening: Opening) -> list[Dispute]:
    """The disputes that a party has of a line, with those that have come to their end."""
    rows = await tx.fetch(
        _SELECT + " where window_number = $1 and opener = $2 and respondent = $3 and side = $4",
        opening.window,
        opening.opener,
        opening.respondent,
        opening.side.value,
    )
    return [_dispute(row) for row in rows]


async def list_disputes(tx: Tx, of: DisputeFilter, *, before: int, limit: int) -> list[Dispute]:
    """Disputes, newest first, below a number."""
    rows = await tx.fetch(
        _SELECT + " where number < $1 and ($2::int is null or $2 in (opener, respondent))"
        " and ($3::int is null or $3 in (opener, respondent))"
        " and ($4::int is null or window_number = $4) and ($5::text is null or state = $5)"
        " order by number desc limit $6",
        before,
        of.party,
        of.counterparty,
        of.window,
        None if of.state is None else of.state.value,
        limit,
    )
    return [_dispute(row) for row in rows]


async def list_due(tx: Tx, now: datetime, *, limit: int) -> list[str]:
    """Disputes whose deadline has passed, the oldest first."""
    rows = await tx.fetch(
        "select dispute::text as dispute from disputes where due_at <= $1"
        " order by due_at, dispute limit $2",
        now,
        limit,
    )
    return [row["dispute"] for row in rows]


async def list_by_name(tx: Tx, disputes: Sequence[str]) -> list[Dispute]:
    """Those of some disputes that there are."""
    rows = await tx.fetch(_SELECT + " where dispute = any($1::uuid[])", list(disputes))
    return [_dispute(row) for row in rows]


async def list_uncorrected(tx: Tx, window: int, *, limit: int) -> list[Dispute]:
    """Disputes of windows before one that came to something and have no correction."""
    rows = await tx.fetch(
        _SELECT + " where correction_rial > 0 and window_number < $1"
        " and not exists (select from clearing_corrections c"
        "  where c.correction = disputes.dispute) order by number limit $2",
        window,
        limit,
    )
    return [_dispute(row) for row in rows]


def _dispute(row: Record) -> Dispute:
    opening = Opening(
        dispute=row["dispute"],
        window=row["window_number"],
        opener=row["opener"],
        respondent=row["respondent"],
        side=DisputedSide(row["side"]),
        amount_rial=row["amount_rial"],
        reason=DisputeReason(row["reason"]),
        text=row["text"],
        transactions=tuple(row["transactions"]),
    )
    return Dispute(
        opening=opening,
        opened_at=row["opened_at"],
        number=row["number"],
        version=row["version"],
        state=DisputeState(row["state"]),
        due_at=row["due_at"],
        accepted_rial=row["accepted_rial"],
        correction_rial=row["correction_rial"],
    )
