"""A dispute of a line of a closed window: its states, its steps, its deadlines, its end."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from merchants.clearing.domain.counting import Pair, PairSums
from merchants.disputes.domain.refusals import (
    BelowAccepted,
    NotThere,
    NotYours,
    OverDispute,
    OverLine,
    TooLate,
)

SCHEDULE: Final = "schedule"  # who made a step that no person made: a deadline passed
TRANSACTIONS_MAX: Final = 50
TEXT_MAX: Final = 2_000


class DisputedSide(StrEnum):
    """On which line of the opener's statement: DUE, it owes too much; CLAIM, too much went back."""

    DUE = "due"
    CLAIM = "claim"


class DisputeReason(StrEnum):
    """Why a line is wrong; the words for people are in REASONS."""

    NOT_OUR_SALE = "not-our-sale"
    WRONG_AMOUNT = "wrong-amount"
    DUPLICATE = "duplicate"
    REVERSED_LATER = "reversed-later"
    OTHER = "other"


REASONS: Final = {
    DisputeReason.NOT_OUR_SALE: ("فروش از ما نبود", "not a sale of ours"),
    DisputeReason.WRONG_AMOUNT: ("مبلغ نادرست است", "the amount is wrong"),
    DisputeReason.DUPLICATE: ("دو بار به حساب آمده است", "counted twice"),
    DisputeReason.REVERSED_LATER: ("بعد برگشت خورده است", "reversed later"),
    DisputeReason.OTHER: ("دلیل دیگر", "another reason"),
}


class DisputeState(StrEnum):
    """open: waits for the respondent. unanswered: its deadline passed; waits for the network.

    accepted: wholly, at an end. partly-accepted, rejected: the opener may escalate. escalated:
    waits for the network. upheld, partly-upheld, dismissed: decided. closed: not escalated in time.
    withdrawn: by the opener.
    """

    OPEN = "open"
    UNANSWERED = "unanswered"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly-accepted"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly-upheld"
    DISMISSED = "dismissed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


STATES: Final = {
    DisputeState.OPEN: ("در انتظار پاسخ طرف دیگر", "waits for the other party"),
    DisputeState.UNANSWERED: ("بی‌پاسخ؛ در انتظار رأی شبکه", "unanswered; waits for the network"),
    DisputeState.ACCEPTED: ("پذیرفته شد", "accepted"),
    DisputeState.PARTLY_ACCEPTED: ("بخشی پذیرفته شد", "accepted in part"),
    DisputeState.REJECTED: ("رد شد", "rejected"),
    DisputeState.ESCALATED: ("در انتظار رأی شبکه", "waits for the network"),
    DisputeState.UPHELD: ("به سود معترض رأی داده شد", "upheld"),
    DisputeState.PARTLY_UPHELD: ("بخشی به سود معترض رأی داده شد", "upheld in part"),
    DisputeState.DISMISSED: ("اعتراض وارد نبود", "dismissed"),
    DisputeState.CLOSED: ("بسته شد", "closed"),
    DisputeState.WITHDRAWN: ("پس گرفته شد", "withdrawn"),
}
WAITING: Final = frozenset({DisputeState.UNANSWERED, DisputeState.ESCALATED})  # for the network
ESCALABLE: Final = frozenset({DisputeState.PARTLY_ACCEPTED, DisputeState.REJECTED})
LIVE: Final = WAITING | ESCALABLE | {DisputeState.OPEN}


@dataclass(frozen=True, slots=True)
class Deadlines:
    """open: after the window closed. answer, escalate: after the step before. Whole days."""

    open: timedelta
    answer: timedelta
    escalate: timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """A state that was reached. party: for whom; None: the network as the judge, or the clock.

    approved_by: the second person, of what two made. rial: opened for, accepted, upheld.
    """

    version: int
    state: DisputeState
    at: datetime
    by: str
    approved_by: str
    party: int | None
    rial: int | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a party says is wrong, as it was opened; it never changes.

    transactions: public ids of some that it is about.
    """

    dispute: str
    window: int
    opener: int
    respondent: int
    side: DisputedSide
    amount_rial: int
    reason: DisputeReason
    text: str
    transactions: tuple[str, ...]

    @property
    def line(self) -> Pair:
        """The disputed pair: who owes whom in the closed window."""
        if self.side is DisputedSide.DUE:
            return Pair(self.opener, self.respondent)
        return Pair(self.respondent, self.opener)

    @property
    def correction(self) -> Pair:
        """Who owes whom if the opener is right: on either side the respondent gives back."""
        return Pair(self.respondent, self.opener)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute as it stands. due_at: until when a party may act, where one may.

    accepted_rial: what the respondent answered. correction_rial: what the end came to; None of a
    live one. version: of its last step, from 1.
    """

    opening: Opening
    opened_at: datetime
    number: int
    version: int
    state: DisputeState
    due_at: datetime | None
    accepted_rial: int | None = None
    correction_rial: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has not come to its end."""
        return self.state in LIVE

    @property
    def counts_rial(self) -> int:
        """What it takes of its line: all of it while it lives, then what the end came to."""
        if self.correction_rial is None:
            return self.opening.amount_rial
        return self.correction_rial


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFilter:
    """Which disputes a list has; None: all. party, counterparty: on either side."""

    party: int | None = None
    counterparty: int | None = None
    window: int | None = None
    state: DisputeState | None = None


def disputable(side: DisputedSide, sums: PairSums) -> int:
    """Rial of a line that the party may dispute: what it owes, or what was taken back from it."""
    return max(sums.due_rial, 0) if side is DisputedSide.DUE else sums.reversed_rial


def check_room(opening: Opening, sums: PairSums, others: Iterable[Dispute]) -> None:
    """Raises OverLine where a dispute and the others of its line and side come to more than it."""
    taken = sum(one.counts_rial for one in others)
    left = disputable(opening.side, sums) - taken
    if opening.amount_rial > left:
        raise OverLine(
            f"{left} Rial of the line are left to dispute; dispute that at most", left_rial=left
        )


def check_in_time(closed_at: datetime, now: datetime, deadlines: Deadlines) -> datetime:
    """Until when a line may be disputed. Raises TooLate at that time and after."""
    until = closed_at + deadlines.open
    if now >= until:
        raise TooLate(f"lines of this window could be disputed until {until.isoformat()}")
    return until


def check_whose(dispute: Dispute, party: int | None, *, opener: bool) -> None:
    """Raises NotYours where a step is the other party's. opener: whose step it is."""
    opening = dispute.opening
    if party != (opening.opener if opener else opening.respondent):
        whose = "the party that opened the dispute" if opener else "the party it is against"
        raise NotYours(f"this step is for {whose}")


# ------------------------------------------------------------------------------------------- steps


def answered(dispute: Dispute, accepted_rial: int, now: datetime, deadlines: Deadlines) -> Dispute:
    """The respondent accepts all of it, a part, or nothing. Raises NotThere, TooLate, OverDispute.

    A part leads to one correction at the end, not to one now and another after a decision.
    """
    _check_state(dispute, frozenset({DisputeState.OPEN}))
    _check_due(dispute, now)
    amount_rial = dispute.opening.amount_rial
    if accepted_rial > amount_rial:
        raise OverDispute(f"{amount_rial} Rial are disputed; accept that at most")
    if accepted_rial == amount_rial:
        return _ended(
            replace(dispute, accepted_rial=accepted_rial), DisputeState.ACCEPTED, amount_rial
        )
    state = DisputeState.PARTLY_ACCEPTED if accepted_rial else DisputeState.REJECTED
    return _moved(
        replace(dispute, accepted_rial=accepted_rial), state, due_at=now + deadlines.escalate
    )


def escalated(dispute: Dispute, now: datetime) -> Dispute:
    """The opener asks the network to decide. Raises NotThere, TooLate."""
    _check_state(dispute, ESCALABLE)
    _check_due(dispute, now)
    return _moved(dispute, DisputeState.ESCALATED)


def withdrawn(dispute: Dispute) -> Dispute:
    """The opener gives it up, with what was accepted of it. Raises NotThere."""
    _check_state(dispute, LIVE)
    return _ended(dispute, DisputeState.WITHDRAWN, 0)


def decided(dispute: Dispute, upheld_rial: int) -> Dispute:
    """The network decides for how much the opener is right; the amount names the state.

    Not below what the respondent accepted. Raises NotThere, OverDispute, BelowAccepted.
    """
    _check_state(dispute, WAITING)
    amount_rial, accepted_rial = dispute.opening.amount_rial, dispute.accepted_rial or 0
    if upheld_rial > amount_rial:
        raise OverDispute(f"{amount_rial} Rial are disputed; uphold that at most")
    if upheld_rial < accepted_rial:
        raise BelowAccepted(
            f"the other party accepted {accepted_rial} Rial; uphold that at least",
            accepted_rial=accepted_rial,
        )
    if upheld_rial == amount_rial:
        return _ended(dispute, DisputeState.UPHELD, upheld_rial)
    state = DisputeState.PARTLY_UPHELD if upheld_rial else DisputeState.DISMISSED
    return _ended(dispute, state, upheld_rial)


def expired(dispute: Dispute, now: datetime) -> Dispute | None:
    """What a deadline that passed makes of a dispute; None where none has."""
    if dispute.due_at is None or now < dispute.due_at:
        return None
    if dispute.state is DisputeState.OPEN:
        return _moved(dispute, DisputeState.UNANSWERED)
    return _ended(dispute, DisputeState.CLOSED, dispute.accepted_rial or 0)


def _check_state(dispute: Dispute, states: frozenset[DisputeState]) -> None:
    if dispute.state not in states:
        raise NotThere(f"the dispute is {dispute.state.value}", state=dispute.state.value)


def _check_due(dispute: Dispute, now: datetime) -> None:
    if dispute.due_at is not None and now >= dispute.due_at:
        raise TooLate(f"this could be done until {dispute.due_at.isoformat()}")


def _moved(dispute: Dispute, state: DisputeState, *, due_at: datetime | None = None) -> Dispute:
    return replace(dispute, state=state, due_at=due_at, version=dispute.version + 1)


def _ended(dispute: Dispute, state: DisputeState, correction_rial: int) -> Dispute:
    return replace(_moved(dispute, state), correction_rial=correction_rial)
