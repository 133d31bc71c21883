"""What a redemption is worth, whether the programme lets it pay so much, what is left to pay."""

from msgspec import structs

from campaigns.awards.domain import reasons
from contracts.ledger import Redemption
from contracts.merchants import Programme, Terms
from contracts.pos import Line, PosTransaction
from contracts.values import AMOUNT_MAX, BASIS_POINTS, Reason, largest_remainder
from kit import errors


def redemption_of(
    transaction: PosTransaction, programme: Programme | None, terms: Terms | None
) -> Redemption | tuple[Reason, ...]:
    """Every number that the ledger needs, or the reasons for a no.

    programme: the acceptor's, in force at occurred_at. Value: points x price_rial // price_points
    of the terms, floored, and the credit. The share: value over what the basket costs, compared
    without rounding. The minimum is of points, and asked only where points are spent. The
    acceptor's own discount is its basis points of that value, floored, at most its declared
    maximum, and never more than is left to pay.
    Whether the member has so much is the ledger's to say. Source: SH14, loyalty reference 1.3.
    """
    if programme is None:
        return (reasons.NO_PROGRAMME,)
    if terms is None:
        return (reasons.NO_TERMS,)
    if transaction.points == 0 and transaction.credit_rial == 0:
        return (reasons.NOTHING_TO_REDEEM,)
    points_value = transaction.points * terms.price_rial // terms.price_points
    value = points_value + transaction.credit_rial
    if value > AMOUNT_MAX:
        raise errors.Invalid(f"a redemption of {value} Rial: too large", code="amount-too-large")
    if no := tuple(_objections(transaction, programme, points_value)):
        return no
    own = min(
        value * programme.own_discount_bp // BASIS_POINTS,
        programme.own_discount_max_rial,
        transaction.amount_rial - value,
    )
    return Redemption(
        points=transaction.points,
        credit_rial=transaction.credit_rial,
        points_value_rial=points_value,
        own_discount_rial=own,
        own_discount_max_rial=programme.own_discount_max_rial,
        fee_bp=terms.fee_bp,
        terms_version=terms.version,
    )


def paid_part(transaction: PosTransaction, redemption: Redemption) -> PosTransaction:
    """The sale as far as it is paid in money: what is spent is off each line in proportion.

    By largest remainder, ties to the lower line, so that the lines sum to what is payable.
    """
    off = (
        redemption.points_value_rial
        + redemption.credit_rial
        + redemption.gift_rial
        + redemption.own_discount_rial
    )
    lines = transaction.lines or (Line(line=0, amount_rial=transaction.amount_rial),)
    parts = largest_remainder(off, [line.amount_rial for line in lines])
    return structs.replace(
        transaction,
        amount_rial=transaction.amount_rial - off,
        lines=tuple(
            structs.replace(line, amount_rial=line.amount_rial - part)
            for line, part in zip(lines, parts, strict=True)
        ),
    )


def _objections(
    transaction: PosTransaction, programme: Programme, points_value_rial: int
) -> list[Reason]:
    found: list[Reason] = []
    value = points_value_rial + transaction.credit_rial
    if 0 < transaction.points < programme.redeem_min_points:
        found.append(reasons.below_minimum(transaction.points, programme.redeem_min_points))
    if transaction.points > 0 and points_value_rial == 0:
        found.append(reasons.POINTS_WORTH_NOTHING)
    if value * BASIS_POINTS > transaction.amount_rial * programme.redeem_max_share_bp:
        most = transaction.amount_rial * programme.redeem_max_share_bp // BASIS_POINTS
        found.append(reasons.above_share(value, most))
    return found
