"""Corrections by hand: what is added or taken, by whom, and the ledger's answer."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import envelope
from contracts import value as commands
from contracts.values import NameKind, Unit, name
from kit.base import errors
from kit.stream.requests import Progress, Result

COMMAND: Final = "adjust-value.v1"


class SecondPersonNeeded(errors.Forbidden):
    """An adjustment has an approver; a program's key has none."""

    code = "second-person-needed"
    fa = "اصلاح دستی را یک نفر پیشنهاد می‌کند و دیگری تأیید؛ با نشست خود بفرستید تا پیشنهاد شود."


class ExpiryPassed(errors.Invalid):
    """What is added would have expired already."""

    code = "expiry-passed"
    fa = "زمان انقضا گذشته است؛ زمانی در آینده بنویسید یا آن را برندارید."


class Direction(StrEnum):
    """ADD: a lot is born. TAKE: from lots of the issuer, first what expires first; never a debt."""

    ADD = "add"
    TAKE = "take"


class AdjustedUnit(StrEnum):
    """What may be corrected. Gift value is none of an account's: it lies on a card."""

    NETWORK_POINTS = Unit.NETWORK_POINTS.value
    MERCHANT_POINTS = Unit.MERCHANT_POINTS.value
    CREDIT = Unit.CREDIT.value


@dataclass(frozen=True, slots=True)
class Correction:
    """What is corrected. amount: in unit. issuer, funder: parties; funder 0 of what is taken.

    cost_rial: of the whole amount that is added, which the funder owes; 0 of what is taken.
    """

    direction: Direction
    unit: AdjustedUnit
    amount: int
    issuer: int
    funder: int
    cost_rial: int
    expires_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A correction of an account. version: of its account, from 1 without gaps.

    code, fa, en: why it was declined; empty else. answered_at: when the ledger decided it.
    """

    adjustment: str
    version: int
    correction: Correction
    proposed_by: str
    approved_by: str
    adjusted_at: datetime
    status: Progress = Progress.PENDING
    code: str = ""
    fa: str = ""
    en: str = ""
    answered_at: datetime | None = None

    def answered(self, result: Result) -> "Adjustment":
        """The adjustment with the ledger's answer to its command."""
        return replace(
            self,
            status=result.status,
            code=result.code,
            fa=result.fa,
            en=result.en,
            answered_at=result.answered_at,
        )


def command_name(account: int, adjustment: str) -> str:
    """Name of the command that an adjustment becomes."""
    return name(NameKind.ACCOUNT, account, f"adjustment-{UUID(adjustment)}")


def command(account: int, adjustment: Adjustment) -> envelope.Envelope[commands.AdjustValue]:
    """The ledger command of an adjustment; of no one member, since an account may have several."""
    command_id, correction = command_name(account, adjustment.adjustment), adjustment.correction
    return envelope.Envelope(
        id=envelope.derive_id(command_id, COMMAND),
        type=COMMAND,
        key=str(account),
        occurred_at=adjustment.adjusted_at,
        accepted_at=adjustment.adjusted_at,
        data=commands.AdjustValue(
            name=command_id,
            account=account,
            member=0,
            unit=Unit(correction.unit.value),
            amount=correction.amount,
            issuer=correction.issuer,
            funder=correction.funder,
            proposed_by=adjustment.proposed_by,
            approved_by=adjustment.approved_by,
            reason=correction.reason,
            take=correction.direction is Direction.TAKE,
            cost_rial=correction.cost_rial,
            expires_at=correction.expires_at,
        ),
    )
