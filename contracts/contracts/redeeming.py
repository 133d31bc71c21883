"""How much value may pay for a basket: one rule for a redemption and for its preview."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from contracts.ledger import Offer, Redemption
from contracts.values import BASIS_POINTS

NOTHING: Final = "nothing-to-redeem"
BELOW_MINIMUM: Final = "redeem-below-minimum"
WORTH_NOTHING: Final = "points-worth-nothing"
ABOVE_SHARE: Final = "redeem-above-share"


class Tender(Struct, frozen=True):
    """The value to be spent on a basket: points, and Rial of credit."""

    amount_rial: int
    points: int
    credit_rial: int


def objections(offer: Offer, tender: Tender) -> Iterator[str]:
    """Codes of every reason to refuse it, whatever the member's balance is.

    The share is compared without rounding; the minimum is of points, and applies only where points
    are spent. Source: SH14, loyalty reference 1.3.
    """
    if not tender.points and not tender.credit_rial:
        yield NOTHING
        return
    points_rial = worth(offer, tender.points)
    if 0 < tender.points < offer.redeem_min_points:
        yield BELOW_MINIMUM
    if tender.points and not points_rial:
        yield WORTH_NOTHING
    if points_rial + tender.credit_rial > room_rial(offer, tender.amount_rial):
        yield ABOVE_SHARE


def redemption(offer: Offer, tender: Tender) -> Redemption:
    """Every number that the ledger decides on.

    The acceptor's own discount is its basis points of what is spent, floored, at most its declared
    maximum, and never more than is left to pay.
    """
    points_rial = worth(offer, tender.points)
    spent_rial = points_rial + tender.credit_rial
    own_rial = min(
        spent_rial * offer.own_discount_bp // BASIS_POINTS,
        offer.own_discount_max_rial,
        tender.amount_rial - spent_rial,
    )
    return Redemption(
        points=tender.points,
        credit_rial=tender.credit_rial,
        points_value_rial=points_rial,
        own_discount_rial=own_rial,
        own_discount_max_rial=offer.own_discount_max_rial,
        fee_bp=offer.fee_bp,
        terms_version=offer.terms_version,
        network_max_rial=points_rial - least_worth(offer, tender.points),
    )


def worth(offer: Offer, points: int) -> int:
    """Rial that points are worth: floored once."""
    return points * offer.price_rial // offer.price_points


def least_worth(offer: Offer, points: int) -> int:
    """The least Rial that points cost when they were issued: at the lowest price ever published.

    The network, which sets the price, pays for any worth above it (decision 0029).
    """
    if not offer.least_points:
        return worth(offer, points)
    return points * offer.least_rial // offer.least_points


def room_rial(offer: Offer, amount_rial: int) -> int:
    """How much of a basket points and credit may pay."""
    return amount_rial * offer.redeem_max_share_bp // BASIS_POINTS


def least_points(offer: Offer) -> int:
    """The fewest points that may be spent at once."""
    return max(offer.redeem_min_points, -(-offer.price_points // offer.price_rial))


def most_points(offer: Offer, room: int) -> int:
    """The most points that are worth no more than so many Rial."""
    return ((room + 1) * offer.price_points - 1) // offer.price_rial
