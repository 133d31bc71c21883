"""The money leg of a redemption: who owes the discount, and the network's fee on it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from contracts.ledger import Redemption
from contracts.value import RedemptionTerms
from contracts.values import BASIS_POINTS, largest_remainder
from ledger.book.facts import discount_of

# A lot's cost was floored when it was issued and again when it is split: under one Rial each.
ROUNDING_RIAL_PER_LOT: Final = 2


class Discount(NamedTuple):
    """The discount that an acceptor gives for spent value, in Rial.

    own: the discount beyond it, at most own_max. network_max_rial: the most that the network adds,
    for points issued at a lower price.
    """

    rial: int
    own_rial: int
    own_max_rial: int
    fee_bp: int
    network_max_rial: int = 0


class MoneyLeg(NamedTuple):
    """claims, fees: Rial per consumption row. own_rial, network_rial: parts of the discount.

    The acceptor bears own_rial itself; the network adds network_rial.
    """

    claims: list[int]
    fees: list[int]
    own_rial: int
    network_rial: int = 0


class OwnDiscountTooLarge(NamedTuple):
    """The acceptor would give more of its own than it declared."""

    own_rial: int
    max_rial: int


def settle(
    costs: Sequence[int], issuers: Sequence[int], acceptor: int, discount: Discount
) -> MoneyLeg | OwnDiscountTooLarge:
    """Spread a redemption's discount and fee over its consumption rows.

    costs: Rial consumed by each row. The claim is the discount, at most the cost. It is spread by
    cost with largest remainder, and never above a row's cost. Of a discount beyond the claim, the
    network bears the rise of its price since the points were issued. The rest is the acceptor's
    own, at most what it declared (rounding of costs apart). The fee is on claims that cross
    parties, floored once. Source: architecture 5, ledger reference 1 (money leg) and 6, decision
    0029.
    """
    cost = sum(costs)
    if not cost and not discount.rial and discount.own_rial <= discount.own_max_rial:
        nothing = [0] * len(costs)
        return MoneyLeg(nothing, nothing, 0)
    claim = min(discount.rial, cost)
    network = of_network(discount, claim)
    own = discount.rial - claim - network
    rounding = min(max(own - discount.own_rial, 0), ROUNDING_RIAL_PER_LOT * len(costs))
    if discount.own_rial > discount.own_max_rial or own - rounding > discount.own_max_rial:
        return OwnDiscountTooLarge(own, discount.own_max_rial)
    claims = largest_remainder(claim, costs)
    crossing = [issuer != acceptor for issuer in issuers]
    crossing_rial = sum(c for c, crosses in zip(claims, crossing, strict=True) if crosses)
    fee = crossing_rial * discount.fee_bp // BASIS_POINTS
    weights = [c if crosses else 0 for c, crosses in zip(costs, crossing, strict=True)]
    return MoneyLeg(claims, largest_remainder(fee, weights), own, network)


def of_network(discount: Discount, claim: int) -> int:
    """Rial that the network adds: the discount beyond the claim and the declared own discount."""
    beyond = discount.rial - claim - discount.own_rial
    return min(max(beyond, 0), discount.network_max_rial)


def of_redemption(terms: Redemption) -> Discount:
    """The discount of a basket's terms."""
    return Discount(
        discount_of(terms),
        terms.own_discount_rial,
        terms.own_discount_max_rial,
        terms.fee_bp,
        terms.network_max_rial,
    )


def of_spend(spend: RedemptionTerms) -> Discount:
    """The discount of a spend away from a till."""
    return Discount(spend.worth_rial, 0, spend.own_max_rial, spend.fee_bp, spend.network_max_rial)


def share(part: int, before: int, after: int, whole: int) -> int:
    """The share of part that falls on a step from before to after of whole, floored.

    The last step takes the rest. All >= 0, before <= after <= whole. A whole of zero is reached at
    once.
    """
    if whole == 0:
        return part
    return part * after // whole - part * before // whole
