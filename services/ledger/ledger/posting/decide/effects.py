"""The effects of a decision before it is booked: completed with amounts, or declined."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from contracts.pos import AnswerLine
from contracts.values import Reason, Status
from ledger.book.facts import Lot, Progress
from ledger.log.domain.leaves import RefusedAwardRow
from ledger.posting.domain import texts


class Effects(Struct, frozen=True, kw_only=True):
    """The outcome of one command. The amounts are those of contracts.pos.Answer, all >= 0.

    progress: an original's name and its new progress. marks: the name of an original that never
    arrived and is refused from now on. amount_rial: of a refund, what came back. refused_awards:
    awards that took no effect, by their place among the command's, with the code.
    """

    status: Status = Status.COMPLETED
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    points_earned: int = 0
    points_pending: int = 0
    pending_until: datetime | None = None
    points_redeemed: int = 0
    credit_redeemed_rial: int = 0
    discount_rial: int = 0
    own_discount_rial: int = 0
    payable_rial: int = 0
    points_clawed_back: int = 0
    points_restored: int = 0
    credit_restored_rial: int = 0
    debt_points: int = 0
    gift_redeemed_rial: int = 0
    gift_restored_rial: int = 0
    merchant_points_restored: int = 0
    debt_rial: int = 0
    lines: tuple[AnswerLine, ...] = ()
    progress: tuple[str, Progress] | None = None
    marks: str = ""
    amount_rial: int | None = None
    refused_awards: tuple[RefusedAwardRow, ...] = ()


def decline_for(*reasons: Reason) -> Effects:
    """A decline: stored and answered like any outcome; the first reason gives the code."""
    return Effects(status=Status.DECLINED, code=reasons[0].code, reasons=reasons)


def decline(code: str, **numbers: int) -> Effects:
    """A decline by a rule of the ledger."""
    return decline_for(texts.reason(code, **numbers))


def decline_too_many(takes: Sequence[tuple[Lot, int]], limit: int) -> Effects | None:
    """A decline where one command would take from too many lots, with the most that it may take."""
    if len(takes) <= limit:
        return None
    unit = takes[limit][0].unit
    most = sum(amount for lot, amount in takes[:limit] if lot.unit is unit)
    return decline("too-many-lots", most=most)


def refuse(reason: Reason) -> Effects:
    """A refusal where nobody could decide: stored and answered."""
    return Effects(status=Status.REFUSED, code=reason.code, reasons=(reason,))


def unchanged(code: str) -> Effects:
    """Completed with no effect; the code gives the reason."""
    return Effects(code=code, reasons=(texts.reason(code),))
