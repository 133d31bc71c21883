"""Shapes of settlements as callers see them."""

from dataclasses import dataclass
from datetime import datetime

from merchants.parties.domain import masked
from merchants.settlement.domain.instructions import (
    Direction,
    Instruction,
    InstructionState,
    Method,
)
from merchants.settlement.domain.settlements import PartyPayment, Settlement, SettlementState
from merchants.settlement.usecases.settlements import SettlementReport


@dataclass(frozen=True, slots=True)
class PartyPaymentView:
    """A party's payment, Rial in text of digits: above zero it is paid, below it pays.

    excluded: left out with all its pairs, which are carried over.
    """

    party: int
    target_rial: str
    moved_rial: str
    left_rial: str
    excluded: bool


@dataclass(frozen=True, slots=True)
class InstructionView:
    """A payment instruction. reference: what payer and bank name it by. sheba: its last digits."""

    reference: str
    party: int
    name: str
    direction: Direction
    method: Method
    batch: int
    amount_rial: str
    sheba: str | None
    state: InstructionState
    reason: str
    instructed_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementView:
    """A settlement. Targets sum to zero. pairs_count: of which the ledger was told that they paid.

    bookings_pending, bookings_declined: of the ledger's commands for them.
    """

    window: int
    state: SettlementState
    minimum_rial: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    completed_at: datetime | None
    parties: list[PartyPaymentView]
    instructions: list[InstructionView]
    pairs_count: int
    bookings_pending: int
    bookings_declined: int


@dataclass(frozen=True, slots=True)
class SettlementSummary:
    """A settlement in a list."""

    window: int
    state: SettlementState
    minimum_rial: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    completed_at: datetime | None


def party_view(one: PartyPayment) -> PartyPaymentView:
    """A party's payment."""
    return PartyPaymentView(
        one.party, str(one.target_rial), str(one.moved_rial), str(one.left_rial), one.excluded
    )


def summary(one: Settlement) -> SettlementSummary:
    """A settlement in a list."""
    return SettlementSummary(
        one.window,
        one.state,
        str(one.minimum_rial),
        one.proposed_by,
        one.proposed_at,
        one.approved_by,
        one.approved_at,
        one.completed_at,
    )


def view(report: SettlementReport) -> SettlementView:
    """A settlement with all that belongs to it."""
    one = report.settlement
    return SettlementView(
        window=one.window,
        state=one.state,
        minimum_rial=str(one.minimum_rial),
        proposed_by=one.proposed_by,
        proposed_at=one.proposed_at,
        approved_by=one.approved_by,
        approved_at=one.approved_at,
        completed_at=one.completed_at,
        parties=[party_view(party) for party in report.parties],
        instructions=[instruction_view(line) for line in report.instructions],
        pairs_count=len(report.pairs),
        bookings_pending=report.bookings_pending,
        bookings_declined=report.bookings_declined,
    )


def instruction_view(line: Instruction) -> InstructionView:
    """An instruction, of its Sheba the last four digits."""
    return InstructionView(
        reference=line.reference,
        party=line.party,
        name=line.name,
        direction=line.direction,
        method=line.method,
        batch=line.batch,
        amount_rial=str(line.amount_rial),
        sheba=masked(line.sheba or None),
        state=line.state,
        reason=line.reason,
        instructed_at=line.instructed_at,
        answered_at=line.answered_at,
    )
