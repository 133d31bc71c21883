"""Accounts that are stopped, and opened again: what was asked, and what the book made of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts import envelope
from contracts import value as commands
from contracts.ledger import Outcome
from contracts.values import Family, Status, name

COMMAND = "set-standing.v1"


class Standing(StrEnum):
    """Whether value leaves an account."""

    OPEN = "open"
    STOPPED = "stopped"


class Progress(StrEnum):
    """What the book made of a change."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an account's standing. version: of its account, from 1 without gaps.

    code, fa, en: why it was declined, or why nothing changed; empty else. answered_at: when the
    book decided it.
    """

    change: str
    version: int
    standing: Standing
    reason: str
    changed_by: str
    changed_at: datetime
    status: Progress = Progress.PENDING
    code: str = ""
    fa: str = ""
    en: str = ""
    answered_at: datetime | None = None

    def asks_as(self, other: "Change") -> bool:
        """Whether two say the same: who and when are the first one's."""
        return (self.standing, self.reason) == (other.standing, other.reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the book said to the command of a name."""

    name: str
    booked: bool
    code: str
    fa: str
    en: str
    answered_at: datetime


def answer_of(outcome: Outcome) -> Answer | None:
    """The answer to a change of standing; None for an outcome of anything else."""
    if outcome.command != COMMAND:
        return None
    why = outcome.reasons[0] if outcome.reasons else None
    return Answer(
        name=outcome.name,
        booked=outcome.status is Status.COMPLETED,
        code=outcome.code,
        fa="" if why is None else why.fa,
        en="" if why is None else why.en,
        answered_at=outcome.decided_at,
    )


def command_name(account: int, change: str) -> str:
    """Name of the command that a change becomes."""
    return name(Family.ACCOUNT, account, f"standing-{UUID(change)}")


def command(account: int, asked: Change) -> envelope.Envelope[commands.SetStanding]:
    """What the book is told of a change."""
    text = command_name(account, asked.change)
    stopped = asked.standing is Standing.STOPPED
    return envelope.Envelope(
        id=envelope.follow(text, COMMAND),
        type=COMMAND,
        key=str(account),
        occurred_at=asked.changed_at,
        accepted_at=asked.changed_at,
        data=commands.SetStanding(
            name=text,
            standing=commands.Standing.FROZEN if stopped else commands.Standing.OPEN,
            by=asked.changed_by,
            reason=asked.reason,
            account=account,
        ),
    )
