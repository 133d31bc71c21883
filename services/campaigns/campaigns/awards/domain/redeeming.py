"""The worth of a redemption, the programme's limits on it, and the part left to pay in money."""

from typing import Final, Protocol

from msgspec import structs

from campaigns import reasons
from campaigns.contributions import Basket, Contribution
from contracts import redeeming
from contracts.ledger import Offer, Redemption
from contracts.merchants import Programme, Terms
from contracts.pos import Line, PosTransaction
from contracts.redeeming import Tender
from contracts.values import AMOUNT_MAX, Kind, Reason, largest_remainder
from kit.base import errors

_PAID_WITH_VALUE: Final = (Kind.REDEMPTION, Kind.CAPTURE)


class RedemptionFacts(Protocol):
    """The facts of a redemption. cheapest: the terms with the lowest price ever published.

    authorised: of a capture, the offer of its authorisation: the price that the customer was told.
    """

    @property
    def programme(self) -> Programme | None: ...
    @property
    def spend(self) -> Terms | None: ...
    @property
    def cheapest(self) -> Terms | None: ...
    @property
    def authorised(self) -> Offer | None: ...


def contribute(basket: Basket, facts: RedemptionFacts) -> Contribution | None:
    """What is spent of points and credit, and the basket as far as it is paid in money."""
    transaction = basket.transaction
    if transaction.kind not in _PAID_WITH_VALUE:
        return None
    offer = facts.authorised or offer_of(facts.programme, facts.spend, facts.cheapest)
    terms = redemption_by(offer, transaction)
    if isinstance(terms, tuple):
        return Contribution(refusals=terms)
    if facts.programme is not None and not facts.programme.earns_on_paid_part:
        return Contribution(redemption=terms, unearned=reasons.PAID_PART_DOES_NOT_EARN)
    paid = paid_part(transaction, terms)
    return Contribution(
        redemption=terms, basket=Basket(paid, basket.occurred_at, basket.accepted_at)
    )


def redemption_of(
    transaction: PosTransaction,
    programme: Programme | None,
    terms: Terms | None,
    cheapest: Terms | None = None,
) -> Redemption | tuple[Reason, ...]:
    """Every number that the ledger needs, or the reasons to decline.

    Only the ledger knows whether the member has so much; it previews by the same rule.
    """
    return redemption_by(offer_of(programme, terms, cheapest), transaction)


def redemption_by(
    offer: Offer | tuple[Reason, ...], transaction: PosTransaction
) -> Redemption | tuple[Reason, ...]:
    """As redemption_of, by an offer, or the reasons why there is none."""
    if not isinstance(offer, Offer):
        return offer
    tender = Tender(transaction.amount_rial, transaction.points, transaction.credit_rial)
    value = redeeming.worth(offer, tender.points) + tender.credit_rial
    if value > AMOUNT_MAX:
        raise errors.Invalid(f"a redemption of {value} Rial: too large", code="amount-too-large")
    no = tuple([_reason(code, offer, tender) for code in redeeming.objections(offer, tender)])
    return no or redeeming.redemption(offer, tender)


def offer_of(
    programme: Programme | None, terms: Terms | None, cheapest: Terms | None = None
) -> Offer | tuple[Reason, ...]:
    """What may be spent here, or why nothing can. programme: the acceptor's at occurred_at.

    cheapest: the terms with the lowest price of all that were published; None: these.
    """
    if programme is None:
        return (reasons.NO_PROGRAMME,)
    if terms is None:
        return (reasons.NO_TERMS,)
    return Offer(
        price_rial=terms.price_rial,
        price_points=terms.price_points,
        redeem_min_points=programme.redeem_min_points,
        redeem_max_share_bp=programme.redeem_max_share_bp,
        own_discount_bp=programme.own_discount_bp,
        own_discount_max_rial=programme.own_discount_max_rial,
        fee_bp=terms.fee_bp,
        terms_version=terms.version,
        least_rial=0 if cheapest is None else cheapest.price_rial,
        least_points=0 if cheapest is None else cheapest.price_points,
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


def _reason(code: str, offer: Offer, tender: Tender) -> Reason:
    match code:
        case redeeming.BELOW_MINIMUM:
            return reasons.below_minimum(offer.redeem_min_points)
        case redeeming.ABOVE_SHARE:
            return reasons.above_share(redeeming.room_rial(offer, tender.amount_rial))
        case redeeming.WORTH_NOTHING:
            return reasons.POINTS_WORTH_NOTHING
        case _:
            return reasons.NOTHING_TO_REDEEM
