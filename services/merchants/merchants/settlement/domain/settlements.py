"""A settlement and its steps: proposed, approved, collected, paid out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts import envelope, values
from contracts.value import SettlePosition
from contracts.values import NETWORK_PARTY
from kit.base import errors
from merchants.settlement.domain.netting import Booking

COMMAND = "settle-position.v1"


class SettlementState(StrEnum):
    """proposed: waits for a second person. collecting: debtors pay into the network's account.

    paying: all have paid, creditors are paid out of it. completed, withdrawn: for ever, but that a
    payout which the bank returns leads back to paying.
    """

    PROPOSED = "proposed"
    COLLECTING = "collecting"
    PAYING = "paying"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class UnderWay(errors.Conflict):
    """Another settlement is not at its end."""

    code = "settlement-under-way"
    fa = "تسویهٔ پیشین هنوز به پایان نرسیده است؛ نخست آن را تمام یا لغو کنید."


class AlreadySettled(errors.Conflict):
    """A later window was settled, and this one with it."""

    code = "window-already-settled"
    fa = "این دوره با دورهٔ بعدی تسویه شده است؛ دورهٔ تازه‌تری را تسویه کنید."


class NothingToSettle(errors.Conflict):
    """No party's net reaches the minimum."""

    code = "nothing-to-settle"
    fa = "خالص هیچ طرفی به کمینهٔ پرداخت نمی‌رسد؛ مانده به دورهٔ بعد می‌رود."


class SamePerson(errors.Forbidden):
    """Whoever proposes does not approve."""

    code = "same-person"
    fa = "پیشنهاددهنده نمی‌تواند تأییدکننده باشد؛ همکار دیگری باید تأیید کند."


class WrongState(errors.Conflict):
    """The step is not one of the settlement's state."""

    code = "settlement-not-there"
    fa = "این کار در وضعیت کنونی تسویه شدنی نیست."


class NoSettlementAccount(errors.Conflict):
    """The network has no account for payments to go through."""

    code = "no-settlement-account"
    fa = "حساب تسویهٔ شبکه تنظیم نشده است؛ PEYVAND_SETTLEMENT_SHEBA را بنویسید."


class NoAccount(errors.Conflict):
    """A party to be paid has no Sheba."""

    code = "party-has-no-sheba"
    fa = "شبای یکی از طرف‌ها ثبت نشده است؛ نخست شبا را ثبت کنید."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A settlement of a window. Rial and names as in its rows."""

    window: int
    state: SettlementState
    minimum_rial: int
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PartyPayment:
    """A party of a settlement, in Rial.

    target_rial: what it is paid; below zero, what it pays. moved_rial: of that, what was. excluded:
    left out with all its pairs, for it does not pay or is below the minimum without who does not.
    """

    party: int
    target_rial: int
    moved_rial: int = 0
    excluded: bool = False

    @property
    def left_rial(self) -> int:
        """What is still to be paid to it; below zero, by it."""
        return self.target_rial - self.moved_rial

    @property
    def is_done(self) -> bool:
        """Whether it has paid, or was paid, all of it."""
        return not self.left_rial


def check_second_person(proposed_by: str, by: str) -> None:
    """Raises SamePerson where who proposed would approve."""
    if proposed_by == by:
        raise SamePerson("whoever proposed it cannot approve it; ask a colleague")


def check_state(settlement: Settlement, *states: SettlementState) -> None:
    """Raises WrongState where a settlement is in none of these states."""
    if settlement.state not in states:
        raise WrongState(f"the settlement of window {settlement.window} is {settlement.state}")


def retargeted(kept: Sequence[PartyPayment], targets: Mapping[int, int]) -> list[PartyPayment]:
    """The parties under other targets; one that has none is left out and paid back what it paid."""
    moved = {one.party: one.moved_rial for one in kept}
    return [
        PartyPayment(party, targets.get(party, 0), moved.get(party, 0), party not in targets)
        for party in sorted(moved.keys() | targets.keys())
    ]


def state_after(parties: Sequence[PartyPayment]) -> SettlementState:
    """Where a settlement that is approved stands: money comes in before any goes out."""
    if any(one.left_rial < 0 for one in parties):
        return SettlementState.COLLECTING
    if all(one.is_done for one in parties):
        return SettlementState.COMPLETED
    return SettlementState.PAYING


def keeps_its_own(party: PartyPayment) -> bool:
    """Whether a party's money stays where it is: what the network earns, in its own account."""
    return party.party == NETWORK_PARTY and party.left_rial > 0


def command_name(booking: Booking) -> str:
    """Name of a booking's command: once for a pair, a window and a way, on each shard."""
    purpose = f"settle-{booking.creditor}-{booking.window}"
    return values.name(values.NameKind.PARTY, booking.debtor, purpose)


def command(booking: Booking, at: datetime) -> envelope.Envelope[SettlePosition]:
    """The ledger's command of a booking, for its shard."""
    name = command_name(booking)
    return envelope.Envelope(
        id=envelope.derive_id(name, f"{COMMAND} {booking.shard}"),
        type=COMMAND,
        key=name,
        occurred_at=at,
        accepted_at=at,
        data=SettlePosition(
            name=name,
            window=booking.window,
            debtor=booking.debtor,
            creditor=booking.creditor,
            amount_rial=booking.amount_rial,
        ),
    )
