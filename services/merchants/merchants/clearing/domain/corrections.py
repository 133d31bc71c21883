"""Corrections: what the end of a dispute changed between two parties, in a window of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kit.base import errors
from merchants.clearing.domain.counting import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The debtor of pair owes its creditor amount_rial, above zero, because of a dispute.

    correction: the dispute's UUID. of_window: the closed window whose line was wrong, which stays
    as it is. window: the one that was open when it was decided, and that the correction falls into.
    paid_window: into which its payment fell; None: it is unpaid. Source: decision 0046.
    """

    correction: str
    of_window: int
    window: int
    pair: Pair
    amount_rial: int
    made_at: datetime
    paid_window: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectionEffect:
    """A correction as one party's figures of a window have it, in Rial.

    correction_rial: due to the party; below zero, from it; 0: it was made in an earlier window.
    paid_rial: paid to the party in this window; below zero, by it.
    """

    correction: Correction
    counterparty: int
    correction_rial: int
    paid_rial: int

    @property
    def effect_rial(self) -> int:
        """What it adds to what the party is owed."""
        return self.correction_rial - self.paid_rial


def effect_of(correction: Correction, party: int, window: int) -> CorrectionEffect:
    """What a correction changes in a party's figures of a window. Raises Alarm for a stranger."""
    if party not in correction.pair:
        raise errors.Alarm(f"correction {correction.correction} is not of party {party}")
    debtor, creditor = correction.pair
    rial = correction.amount_rial if party == creditor else -correction.amount_rial
    return CorrectionEffect(
        correction,
        counterparty=debtor if party == creditor else creditor,
        correction_rial=rial if correction.window == window else 0,
        paid_rial=rial if correction.paid_window == window else 0,
    )


def effects_of(
    corrections: Iterable[Correction], party: int, window: int
) -> list[CorrectionEffect]:
    """The effects on a party of those of its corrections that a window has to do with, in order."""
    return [
        effect_of(one, party, window)
        for one in sorted(corrections, key=lambda one: one.correction)
        if party in one.pair and window in (one.window, one.paid_window)
    ]
