"""The requests of a till or an online shop, a function a kind; occurred_at aware."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from peyvand.models import (
    Identifier,
    Kind,
    Line,
    OrderReference,
    Original,
    Redeem,
    RefundLine,
    TillReference,
    Transaction,
)


def purchase(
    name: TillReference | OrderReference,
    identifier: Identifier,
    *,
    amount_rial: int,
    occurred_at: datetime,
    lines: Sequence[Line] = (),
) -> Transaction:
    """The request of a purchase."""
    return Transaction(
        **name._asdict(),
        kind=Kind.PURCHASE,
        occurred_at=occurred_at,
        identifier=identifier,
        amount_rial=amount_rial,
        lines=tuple(lines),
    )


def redemption(
    name: TillReference | OrderReference,
    identifier: Identifier,
    redeem: Redeem,
    *,
    amount_rial: int,
    occurred_at: datetime,
) -> Transaction:
    """The request of a redemption in one step."""
    return Transaction(
        **name._asdict(),
        kind=Kind.REDEMPTION,
        occurred_at=occurred_at,
        identifier=identifier,
        amount_rial=amount_rial,
        redeem=redeem,
    )


def authorisation(
    name: TillReference | OrderReference,
    identifier: Identifier,
    redeem: Redeem,
    *,
    amount_rial: int,
    occurred_at: datetime,
    hold_s: int | None = None,
) -> Transaction:
    """The request of an authorisation. hold_s: for how long; None: the network's usual time."""
    return Transaction(
        **name._asdict(),
        kind=Kind.AUTHORISATION,
        occurred_at=occurred_at,
        identifier=identifier,
        amount_rial=amount_rial,
        redeem=redeem,
        hold_s=UNSET if hold_s is None else hold_s,
    )


def capture(
    name: TillReference | OrderReference,
    original: Original,
    *,
    amount_rial: int,
    occurred_at: datetime,
    redeem: Redeem | None = None,
    lines: Sequence[Line] = (),
) -> Transaction:
    """The request of a capture: the sale itself. redeem None: all that is reserved."""
    return Transaction(
        **name._asdict(),
        kind=Kind.CAPTURE,
        occurred_at=occurred_at,
        amount_rial=amount_rial,
        lines=tuple(lines),
        redeem=redeem,
        original=original,
    )


def void(
    name: TillReference | OrderReference,
    original: Original,
    *,
    occurred_at: datetime,
    identifier: Identifier | None = None,
) -> Transaction:
    """The request of a void."""
    return Transaction(
        **name._asdict(),
        kind=Kind.VOID,
        occurred_at=occurred_at,
        identifier=identifier,
        original=original,
    )


def refund(
    name: TillReference | OrderReference,
    original: Original,
    *,
    occurred_at: datetime,
    lines: Sequence[RefundLine] = (),
    amount_rial: int | None = None,
    identifier: Identifier | None = None,
) -> Transaction:
    """The request of a refund: of these lines, of an amount, or else of all that is left.

    Raises ValueError for an amount of nothing: left out of the request, it would be all.
    """
    if amount_rial is not None and amount_rial <= 0:
        raise ValueError("a refund takes back more than 0 Rial; leave the amount out for all")
    return Transaction(
        **name._asdict(),
        kind=Kind.REFUND,
        occurred_at=occurred_at,
        identifier=identifier,
        amount_rial=amount_rial or 0,
        original=original,
        refund_lines=tuple(lines),
    )


def inquiry(
    name: TillReference | OrderReference,
    identifier: Identifier,
    *,
    amount_rial: int,
    occurred_at: datetime,
    lines: Sequence[Line] = (),
) -> Transaction:
    """The request of an inquiry: balance and preview for a basket of amount_rial."""
    return Transaction(
        **name._asdict(),
        kind=Kind.INQUIRY,
        occurred_at=occurred_at,
        identifier=identifier,
        amount_rial=amount_rial,
        lines=tuple(lines),
    )


def top_up(
    name: TillReference | OrderReference,
    identifier: Identifier,
    *,
    amount_rial: int,
    occurred_at: datetime,
) -> Transaction:
    """The request of a top-up: money paid in for the member's wallet."""
    return Transaction(
        **name._asdict(),
        kind=Kind.TOP_UP,
        occurred_at=occurred_at,
        identifier=identifier,
        amount_rial=amount_rial,
    )


def reversal(
    name: TillReference | OrderReference,
    original: Original,
    *,
    occurred_at: datetime,
    identifier: Identifier | None = None,
) -> Transaction:
    """The request of a reversal."""
    return Transaction(
        **name._asdict(),
        kind=Kind.REVERSAL,
        occurred_at=occurred_at,
        identifier=identifier,
        original=original,
    )
