"""Cases: an earning under review, and what a reviewer may decide about it when."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from contracts.values import NameKind, Reason, Status, name, name_parts
from kit.base import errors


class CaseStatus(StrEnum):
    """Where a case stands."""

    WAITING = "waiting"  # the ledger's outcome of the earning has not come yet
    OPEN = "open"  # a reviewer may decide
    DECIDED = "decided"  # the reviewer's outcome is on its way to the ledger
    RELEASED = "released"  # the ledger's answer to a release
    CANCELLED = "cancelled"  # the ledger's answer to a cancel
    REFUSED = "refused"  # the ledger refused the outcome; answer_code says why
    EXPIRED = "lapsed"  # due without an outcome: the points became available by themselves
    VOID = "void"  # nothing is pending: declined or refused after fraud, or nothing was earned


class ReviewOutcome(StrEnum):
    """What a reviewer decides about the pending points."""

    RELEASE = "release"
    CANCEL = "cancel"


class Review(Struct, frozen=True, kw_only=True):
    """An earning under review, as its case opens.

    opened_at: its accepted_at. amount_rial: of the basket.
    auto_release: without an outcome by due_at its points become available; else they are
    cancelled then.
    """

    case_id: str
    shard: int
    name: str
    account: int
    member: int
    merchant: int
    terminal: int
    amount_rial: int
    opened_at: datetime
    due_at: datetime
    reasons: tuple[Reason, ...]
    auto_release: bool = True


class Case(Struct, frozen=True, kw_only=True):
    """A case as it stands. number: order of opening. ledger_status: of the earning."""

    number: int
    review: Review
    status: CaseStatus
    ledger_status: Status | None
    outcome: ReviewOutcome | None
    note: str
    reviewer: str
    decided_at: datetime | None
    answer_code: str = ""
    answered_at: datetime | None = None


class EarningOutcome(Struct, frozen=True, kw_only=True):
    """The ledger's outcome of an earning, and the status that a waiting case takes from it."""

    shard: int
    name: str
    ledger_status: Status
    case_status: CaseStatus


class AlreadyDecided(errors.Conflict):
    """Another outcome, or another note, was given first."""

    code = "already-decided"
    fa = "این پرونده پیش از این با رأی دیگری بسته شده است."


class OutcomeNotHeardYet(errors.Conflict):
    """The ledger's outcome of the earning has not arrived."""

    code = "outcome-not-heard-yet"
    fa = "نتیجهٔ ثبت این خرید هنوز نرسیده است؛ چند لحظه دیگر دوباره بفرستید."


class PastDue(errors.Conflict):
    """The review's due time has passed."""

    code = "past-due"
    fa = "مهلت بررسی گذشته است و امتیاز دیگر در انتظار رأی نیست."


class NothingPending(errors.Conflict):
    """There are no pending points behind the case."""

    code = "nothing-held"
    fa = "در این پرونده امتیازی نگه داشته نشده است."


def check_outcome(case: Case, outcome: ReviewOutcome, note: str, *, now: datetime) -> bool:
    """Whether an outcome is new: False where the same was given before.

    Raises AlreadyDecided, NothingPending, OutcomeNotHeardYet, PastDue.
    Source: architecture 2, held for review.
    """
    if case.outcome is not None:
        if (case.outcome, case.note) == (outcome, note):
            return False
        raise AlreadyDecided(
            f"{case.reviewer} already decided {case.outcome.value}; a case is decided once"
        )
    match case.status:
        case CaseStatus.WAITING:
            raise OutcomeNotHeardYet("the ledger has not answered the purchase yet; try again soon")
        case CaseStatus.VOID:
            raise NothingPending("the purchase has no pending points: there is nothing to decide")
        case _ if now >= case.review.due_at or case.status is CaseStatus.EXPIRED:
            raise PastDue(f"due was {case.review.due_at.isoformat()}; nothing waits for an outcome")
        case _:
            return True


def earning_outcome(shard: int, name: str, status: Status) -> EarningOutcome:
    """The ledger's outcome of an earning, with the status that its case takes."""
    opened = CaseStatus.OPEN if status is Status.UNDER_REVIEW else CaseStatus.VOID
    return EarningOutcome(shard=shard, name=name, ledger_status=status, case_status=opened)


def answered(outcome: ReviewOutcome, *, completed: bool) -> CaseStatus:
    """The status of a decided case after the ledger's answer to the reviewer's outcome."""
    if not completed:
        return CaseStatus.REFUSED
    released = outcome is ReviewOutcome.RELEASE
    return CaseStatus.RELEASED if released else CaseStatus.CANCELLED


def command_name(case_id: str) -> str:
    """Name of the ledger command that a reviewer's outcome becomes."""
    return name(NameKind.VERDICT, case_id)


def case_id_of(command: str) -> str:
    """The case of such a command's name."""
    return name_parts(command)[1][0]
