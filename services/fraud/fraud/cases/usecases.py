"""The verbs of cases: open, record outcomes, decide, expire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import structs

from contracts.envelope import Envelope, derive_id
from contracts.ledger import CancelPending, Outcome, ReleasePending
from fraud.cases import domain, store
from kit.base import errors
from kit.base.db import Tx
from kit.stream import requests

Review = domain.Review  # what a case opens with, for screening

PLATFORM: Final = "platform"  # the reviewer where time decided
UNREVIEWED: Final = "not reviewed by its due time"

_EARNINGS: Final = ("post-transaction.v1", "refuse-transaction.v1")
_REVIEW_OUTCOMES: Final = {
    "release-pending.v1": domain.ReviewOutcome.RELEASE,
    "cancel-pending.v1": domain.ReviewOutcome.CANCEL,
}


async def open_cases(tx: Tx, reviews: Sequence[Review]) -> None:
    """Open a case for each earning under review; one that is there stays as it is."""
    if reviews:
        await store.insert_cases(tx, reviews)


async def record_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Record the ledger's outcomes, each with its shard: cases open, or are answered."""
    earning_outcomes = [
        domain.earning_outcome(shard, outcome.name, outcome.status)
        for shard, outcome in outcomes
        if outcome.command in _EARNINGS
    ]
    if earning_outcomes:
        await store.update_ledger_status(tx, earning_outcomes)
    answers = await requests.record_outcomes(tx, outcomes, commands=_REVIEW_OUTCOMES)
    if answers:
        answered = [
            (
                domain.case_id_of(answer.name),
                domain.answered(_REVIEW_OUTCOMES[answer.command], completed=answer.completed),
            )
            for answer in answers
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
    tx: Tx, case_id: str, outcome: domain.ReviewOutcome, note: str, *, reviewer: str, now: datetime
) -> domain.Case:
    """Write a reviewer's outcome down, and send it to the ledger once.

    Raises NotFound, AlreadyDecided, OutcomeNotHeardYet, PastDue, NothingPending.
    Source: architecture 2, held for review.
    """
    case = await store.find_case(tx, case_id, lock=True)
    if case is None:
        raise _no_case(case_id)
    if domain.check_outcome(case, outcome, note, now=now):
        await store.update_outcome(tx, case_id, outcome, note, reviewer, now)
        command = _outcome_command(case.review, outcome, reviewer=reviewer, now=now)
        await requests.send(tx, [(case.review.shard, command)])
    return await get_case(tx, case_id)


async def list_cases(
    tx: Tx, status: domain.CaseStatus | None, *, after: int, limit: int
) -> list[domain.Case]:
    """Cases opened after a number, oldest first, of one status or all."""
    return await _with_answers(tx, await store.list_cases(tx, status, after, limit))


async def _with_answers(tx: Tx, cases: Sequence[domain.Case]) -> list[domain.Case]:
    """The cases, each with the ledger's answer to its outcome."""
    names = {
        case.review.case_id: domain.command_name(case.review.case_id)
        for case in cases
        if case.outcome is not None
    }
    results = await requests.find_results(tx, list(names.values())) if names else {}
    return [
        structs.replace(case, answer_code=result.code, answered_at=result.answered_at)
        if (result := results.get(names.get(case.review.case_id, ""))) is not None
        else case
        for case in cases
    ]


async def expire_cases(tx: Tx, *, now: datetime) -> int:
    """Close the open cases whose points became available at their due time; gives how many."""
    return await store.update_expired(tx, now)


async def cancel_unreviewed(tx: Tx, *, now: datetime, limit: int) -> int:
    """Cancel the earnings that nobody reviewed in time and that are not released by themselves.

    Gives how many. An earning too large to release unreviewed is cancelled (findings S15).
    """
    reviews = await store.lock_unreviewed(tx, now, limit)
    outcome = domain.ReviewOutcome.CANCEL
    for review in reviews:
        await store.update_outcome(tx, review.case_id, outcome, UNREVIEWED, PLATFORM, now)
    if reviews:
        commands = [
            (review.shard, _outcome_command(review, outcome, reviewer=PLATFORM, now=now))
            for review in reviews
        ]
        await requests.send(tx, commands)
    return len(reviews)


def _no_case(case_id: str) -> errors.NotFound:
    return errors.NotFound(f"there is no case {case_id[:80]}; list them with GET /v1/cases")


def _outcome_command(
    review: domain.Review, outcome: domain.ReviewOutcome, *, reviewer: str, now: datetime
) -> Envelope[ReleasePending | CancelPending]:
    release = outcome is domain.ReviewOutcome.RELEASE
    command = ReleasePending if release else CancelPending
    return Envelope(
        id=derive_id(review.case_id, "outcome"),
        type="release-pending.v1" if release else "cancel-pending.v1",
        key=str(review.account),
        occurred_at=now,
        accepted_at=now,
        cause_id=review.case_id,
        data=command(
            name=domain.command_name(review.case_id),
            original=review.name,
            case_id=review.case_id,
            reviewer=reviewer,
        ),
    )
