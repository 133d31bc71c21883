"""The states of a dispute: each step from each state, its deadlines, its amounts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.base import errors
from merchants.clearing.domain.corrections import Correction, effect_of, effects_of
from merchants.clearing.domain.counting import Pair, PairSums
from merchants.disputes.domain import disputes as rules
from merchants.disputes.domain import evidence
from merchants.disputes.domain.disputes import (
    LIVE,
    Dispute,
    DisputedSide,
    DisputeReason,
    DisputeState,
    Opening,
)
from merchants.disputes.domain.refusals import (
    BelowAccepted,
    FileTypeUnknown,
    NotThere,
    OverDispute,
    OverLine,
    TooLate,
)

from .conftest import NOW
from .disputing import DAYS
from .ledger_outcomes import BAKER, GROCER

pytestmark = pytest.mark.SH14
SECOND = timedelta(seconds=1)
OPENING = Opening(
    dispute="00000000-0000-0000-0000-000000000001",
    window=1,
    opener=BAKER,
    respondent=GROCER,
    side=DisputedSide.DUE,
    amount_rial=100,
    reason=DisputeReason.OTHER,
    text="x",
    transactions=(),
)
S = DisputeState
STEPS: dict[str, Callable[[Dispute], Dispute | None]] = {
    "accept": lambda d: rules.answered(d, 100, NOW, DAYS),
    "accept-part": lambda d: rules.answered(d, 30, NOW, DAYS),
    "reject": lambda d: rules.answered(d, 0, NOW, DAYS),
    "escalate": lambda d: rules.escalated(d, NOW),
    "withdraw": rules.withdrawn,
    "uphold": lambda d: rules.decided(d, 100),
    "uphold-part": lambda d: rules.decided(d, 60),
    "dismiss": lambda d: rules.decided(d, 0),
    "expire": lambda d: rules.expired(d, NOW + DAYS.answer),
}
WITHDRAWN = (S.WITHDRAWN, 0)
DECISIONS = {"uphold": (S.UPHELD, 100), "uphold-part": (S.PARTLY_UPHELD, 60)}
# state and correction after each step that is one of the state; every other step is refused
TABLE: dict[DisputeState, dict[str, tuple[DisputeState, int | None]]] = {
    S.OPEN: {
        "accept": (S.ACCEPTED, 100),
        "accept-part": (S.PARTLY_ACCEPTED, None),
        "reject": (S.REJECTED, None),
        "withdraw": WITHDRAWN,
        "expire": (S.UNANSWERED, None),
    },
    S.UNANSWERED: {**DECISIONS, "dismiss": (S.DISMISSED, 0), "withdraw": WITHDRAWN},
    S.PARTLY_ACCEPTED: {
        "escalate": (S.ESCALATED, None),
        "withdraw": WITHDRAWN,
        "expire": (S.CLOSED, 30),
    },
    S.REJECTED: {
        "escalate": (S.ESCALATED, None),
        "withdraw": WITHDRAWN,
        "expire": (S.CLOSED, 0),
    },
    S.ESCALATED: {**DECISIONS, "dismiss": (S.DISMISSED, 0), "withdraw": WITHDRAWN},
    S.ACCEPTED: {},
    S.UPHELD: {},
    S.PARTLY_UPHELD: {},
    S.DISMISSED: {},
    S.CLOSED: {},
    S.WITHDRAWN: {},
}
DUE = {S.OPEN, S.PARTLY_ACCEPTED, S.REJECTED}


def dispute(state: DisputeState, **changes: object) -> Dispute:
    kept = Dispute(
        opening=OPENING,
        opened_at=NOW,
        number=1,
        version=3,
        state=state,
        due_at=NOW + DAYS.answer if state in DUE else None,
        accepted_rial=30 if state is S.PARTLY_ACCEPTED else None,
        correction_rial=None if state in LIVE else 0,
    )
    return replace(kept, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", DisputeState)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_from_each_state_is_made_or_refused(state: DisputeState, step: str) -> None:
    kept = dispute(state)
    if step in TABLE[state]:
        after = STEPS[step](kept)
        assert after is not None
        assert (after.state, after.correction_rial) == TABLE[state][step]
        assert after.version == kept.version + 1
        assert (after.due_at is None) == (after.state not in DUE)
    elif step == "expire":
        assert STEPS[step](kept) is None
    else:
        with pytest.raises(NotThere):
            STEPS[step](kept)


@pytest.mark.parametrize("state", [S.PARTLY_ACCEPTED, S.REJECTED])
def test_who_opened_it_has_ten_days_after_the_answer(state: DisputeState) -> None:
    rial = 30 if state is S.PARTLY_ACCEPTED else 0
    later = NOW + timedelta(days=4)
    answered = rules.answered(dispute(S.OPEN), rial, later, DAYS)
    assert answered.state is state
    due_at = later + timedelta(days=10)
    assert answered.due_at == due_at
    assert rules.escalated(answered, due_at - SECOND).state is S.ESCALATED
    assert rules.expired(answered, due_at - SECOND) is None
    with pytest.raises(TooLate):
        rules.escalated(answered, due_at)


def test_an_answer_is_late_at_the_deadline_whether_the_job_ran_or_not() -> None:
    kept = dispute(S.OPEN)
    assert kept.due_at is not None
    assert rules.answered(kept, 0, kept.due_at - SECOND, DAYS).state is S.REJECTED
    with pytest.raises(TooLate):
        rules.answered(kept, 0, kept.due_at, DAYS)


def test_amounts_are_bounded_by_the_dispute_and_by_what_was_accepted() -> None:
    with pytest.raises(OverDispute):
        rules.answered(dispute(S.OPEN), 101, NOW, DAYS)
    escalated = dispute(S.ESCALATED, accepted_rial=30)
    with pytest.raises(OverDispute):
        rules.decided(escalated, 101)
    for rial in (0, 29):
        with pytest.raises(BelowAccepted):
            rules.decided(escalated, rial)
    assert rules.decided(escalated, 30).correction_rial == 30


def test_a_line_is_disputable_for_what_it_took_from_the_party() -> None:
    sums = PairSums(entries_count=2, claims_rial=100, reversed_rial=30, fee_rial=5)
    assert rules.disputable(DisputedSide.DUE, sums) == 75
    assert rules.disputable(DisputedSide.CLAIM, sums) == 30
    assert rules.disputable(DisputedSide.DUE, PairSums(reversed_rial=30)) == 0
    assert (
        rules.disputable(DisputedSide.DUE, PairSums())
        == rules.disputable(DisputedSide.CLAIM, PairSums())
        == 0
    )


def test_disputes_of_a_line_never_come_to_more_than_it() -> None:
    sums = PairSums(claims_rial=250)
    live, gone = dispute(S.ESCALATED), dispute(S.WITHDRAWN)
    partly = dispute(S.PARTLY_UPHELD, correction_rial=50)
    rules.check_room(OPENING, sums, [live, gone, partly])  # 100 and 50 are taken, 100 are left
    with pytest.raises(OverLine) as refused:
        rules.check_room(OPENING, PairSums(claims_rial=249), [live, gone, partly])
    assert refused.value.extra == {"left_rial": 99}


def test_either_side_is_given_back_by_the_other() -> None:
    assert (OPENING.line, OPENING.correction) == (Pair(BAKER, GROCER), Pair(GROCER, BAKER))
    claim = replace(OPENING, side=DisputedSide.CLAIM)
    assert (claim.line, claim.correction) == (Pair(GROCER, BAKER), Pair(GROCER, BAKER))


def test_a_window_is_disputable_for_45_days_after_it_closed() -> None:
    until = NOW + timedelta(days=45)
    assert rules.check_in_time(NOW, until - SECOND, DAYS) == until
    with pytest.raises(TooLate):
        rules.check_in_time(NOW, until, DAYS)


def test_a_correction_changes_two_parties_in_the_windows_of_its_making_and_payment() -> None:
    made = Correction(
        correction="a",
        of_window=1,
        window=2,
        pair=Pair(GROCER, BAKER),
        amount_rial=40,
        made_at=NOW,
        paid_window=4,
    )
    of_baker = [effect_of(made, BAKER, window) for window in (2, 3, 4)]
    assert [(one.correction_rial, one.paid_rial, one.effect_rial) for one in of_baker] == [
        (40, 0, 40),
        (0, 0, 0),
        (0, 40, -40),
    ]
    assert effect_of(made, GROCER, 2).effect_rial == -40
    assert (of_baker[0].counterparty, effect_of(made, GROCER, 2).counterparty) == (GROCER, BAKER)
    assert effects_of([made], BAKER, 3) == []
    with pytest.raises(errors.Alarm):
        effect_of(made, 99, 2)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
    ],
)
def test_a_files_type_is_read_from_its_content(content: bytes, media_type: str) -> None:
    assert evidence.media_type_of(content) == media_type


@pytest.mark.parametrize("content", [b"", b"%PDF", b"<html>", b"MZ", b" %PDF-1.7", b"\x89PNG"])
def test_what_is_none_of_them_is_refused(content: bytes) -> None:
    with pytest.raises(FileTypeUnknown):
        evidence.media_type_of(content)
