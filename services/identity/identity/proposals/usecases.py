"""Proposing a write, deciding it, and keeping what came of it (decision 0044)."""

from dataclasses import dataclass, replace
from datetime import datetime

from identity import errors
from identity.proposals import domain, store
from identity.proposals.domain import (
    Decision,
    NotYours,
    OwnProposal,
    Proposal,
    ProposerNotEntitled,
    Result,
    RoleMissing,
    SecondFactorNeeded,
    State,
)
from identity.sessions import usecases as sessions
from identity.users import usecases as users
from identity.users.domain import roles_of
from kit.base.db import Tx


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever is signed in. session: as his token has it; an auditor's program has none."""

    person: str
    roles: frozenset[str]
    session: str = ""
    reads_all: bool = False


async def propose(tx: Tx, fresh: Proposal) -> Proposal | None:
    """Keep a write until a second person decides; None where one person is enough.

    The same write of the same person is the same proposal while it waits. One person is enough to
    give rights while no other ever accepted an invitation with `users`.
    """
    alone = domain.gives_rights(fresh.write.target)
    if alone and not await users.has_another_administrator(tx, fresh.proposed_by):
        return None
    now = fresh.proposed_at
    kept = await store.find_open(tx, fresh.proposed_by, fresh.write)
    if kept is not None and kept.state(now) is State.EXPIRED:
        await store.update_decision(tx, kept.proposal, Decision.EXPIRED, by="", now=now)
        kept = None
    if kept is None and not await store.insert_proposal(tx, fresh):
        kept = await store.find_open(tx, fresh.proposed_by, fresh.write)
    return fresh if kept is None else kept


async def approve(tx: Tx, proposal: str, by: Reader, now: datetime) -> Proposal:
    """Approve a proposal; whoever may, may ask again for what was approved and not carried out.

    Raises Unknown, OwnProposal, RoleMissing, SecondFactorNeeded, ProposalExpired, ProposalDecided,
    ProposerNotEntitled.
    """
    kept = await _decidable(tx, proposal, by)
    if kept.decision is Decision.APPROVED:
        return kept
    kept.check_open(now)
    proposer = await users.get_user(tx, kept.proposed_by)
    if proposer.stopped or not kept.is_entitled(roles_of(proposer.grants)):
        raise ProposerNotEntitled("who proposed it may not do it any more; reject it")
    await store.update_decision(tx, proposal, Decision.APPROVED, by=by.person, now=now)
    return replace(kept, decision=Decision.APPROVED, decided_by=by.person, decided_at=now)


async def reject(tx: Tx, proposal: str, by: Reader, reason: str, now: datetime) -> Proposal:
    """Reject a proposal; repeated by the same person, the first rejection stands.

    Raises Unknown, OwnProposal, RoleMissing, SecondFactorNeeded, ProposalExpired, ProposalDecided.
    """
    kept = await _decidable(tx, proposal, by)
    if kept.decision is Decision.REJECTED and kept.decided_by == by.person:
        return kept
    kept.check_open(now)
    decision = Decision.REJECTED
    await store.update_decision(tx, proposal, decision, by=by.person, now=now, reason=reason)
    return replace(kept, decision=decision, decided_by=by.person, decided_at=now, reason=reason)


async def withdraw(tx: Tx, proposal: str, by: Reader, now: datetime) -> Proposal:
    """Withdraw one's own proposal. Raises Unknown, NotYours, ProposalExpired, ProposalDecided."""
    kept = _visible(await store.lock_proposal(tx, proposal), by)
    if kept.proposed_by != by.person:
        raise NotYours("somebody else proposed it; reject it instead")
    if kept.decision is Decision.WITHDRAWN:
        return kept
    kept.check_open(now)
    decision = Decision.WITHDRAWN
    await store.update_decision(tx, proposal, decision, by=by.person, now=now)
    return replace(kept, decision=decision, decided_by=by.person, decided_at=now)


async def record_result(tx: Tx, proposal: str, result: Result, now: datetime) -> Proposal:
    """Keep what came of an approved proposal; the first result stands. Raises Unknown."""
    kept = await store.lock_proposal(tx, proposal)
    if kept is None or kept.decision is not Decision.APPROVED:
        raise errors.Unknown(f"there is no approved proposal {proposal}")
    if kept.result is not None:
        return kept
    await store.update_result(tx, proposal, result, now)
    return replace(kept, result=result)


async def get_approved(tx: Tx, proposal: str) -> Proposal:
    """A proposal that was approved, to carry it out. Raises Unknown."""
    kept = await store.find_proposal(tx, proposal)
    if kept is None or kept.decision is not Decision.APPROVED:
        raise errors.Unknown(f"there is no approved proposal {proposal}")
    return kept


async def get_proposal(tx: Tx, proposal: str, reader: Reader) -> Proposal:
    """A proposal of one's own, or that needs a right which one has. Raises Unknown."""
    return _visible(await store.find_proposal(tx, proposal), reader)


async def list_proposals(tx: Tx, reader: Reader, *, before: str, limit: int) -> list[Proposal]:
    """All that a reader may see, newest first."""
    own, others = (None, None) if reader.reads_all else (reader.person, reader.roles)
    return await store.list_proposals(tx, own=own, others=others, before=before, limit=limit)


async def list_own(tx: Tx, reader: Reader, *, before: str, limit: int) -> list[Proposal]:
    """What a person proposed, newest first."""
    return await store.list_proposals(
        tx, own=reader.person, others=None, before=before, limit=limit
    )


async def list_decidable(
    tx: Tx, reader: Reader, *, now: datetime, before: str, limit: int
) -> list[Proposal]:
    """Open proposals that wait for a person's decision, newest first."""
    return await store.list_decidable(
        tx, person=reader.person, roles=reader.roles, now=now, before=before, limit=limit
    )


async def _decidable(tx: Tx, proposal: str, by: Reader) -> Proposal:
    """A proposal, held until the transaction ends, that this person may decide."""
    kept = await store.lock_proposal(tx, proposal)
    if kept is None:
        raise errors.Unknown(f"there is no proposal {proposal}; list those that wait for you")
    if kept.proposed_by == by.person:
        raise OwnProposal("you proposed it yourself; another person has to decide")
    if kept.is_entitled(by.roles):
        return kept
    session = await sessions.find_session(tx, sessions.plain_id(by.session))
    if session is not None and kept.is_entitled(session.withheld):
        raise SecondFactorNeeded("sign in with your second factor, then decide")
    raise RoleMissing(f"needs one of: {', '.join(kept.roles)}; ask somebody who has it")


def _visible(kept: Proposal | None, reader: Reader) -> Proposal:
    if kept is None or not (
        reader.reads_all or kept.proposed_by == reader.person or kept.is_entitled(reader.roles)
    ):
        raise errors.Unknown("there is no such proposal; list those that you may see")
    return kept
