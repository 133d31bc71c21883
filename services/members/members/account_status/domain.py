"""The status of accounts: changes that an operator requests, and the ledger's answers."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import envelope
from contracts import value as commands
from contracts.values import NameKind, name
from kit.stream.requests import Progress, Result

COMMAND: Final = "set-standing.v1"


class AccountStatus(StrEnum):
    """Whether value leaves an account."""

    OPEN = "open"
    STOPPED = "stopped"


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

    def answered(self, result: Result) -> "StatusChange":
        """The change with the ledger's answer to its command."""
        return replace(
            self,
            status=result.status,
            code=result.code,
            fa=result.fa,
            en=result.en,
            answered_at=result.answered_at,
        )


def command_name(account: int, change: str) -> str:
    """Name of the command that a change becomes."""
    return name(NameKind.ACCOUNT, account, f"standing-{UUID(change)}")


def command(account: int, change: StatusChange) -> envelope.Envelope[commands.SetStanding]:
    """The ledger command of a change."""
    command_id = command_name(account, change.change)
    stopped = change.standing is AccountStatus.STOPPED
    return envelope.Envelope(
        id=envelope.derive_id(command_id, COMMAND),
        type=COMMAND,
        key=str(account),
        occurred_at=change.changed_at,
        accepted_at=change.changed_at,
        data=commands.SetStanding(
            name=command_id,
            standing=commands.AccountStatus.FROZEN if stopped else commands.AccountStatus.OPEN,
            by=change.changed_by,
            reason=change.reason,
            account=account,
        ),
    )
