"""Cases: what a held earning waits for, and what may be said about it when."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from contracts.values import Family, Reason, Status, name, name_parts
from kit.base import errors


class CaseStatus(StrEnum):
    """Where a case stands."""

    WAITING = "waiting"  # the ledger has not been heard about the earning yet
    OPEN = "open"  # a reviewer may decide
    DECIDED = "decided"  # the verdict is on its way to the ledger
    RELEASED = "released"  # the ledger's answer to a release
    CANCELLED = "cancelled"  # the ledger's answer to a cancel
    REFUSED = "refused"  # the ledger refused the verdict; answer_code says why
    LAPSED = "lapsed"  # due passed without a verdict, and the points became available by themselves
    VOID = "void"  # nothing is held: declined or refused after fraud, or nothing was earned


class CaseVerdict(StrEnum):
    """What a reviewer says."""

    RELEASE = "release"
    CANCEL = "cancel"


class Hold(Struct, frozen=True, kw_only=True):
    """A held earning as its case opens. opened_at: its accepted_at. amount_rial: of the basket.

    lapses: without a verdict by due_at its points become available; else they are cancelled then.
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
    lapses: bool = True


class Case(Struct, frozen=True, kw_only=True):
    """A case as it stands. number: order of opening. heard: the ledger's answer to the earning."""

    number: int
    hold: Hold
    status: CaseStatus
    heard: Status | None
    verdict: CaseVerdict | None
    note: str
    reviewer: str
    decided_at: datetime | None
    answer_code: str = ""
    answered_at: datetime | None = None


class Hearing(Struct, frozen=True, kw_only=True):
    """The ledger's outcome of an earning, and what it makes of a waiting case."""

    shard: int
    name: str
    heard: Status
    then: CaseStatus


class AlreadyDecided(errors.Conflict):
    """Another verdict, or another note, was given first."""

    code = "already-decided"
    fa = "این پرونده پیش از این با رأی دیگری بسته شده است."


class OutcomeNotHeardYet(errors.Conflict):
    """The ledger's outcome of the held earning has not arrived."""

    code = "outcome-not-heard-yet"
    fa = "نتیجهٔ ثبت این خرید هنوز نرسیده است؛ چند لحظه دیگر دوباره بفرستید."


class PastDue(errors.Conflict):
    """The review's due time has passed."""

    code = "past-due"
    fa = "مهلت بررسی گذشته است و امتیاز دیگر در انتظار رأی نیست."


class NothingHeld(errors.Conflict):
    """There are no pending points behind the case."""

    code = "nothing-held"
    fa = "در این پرونده امتیازی نگه داشته نشده است."


def check_verdict(case: Case, verdict: CaseVerdict, note: str, *, now: datetime) -> bool:
    """Whether a verdict is news: False where the same was given before.

    Raises AlreadyDecided, NothingHeld, OutcomeNotHeardYet, PastDue.
    Source: architecture 2, held for review.
    """
    if case.verdict is not None:
        if (case.verdict, case.note) == (verdict, note):
            return False
        raise AlreadyDecided(
            f"{case.reviewer} already said {case.verdict.value}; a case is decided once"
        )
    match case.status:
        case CaseStatus.WAITING:
            raise OutcomeNotHeardYet("the ledger has not answered the purchase yet; try again soon")
        case CaseStatus.VOID:
            raise NothingHeld("the purchase has no pending points: there is nothing to decide")
        case _ if now >= case.hold.due_at or case.status is CaseStatus.LAPSED:
            raise PastDue(f"due was {case.hold.due_at.isoformat()}; nothing waits for a verdict")
        case _:
            return True


def hear(shard: int, name: str, status: Status) -> Hearing:
    """What the ledger's outcome of an earning makes of its case."""
    then = CaseStatus.OPEN if status is Status.HELD else CaseStatus.VOID
    return Hearing(shard=shard, name=name, heard=status, then=then)


def answered(verdict: CaseVerdict, *, completed: bool) -> CaseStatus:
    """What the ledger's answer to a verdict makes of a decided case."""
    if not completed:
        return CaseStatus.REFUSED
    released = verdict is CaseVerdict.RELEASE
    return CaseStatus.RELEASED if released else CaseStatus.CANCELLED


def command_name(case_id: str) -> str:
    """Name of the command that a case's verdict becomes."""
    return name(Family.VERDICT, case_id)


def case_id_of(command: str) -> str:
    """The case that the name of such a command tells."""
    return name_parts(command)[1][0]
