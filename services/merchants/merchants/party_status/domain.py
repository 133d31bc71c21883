"""The status of parties: changes that an operator requests, and each shard's answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import envelope
from contracts import value as commands
from contracts.ledger import Outcome
from contracts.values import Family, Status, name
from merchants.terminal_status.domain import OperatingStatus, StatusChange

COMMAND: Final = "set-standing.v1"


class Progress(StrEnum):
    """The ledger's answer to a change. pending: not every shard has answered."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class PartyStatusChange(StatusChange):
    """A change of a party's status, with the ledger's answer.

    code, fa, en: why it was declined, or why nothing changed; empty else. answered_at: when the
    last shard decided it.
    """

    status: Progress = Progress.PENDING
    code: str = ""
    fa: str = ""
    en: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one shard of the ledger to the command of a name."""

    name: str
    shard: int
    booked: bool
    code: str
    fa: str
    en: str
    answered_at: datetime


def answer_of(shard: int, outcome: Outcome) -> Answer | None:
    """The answer to a change of status; None for an outcome of another command."""
    if outcome.command != COMMAND:
        return None
    reason = outcome.reasons[0] if outcome.reasons else None
    return Answer(
        name=outcome.name,
        shard=shard,
        booked=outcome.status is Status.COMPLETED,
        code=outcome.code,
        fa="" if reason is None else reason.fa,
        en="" if reason is None else reason.en,
        answered_at=outcome.decided_at,
    )


def with_answers(
    change: PartyStatusChange, answers: Sequence[Answer], *, shards: int
) -> PartyStatusChange:
    """A change with the answers of the shards.

    One shard that declines declines it; it changed nothing where no shard changed anything.
    """
    declined = [one for one in answers if not one.booked]
    if len(answers) < shards and not declined:
        return change
    answer = declined[0] if declined else min(answers, key=lambda one: len(one.code))
    return replace(
        change,
        status=Progress.DECLINED if declined else Progress.COMPLETED,
        code=answer.code,
        fa=answer.fa,
        en=answer.en,
        answered_at=max(one.answered_at for one in answers),
    )


def command_name(party: int, change: str) -> str:
    """Name of the command that a change becomes, the same on every shard."""
    return name(Family.PARTY, party, f"standing-{UUID(change)}")


def command(
    party: int, change: PartyStatusChange, shard: int
) -> envelope.Envelope[commands.SetStanding]:
    """The command of a change to one shard of the ledger."""
    command_id = command_name(party, change.change)
    stopped = change.standing is OperatingStatus.STOPPED
    return envelope.Envelope(
        id=envelope.follow(command_id, f"{COMMAND} {shard}"),
        type=COMMAND,
        key=str(party),
        occurred_at=change.changed_at,
        accepted_at=change.changed_at,
        data=commands.SetStanding(
            name=command_id,
            standing=commands.Standing.FROZEN if stopped else commands.Standing.OPEN,
            by=change.changed_by,
            reason=change.reason,
            party=party,
        ),
    )
