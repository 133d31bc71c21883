"""Payment instructions: split by the limits of Iran's payment systems, and their bank's answers.

Paya (ACH, batches) takes an instruction up to a ceiling; Satna (RTGS) takes larger ones. The
Central Bank changes both by circular, so they are settings (decision 0043).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kit.base import errors


class Direction(StrEnum):
    """collection: from a party into the network's account; payout: from it to a party."""

    COLLECTION = "collection"
    PAYOUT = "payout"


class Method(StrEnum):
    """By which system an instruction goes; a collection by whichever the party likes."""

    PAYA = "paya"
    SATNA = "satna"
    COLLECTION = "collection"


class InstructionState(StrEnum):
    """What became of an instruction; cancelled: another took its place before it was paid."""

    INSTRUCTED = "instructed"
    PAID = "paid"
    REJECTED = "rejected"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class BadAnswer(errors.Invalid):
    """A file of the bank that is none, or speaks of what was never instructed."""

    code = "bad-bank-answer"
    fa = "پروندهٔ بانک پذیرفته نیست؛ شناسهٔ ردیف و خطای نوشته‌شده را ببینید."


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """An instruction. reference: its end-to-end id. batch, place: its file, and its line there."""

    reference: str
    window: int
    party: int
    direction: Direction
    batch: int
    place: int
    method: Method
    amount_rial: int
    name: str
    sheba: str
    instructed_at: datetime
    state: InstructionState = InstructionState.INSTRUCTED
    reason: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What the bank says of one instruction. amount_rial None: it names none."""

    reference: str
    state: InstructionState
    reason: str = ""
    amount_rial: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one instruction of each system moves, in Rial."""

    paya_rial: int
    satna_rial: int

    def parts_of(self, rial: int) -> list[tuple[Method, int]]:
        """One Paya instruction where it fits, else Satna ones that sum to the amount exactly."""
        if rial <= self.paya_rial:
            return [(Method.PAYA, rial)]
        parts = [(Method.SATNA, self.satna_rial)] * (rial // self.satna_rial)
        rest = rial % self.satna_rial
        if rest:
            parts.append((Method.PAYA if rest <= self.paya_rial else Method.SATNA, rest))
        return parts


def reference_of(window: int, direction: Direction, batch: int, place: int) -> str:
    """End-to-end id of an instruction, 35 characters at most (ISO 20022 Max35Text)."""
    return f"PV{window}-{direction.value[0].upper()}{batch}-{place}"


def answered(kept: Instruction, answer: BankAnswer) -> int | None:
    """Rial by which an answer changes what its party was paid; None: it changes nothing.

    Said twice it changes nothing. A payment may be returned after it was made; nothing else follows
    a payment, and what was cancelled or rejected is not paid any more. Raises BadAnswer.
    """
    if answer.amount_rial not in (None, kept.amount_rial):
        raise BadAnswer(
            f"{kept.reference}: the bank names {answer.amount_rial} Rial, not {kept.amount_rial}"
        )
    if answer.state is kept.state:
        return None
    sign = 1 if kept.direction is Direction.PAYOUT else -1
    match kept.state, answer.state:
        case InstructionState.INSTRUCTED, InstructionState.PAID:
            return sign * kept.amount_rial
        case InstructionState.INSTRUCTED, InstructionState.REJECTED:
            return 0
        case InstructionState.PAID, InstructionState.RETURNED:
            return -sign * kept.amount_rial
        case _:
            raise BadAnswer(f"{kept.reference} is {kept.state} and cannot be {answer.state}")
