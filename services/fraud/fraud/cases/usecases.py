"""The verbs of cases: open, hear, decide, lapse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts import topics
from contracts.envelope import Envelope, follow
from contracts.ledger import CancelPending, Outcome, ReleasePending
from contracts.values import Family, name, name_parts
from fraud.cases import domain, store
from kit import errors, outbox
from kit.db import Tx

Hold = domain.Hold  # what a case opens with, for the road

HOUSE: Final = "house"  # the reviewer where time decided
UNREVIEWED: Final = "not reviewed by its due time"

_EARNINGS: Final = ("post-transaction.v1", "refuse-transaction.v1")
_VERDICTS: Final = {
    "release-pending.v1": domain.CaseVerdict.RELEASE,
    "cancel-pending.v1": domain.CaseVerdict.CANCEL,
}


async def open_cases(tx: Tx, holds: Sequence[Hold]) -> None:
    """Open a case for each held earning; one that is there stays as it is."""
    if holds:
        await store.insert_cases(tx, holds)


async def hear_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Take the ledger's outcomes, each with its shard: cases become decidable or are answered."""
    hearings = [
        domain.hear(shard, outcome.name, outcome.status)
        for shard, outcome in outcomes
        if outcome.command in _EARNINGS
    ]
    answers = [
        domain.Answer(
            case_id=name_parts(outcome.name)[1][0],
            then=domain.answer_to(verdict, outcome.status),
            code=outcome.code,
            at=outcome.decided_at,
        )
        for _, outcome in outcomes
        if (verdict := _VERDICTS.get(outcome.command)) is not None
    ]
    if hearings:
        await store.update_heard(tx, hearings)
    if answers:
        await store.update_answered(tx, answers)


async def get_case(tx: Tx, case_id: str) -> domain.Case:
    """A case as it stands. Raises NotFound."""
    found = await store.find_case(tx, case_id)
    if found is None:
        raise _no_case(case_id)
    return found


async def decide_case(
    tx: Tx, case_id: str, verdict: domain.CaseVerdict, note: str, *, reviewer: str, now: datetime
) -> domain.Case:
    """Write a reviewer's verdict down, and tell the ledger once.

    Raises NotFound, AlreadyDecided, OutcomeNotHeardYet, PastDue, NothingHeld.
    Source: architecture 2, held for review.
    """
    found = await store.find_case(tx, case_id, lock=True)
    if found is None:
        raise _no_case(case_id)
    if domain.check_verdict(found, verdict, note, now=now):
        await store.update_verdict(tx, case_id, verdict, note, reviewer, now)
        outbox.add(tx, [_verdict_command(found.hold, verdict, reviewer=reviewer, now=now)])
    return await get_case(tx, case_id)


async def list_cases(
    tx: Tx, status: domain.CaseStatus | None, *, after: int, limit: int
) -> list[domain.Case]:
    """Cases opened after a number, oldest first, of one status or all."""
    return await store.list_cases(tx, status, after, limit)


async def lapse_cases(tx: Tx, *, now: datetime) -> int:
    """Close the open cases that lapse and whose due time has passed; gives how many."""
    return await store.update_lapsed(tx, now)


async def cancel_unreviewed(tx: Tx, *, now: datetime, limit: int) -> int:
    """Cancel the earnings that nobody reviewed in time and that must not lapse; gives how many.

    The house's own verdict: what is too large to be given unseen is not given (findings S15).
    """
    holds = await store.lock_unreviewed(tx, now, limit)
    for hold in holds:
        verdict = domain.CaseVerdict.CANCEL
        await store.update_verdict(tx, hold.case_id, verdict, UNREVIEWED, HOUSE, now)
        outbox.add(tx, [_verdict_command(hold, verdict, reviewer=HOUSE, now=now)])
    return len(holds)


def _no_case(case_id: str) -> errors.NotFound:
    return errors.NotFound(f"there is no case {case_id[:80]}; list them with GET /v1/cases")


def _verdict_command(
    hold: domain.Hold, verdict: domain.CaseVerdict, *, reviewer: str, now: datetime
) -> outbox.Message:
    release = verdict is domain.CaseVerdict.RELEASE
    command = ReleasePending if release else CancelPending
    text = name(Family.VERDICT, hold.case_id)
    said = Envelope(
        id=follow(hold.case_id, "verdict"),
        type="release-pending.v1" if release else "cancel-pending.v1",
        key=str(hold.account),
        occurred_at=now,
        accepted_at=now,
        cause_id=hold.case_id,
        data=command(name=text, original=hold.name, case_id=hold.case_id, reviewer=reviewer),
    )
    return outbox.message(topics.LEDGER_COMMANDS, said, partition=hold.shard)
