"""Rules of the first purchase's credit: which purchase earns it, its commands, what undoes it."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from contracts import values
from contracts.envelope import Envelope, derive_id
from contracts.ledger import IssueValue, Outcome, RevokeIssue
from contracts.values import NETWORK_PARTY, TEHRAN, Channel, Kind, Status, Unit, tehran_day

PURPOSE: Final = "first-purchase"
RETURN: Final = "first-purchase-return"
RULE: Final = "first-purchase"

_POST: Final = "post-transaction.v1"
_CANCEL: Final = "cancel-pending.v1"
_LET_GO: Final = frozenset({"void-hold.v1", "release-hold.v1", "capture-hold.v1"})
_BACK: Final = frozenset({"restored", "arrived"})
_DONE: Final = (Status.COMPLETED, Status.UNDER_REVIEW)


class State(StrEnum):
    """State of an account's count of first purchases. It is taken once and never given back."""

    UNOFFERED = "unoffered"  # taken while no credit was offered: the account gets none
    RESERVED = "reserved"  # under the purchase's name; the credit is commanded
    CONFIRMED = "confirmed"  # the ledger issued it
    RELEASED = "released"  # the ledger refused it: the name is used, there is no second try


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the setting. amount_rial 0: none is given. validity_days None: for ever."""

    version: int
    effective_from: datetime
    amount_rial: int
    validity_days: int | None
    funder: int
    title_fa: str
    title_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPurchase:
    """The count of one account, under the name of the purchase that took it.

    version None: there was none yet.
    """

    account: int
    shard: int
    name: str
    member: int
    version: int | None
    decided_at: datetime
    state: State = State.RESERVED
    returned: bool = False


# ------------------------------------------------------------------------------- what is heard


def is_purchase(outcome: Outcome) -> bool:
    """Whether an outcome may be an account's first purchase: completed or held, no history."""
    return (
        outcome.command == _POST
        and outcome.kind is Kind.PURCHASE
        and outcome.status in _DONE
        and outcome.channel is not Channel.HISTORY
        and outcome.account > 0
    )


def undoes(outcome: Outcome) -> bool:
    """Whether an outcome undoes the whole of the purchase it names.

    A reversal, the refund that leaves nothing of it, and a reviewer's cancel of a held one.
    """
    if outcome.status not in _DONE or not outcome.original:
        return False
    if outcome.command == _CANCEL:
        return True
    if outcome.command != _POST:
        return False
    reversal = outcome.kind is Kind.REVERSAL
    return reversal or (outcome.kind is Kind.REFUND and outcome.fully_refunded)


def issued_state(outcome: Outcome) -> State | None:
    """The state of a commanded credit after an outcome; None: the outcome is of no credit."""
    if outcome.command != "issue-value.v1" or outcome.purpose != PURPOSE:
        return None
    return State.CONFIRMED if outcome.status in _DONE else State.RELEASED


def brings_back(outcome: Outcome) -> bool:
    """Whether an outcome may have restored credit to its account, or released held credit.

    Only the ledger knows the lots: credit that comes back past its date is in a new one.
    """
    if outcome.status not in _DONE:
        return False
    return (
        outcome.command in _LET_GO
        or _frees(outcome)
        or any(move.movement in _BACK and move.unit is Unit.CREDIT for move in outcome.moves)
    )


def _frees(outcome: Outcome) -> bool:
    """Whether a till's transaction may have released what its authorisation reserved."""
    if outcome.kind is Kind.REVERSAL:
        return not outcome.amount_rial  # of a sale, it takes the basket back
    return outcome.kind in (Kind.CAPTURE, Kind.VOID)


# --------------------------------------------------------------------------------- what is said


def issue(taken: FirstPurchase, version: Version) -> IssueValue:
    """The credit: a lot of Rial credit of the network, paid by the funder of the version.

    Valid to the end of the Tehran day validity_days after the purchase was decided. Source: SH5.
    """
    expires_at = None
    if version.validity_days is not None:
        last = tehran_day(taken.decided_at) + timedelta(days=version.validity_days + 1)
        expires_at = datetime.combine(last, time(), tzinfo=TEHRAN).astimezone(UTC)
    return IssueValue(
        name=issue_name(taken.account),
        account=taken.account,
        member=taken.member,
        unit=Unit.CREDIT,
        amount=version.amount_rial,
        cost_rial=version.amount_rial,
        issuer=NETWORK_PARTY,
        funder=version.funder,
        rule=RULE,
        rule_version=version.version,
        expires_at=expires_at,
        purpose=PURPOSE,
        original=taken.name,
    )


def take_back(taken: FirstPurchase, *, restored_by: int = 0) -> RevokeIssue:
    """Takes that credit back, as far as it is unspent; the amount may be nothing.

    restored_by: sequence of an outcome that may have restored some of it after its purchase was
    undone. As long as the account exists, restored credit is taken back too (findings F14).
    """
    again = f"{RETURN}-{restored_by}" if restored_by else RETURN
    return RevokeIssue(
        name=values.name(values.NameKind.ACCOUNT, taken.account, again),
        account=taken.account,
        member=taken.member,
        issued_by=issue_name(taken.account),
        purpose=RETURN,
    )


def issue_name(account: int) -> str:
    """Name of an account's credit, once for ever."""
    return values.name(values.NameKind.ACCOUNT, account, PURPOSE)


def envelope_of(
    command: IssueValue | RevokeIssue, cause_id: str, decided_at: datetime
) -> Envelope[Any]:
    """The command, stamped with the decision time of the outcome it follows from."""
    kind = "issue-value.v1" if isinstance(command, IssueValue) else "revoke-issue.v1"
    return Envelope(
        id=derive_id(cause_id, kind),
        type=kind,
        key=str(command.account),
        occurred_at=decided_at,
        accepted_at=decided_at,
        cause_id=cause_id,
        data=command,
    )
