"""Parties that are stopped, and opened again: what was asked, and what the book made of it."""

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
from merchants.standings.domain import Change, Standing

COMMAND: Final = "set-standing.v1"


class Progress(StrEnum):
    """What the book made of a change. pending: not every shard has answered."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class PartyChange(Change):
    """One change of a party's standing, and what became of it.

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
    """What one shard of the book said to the command of a name."""

    name: str
    shard: int
    booked: bool
    code: str
    fa: str
    en: str
    answered_at: datetime


def answer_of(shard: int, outcome: Outcome) -> Answer | None:
    """The answer to a change of standing; None for an outcome of anything else."""
    if outcome.command != COMMAND:
        return None
    why = outcome.reasons[0] if outcome.reasons else None
    return Answer(
        name=outcome.name,
        shard=shard,
        booked=outcome.status is Status.COMPLETED,
        code=outcome.code,
        fa="" if why is None else why.fa,
        en="" if why is None else why.en,
        answered_at=outcome.decided_at,
    )


def with_answers(asked: PartyChange, answers: Sequence[Answer], *, shards: int) -> PartyChange:
    """A change with what became of it.

    One shard that declines declines it; it changed nothing where no shard changed anything.
    """
    declined = [one for one in answers if not one.booked]
    if len(answers) < shards and not declined:
        return asked
    told = declined[0] if declined else min(answers, key=lambda one: len(one.code))
    return replace(
        asked,
        status=Progress.DECLINED if declined else Progress.COMPLETED,
        code=told.code,
        fa=told.fa,
        en=told.en,
        answered_at=max(one.answered_at for one in answers),
    )


def command_name(party: int, change: str) -> str:
    """Name of the command that a change becomes, the same on every shard."""
    return name(Family.PARTY, party, f"standing-{UUID(change)}")


def command(party: int, asked: PartyChange, shard: int) -> envelope.Envelope[commands.SetStanding]:
    """What one shard of the book is told of a change."""
    text = command_name(party, asked.change)
    stopped = asked.standing is Standing.STOPPED
    return envelope.Envelope(
        id=envelope.follow(text, f"{COMMAND} {shard}"),
        type=COMMAND,
        key=str(party),
        occurred_at=asked.changed_at,
        accepted_at=asked.changed_at,
        data=commands.SetStanding(
            name=text,
            standing=commands.Standing.FROZEN if stopped else commands.Standing.OPEN,
            by=asked.changed_by,
            reason=asked.reason,
            party=party,
        ),
    )
