"""All the SQL of proposals."""

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from typing import Final

from identity.proposals.domain import Decision, Proposal, Result, Write
from kit.base.db import Record, Tx

_PROPOSAL: Final = (
    "select proposal::text, method, target, content_type, body, roles, proposed_by::text,"
    " proposed_at, ends_at, decision, decided_by, decided_at, reason, result_status, result_body"
    " from proposals"
)


async def insert_proposal(tx: Tx, proposal: Proposal) -> bool:
    """False where the same write of the same person waits already."""
    write = proposal.write
    tag = await tx.execute(
        "insert into proposals (proposal, method, target, content_type, body, body_sha256, roles,"
        " proposed_by, proposed_at, ends_at)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7, $8::uuid, $9, $10) on conflict do nothing",
        proposal.proposal, write.method, write.target, write.content_type, write.body,
        sha256(write.body).hexdigest(), list(proposal.roles), proposal.proposed_by,
        proposal.proposed_at, proposal.ends_at,
    )  # fmt: skip
    return tag == "INSERT 0 1"


async def find_open(tx: Tx, proposed_by: str, write: Write) -> Proposal | None:
    """The proposal of a person for this very write that is not decided."""
    row = await tx.fetchrow(
        _PROPOSAL + " where proposed_by = $1::uuid and method = $2 and target = $3"
        " and body_sha256 = $4 and decision is null",
        proposed_by, write.method, write.target, sha256(write.body).hexdigest(),
    )  # fmt: skip
    return None if row is None else _proposal(row)


async def find_proposal(tx: Tx, proposal: str) -> Proposal | None:
    """A proposal by id."""
    row = await tx.fetchrow(_PROPOSAL + " where proposal = $1::uuid", proposal)
    return None if row is None else _proposal(row)


async def lock_proposal(tx: Tx, proposal: str) -> Proposal | None:
    """A proposal by id, locked until the transaction ends."""
    row = await tx.fetchrow(_PROPOSAL + " where proposal = $1::uuid for update", proposal)
    return None if row is None else _proposal(row)


async def list_proposals(
    tx: Tx, *, own: str | None, others: Collection[str] | None, before: str, limit: int
) -> list[Proposal]:
    """Proposals below an id, newest first.

    own: those of this person. others: beside them those of others that need one of these roles;
    None for both: all.
    """
    rows = await tx.fetch(
        _PROPOSAL + " where proposal < $1::uuid and (($2::uuid is null and $3::text[] is null)"
        " or proposed_by = $2::uuid or roles && $3::text[])"
        " order by proposal desc limit $4",
        before, own, None if others is None else sorted(others), limit,
    )  # fmt: skip
    return [_proposal(row) for row in rows]


async def list_decidable(
    tx: Tx, *, person: str, roles: Collection[str], now: datetime, before: str, limit: int
) -> list[Proposal]:
    """Open proposals of others that need one of these roles, newest first."""
    rows = await tx.fetch(
        _PROPOSAL + " where proposal < $1::uuid and proposed_by <> $2::uuid and roles && $3::text[]"
        " and decision is null and ends_at > $4 order by proposal desc limit $5",
        before, person, sorted(roles), now, limit,
    )  # fmt: skip
    return [_proposal(row) for row in rows]


async def update_decision(
    tx: Tx, proposal: str, decision: Decision, *, by: str, now: datetime, reason: str = ""
) -> None:
    """Write who decided, and what."""
    await tx.execute(
        "update proposals set decision = $2, decided_by = $3, decided_at = $4, reason = $5"
        " where proposal = $1::uuid",
        proposal, decision.value, by, now, reason,
    )  # fmt: skip


async def update_result(tx: Tx, proposal: str, result: Result, now: datetime) -> None:
    """Write what the service answered."""
    await tx.execute(
        "update proposals set result_status = $2, result_body = $3, finished_at = $4"
        " where proposal = $1::uuid",
        proposal, result.status, result.body, now,
    )  # fmt: skip


def _proposal(row: Record) -> Proposal:
    status: int | None = row["result_status"]
    return Proposal(
        proposal=row["proposal"],
        write=Write(row["method"], row["target"], row["content_type"], row["body"]),
        roles=tuple(row["roles"]),
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        ends_at=row["ends_at"],
        decision=None if row["decision"] is None else Decision(row["decision"]),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        reason=row["reason"],
        result=None if status is None else Result(status, row["result_body"]),
    )
