"""What an authorisation reserves, and the sale that its capture is, by the same offer (0050)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from msgspec import structs

from campaigns.awards.domain import commands, redeeming, sales
from campaigns.contributions import Basket, Contributor
from contracts.envelope import Envelope
from contracts.fraud import ScreenedTransaction
from contracts.ledger import Offer, PostTransaction
from contracts.merchants import Programme, Terms


class AuthorisationFacts(redeeming.RedemptionFacts, Protocol):
    """The facts of a redemption and of a sale. authorised: None until a capture sets it."""

    @property
    def earn(self) -> Terms | None: ...
    @property
    def programme(self) -> Programme | None: ...


def authorised(
    screened: ScreenedTransaction, cause: Envelope[Any], facts: AuthorisationFacts
) -> PostTransaction:
    """What is to be reserved, until when, and the offer that its capture will be priced by."""
    transaction = screened.transaction
    offer = redeeming.offer_of(facts.programme, facts.spend, facts.cheapest)
    if not isinstance(offer, Offer):
        return commands.post(screened, decline=offer)
    terms = redeeming.redemption_by(offer, transaction)
    if isinstance(terms, tuple):
        return commands.post(screened, decline=terms)
    due_at = cause.accepted_at + timedelta(seconds=transaction.hold_s)
    return structs.replace(commands.post(screened, redemption=terms), due_at=due_at, offer=offer)


def captured(
    screened: ScreenedTransaction,
    cause: Envelope[Any],
    facts: Any,
    authorisation: PostTransaction | None,
    contributors: Sequence[Contributor[Any]],
) -> PostTransaction:
    """The sale of an authorisation: spent at its offer, earned by the versions of this moment.

    authorisation: None where nothing of that name was authorised; the ledger says what it was.
    """
    if authorisation is None or authorisation.offer is None:
        return commands.post(screened)
    transaction = commands.completed(screened.transaction, authorisation)
    screened = structs.replace(screened, transaction=transaction)
    basket = Basket(transaction, cause.occurred_at, cause.accepted_at)
    facts = structs.replace(facts, authorised=authorisation.offer)
    sale = sales.sale_of(basket, facts, contributors)
    if sale.decline:
        return commands.post(screened, decline=sale.decline)
    return commands.post(screened, earned=sale.earned, redemption=sale.redemption)
