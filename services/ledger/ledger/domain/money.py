"""The money leg of a redemption: who owes the discount, and the network's fee on it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from contracts.ledger import Redemption
from contracts.values import BASIS_POINTS, largest_remainder
from ledger.domain.book import discount_of

# A lot's cost was floored when it was issued and again when it is split: under one Rial each.
ROUNDING_RIAL_PER_LOT: Final = 2


class MoneyLeg(NamedTuple):
    """claims, fees: Rial per consumption row. own_rial: the acceptor's own part of the discount."""

    claims: list[int]
    fees: list[int]
    own_rial: int


class OwnDiscountTooLarge(NamedTuple):
    """The acceptor would give more of its own than it declared."""

    own_rial: int
    max_rial: int


def settle(
    costs: Sequence[int], issuers: Sequence[int], acceptor: int, terms: Redemption
) -> MoneyLeg | OwnDiscountTooLarge:
    """Spread a redemption's discount and fee over its consumption rows.

    costs: Rial of what each row consumed. claim: the discount, at most the cost, spread by cost,
    largest remainder, never above a row's cost. Discount beyond the cost is the acceptor's own, at
    most what it declared (rounding of costs apart). fee: on claims that cross parties, floored
    once. Source: architecture 5, ledger reference 1 (money leg) and 6.
    """
    discount = discount_of(terms)
    cost = sum(costs)
    claim = min(discount, cost)
    own = discount - claim
    rounding = min(max(own - terms.own_discount_rial, 0), ROUNDING_RIAL_PER_LOT * len(costs))
    if terms.own_discount_rial > terms.own_discount_max_rial or (
        own - rounding > terms.own_discount_max_rial
    ):
        return OwnDiscountTooLarge(own, terms.own_discount_max_rial)
    claims = largest_remainder(claim, costs)
    crossing = [issuer != acceptor for issuer in issuers]
    crossing_rial = sum(c for c, crosses in zip(claims, crossing, strict=True) if crosses)
    fee = crossing_rial * terms.fee_bp // BASIS_POINTS
    weights = [c if crosses else 0 for c, crosses in zip(costs, crossing, strict=True)]
    return MoneyLeg(claims, largest_remainder(fee, weights), own)


def share(part: int, before: int, after: int, whole: int) -> int:
    """What of part falls on going from before to after of whole: floored, the last takes the rest.

    All >= 0, before <= after <= whole. A whole of zero is reached at once.
    """
    if whole == 0:
        return part
    return part * after // whole - part * before // whole
