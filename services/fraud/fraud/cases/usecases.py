"""The verbs of cases: open, hear, decide, lapse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import structs

from contracts.envelope import Envelope, follow
from contracts.ledger import CancelPending, Outcome, ReleasePending
from fraud.cases import domain, store
from kit.base import errors
from kit.base.db import Tx
from kit.stream import requests

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
    if hearings:
        await store.update_heard(tx, hearings)
    answers = await requests.record_outcomes(tx, outcomes, commands=_VERDICTS)
    if answers:
        answered = [
            (
                domain.case_id_of(one.name),
                domain.answered(_VERDICTS[one.command], completed=one.completed),
            )
            for one in answers
        ]
        await store.update_answered(tx, answered)


async def get_case(tx: Tx, case_id: str) -> domain.Case:
    """A case as it stands. Raises NotFound."""
    case = await store.find_case(tx, case_id)
    if case is None:
        raise _no_case(case_id)
    (answered,) = await _with_answers(tx, [case])
    return answered


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
        command = _verdict_command(found.hold, verdict, reviewer=reviewer, now=now)
        await requests.send(tx, [(found.hold.shard, command)])
    return await get_case(tx, case_id)


async def list_cases(
    tx: Tx, status: domain.CaseStatus | None, *, after: int, limit: int
) -> list[domain.Case]:
    """Cases opened after a number, oldest first, of one status or all."""
    return await _with_answers(tx, await store.list_cases(tx, status, after, limit))


async def _with_answers(tx: Tx, cases: Sequence[domain.Case]) -> list[domain.Case]:
    """The cases, each with what the ledger answered to its verdict."""
    names = {
        case.hold.case_id: domain.command_name(case.hold.case_id)
        for case in cases
        if case.verdict is not None
    }
    results = await requests.find_results(tx, list(names.values())) if names else {}
    return [
        structs.replace(case, answer_code=result.code, answered_at=result.answered_at)
        if (result := results.get(names.get(case.hold.case_id, ""))) is not None
        else case
        for case in cases
    ]


async def lapse_cases(tx: Tx, *, now: datetime) -> int:
    """Close the open cases that lapse and whose due time has passed; gives how many."""
    return await store.update_lapsed(tx, now)


async def cancel_unreviewed(tx: Tx, *, now: datetime, limit: int) -> int:
    """Cancel the earnings that nobody reviewed in time and that must not lapse; gives how many.

    The house's own verdict: what is too large to be given unseen is not given (findings S15).
    """
    holds = await store.lock_unreviewed(tx, now, limit)
    verdict = domain.CaseVerdict.CANCEL
    for hold in holds:
        await store.update_verdict(tx, hold.case_id, verdict, UNREVIEWED, HOUSE, now)
    if holds:
        commands = [
            (hold.shard, _verdict_command(hold, verdict, reviewer=HOUSE, now=now)) for hold in holds
        ]
        await requests.send(tx, commands)
    return len(holds)


def _no_case(case_id: str) -> errors.NotFound:
    return errors.NotFound(f"there is no case {case_id[:80]}; list them with GET /v1/cases")


def _verdict_command(
    hold: domain.Hold, verdict: domain.CaseVerdict, *, reviewer: str, now: datetime
) -> Envelope[ReleasePending | CancelPending]:
    release = verdict is domain.CaseVerdict.RELEASE
    command = ReleasePending if release else CancelPending
    return Envelope(
        id=follow(hold.case_id, "verdict"),
        type="release-pending.v1" if release else "cancel-pending.v1",
        key=str(hold.account),
        occurred_at=now,
        accepted_at=now,
        cause_id=hold.case_id,
        data=command(
            name=domain.command_name(hold.case_id),
            original=hold.name,
            case_id=hold.case_id,
            reviewer=reviewer,
        ),
    )
