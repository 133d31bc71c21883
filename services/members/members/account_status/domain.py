"""The status of accounts: changes that an operator requests, and the ledger's answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import envelope
from contracts import value as commands
from contracts.ledger import Outcome
from contracts.values import Family, Status, name

COMMAND: Final = "set-standing.v1"


class AccountStatus(StrEnum):
    """Whether value leaves an account."""

    OPEN = "open"
    STOPPED = "stopped"


class Progress(StrEnum):
    """The ledger's answer to a change."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of an account's status. version: of its account, from 1 without gaps.

    code, fa, en: why it was declined, or why nothing changed; empty else. answered_at: when the
    ledger decided it.
    """

    change: str
    version: int
    standing: AccountStatus
    reason: str
    changed_by: str
    changed_at: datetime
    status: Progress = Progress.PENDING
    code: str = ""
    fa: str = ""
    en: str = ""
    answered_at: datetime | None = None

    def is_repeat(self, other: "StatusChange") -> bool:
        """Whether another requests the same; who and when are the first one's."""
        return (self.standing, self.reason) == (other.standing, other.reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """The ledger's answer to the command of a name."""

    name: str
    booked: bool
    code: str
    fa: str
    en: str
    answered_at: datetime


def answer_of(outcome: Outcome) -> Answer | None:
    """The answer to a change of status; None for an outcome of another command."""
    if outcome.command != COMMAND:
        return None
    reason = outcome.reasons[0] if outcome.reasons else None
    return Answer(
        name=outcome.name,
        booked=outcome.status is Status.COMPLETED,
        code=outcome.code,
        fa="" if reason is None else reason.fa,
        en="" if reason is None else reason.en,
        answered_at=outcome.decided_at,
    )


def command_name(account: int, change: str) -> str:
    """Name of the command that a change becomes."""
    return name(Family.ACCOUNT, account, f"standing-{UUID(change)}")


def command(account: int, change: StatusChange) -> envelope.Envelope[commands.SetStanding]:
    """The ledger command of a change."""
    command_id = command_name(account, change.change)
    stopped = change.standing is AccountStatus.STOPPED
    return envelope.Envelope(
        id=envelope.follow(command_id, COMMAND),
        type=COMMAND,
        key=str(account),
        occurred_at=change.changed_at,
        accepted_at=change.changed_at,
        data=commands.SetStanding(
            name=command_id,
            standing=commands.Standing.FROZEN if stopped else commands.Standing.OPEN,
            by=change.changed_by,
            reason=change.reason,
            account=account,
        ),
    )
