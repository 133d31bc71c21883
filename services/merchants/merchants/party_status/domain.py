"""The status of parties: changes that an operator requests, and each shard's answer."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts import envelope
from contracts import value as commands
from contracts.values import NameKind, name
from kit.stream.requests import Progress, Result
from merchants.terminal_status.domain import OperatingStatus, StatusChange

COMMAND: Final = "set-standing.v1"


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

    def answered(self, result: Result) -> "PartyStatusChange":
        """The change with the answers of the shards to its command."""
        return replace(
            self,
            status=result.status,
            code=result.code,
            fa=result.fa,
            en=result.en,
            answered_at=result.answered_at,
        )


def command_name(party: int, change: str) -> str:
    """Name of the command that a change becomes, the same on every shard."""
    return name(NameKind.PARTY, party, f"standing-{UUID(change)}")


def command(
    party: int, change: PartyStatusChange, shard: int
) -> envelope.Envelope[commands.SetStanding]:
    """The command of a change to one shard of the ledger."""
    command_id = command_name(party, change.change)
    stopped = change.standing is OperatingStatus.STOPPED
    return envelope.Envelope(
        id=envelope.derive_id(command_id, f"{COMMAND} {shard}"),
        type=COMMAND,
        key=str(party),
        occurred_at=change.changed_at,
        accepted_at=change.changed_at,
        data=commands.SetStanding(
            name=command_id,
            standing=commands.AccountStatus.FROZEN if stopped else commands.AccountStatus.OPEN,
            by=change.changed_by,
            reason=change.reason,
            party=party,
        ),
    )
