"""A sale put together from the contributions of all nouns, in their order."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from campaigns.awards.domain import earning
from campaigns.contributions import Basket, Contributor, Grant
from contracts.ledger import Redemption
from contracts.merchants import Programme, Terms
from contracts.values import Reason


class Sale(Struct, frozen=True, kw_only=True):
    """What a purchase, or a sale partly paid with points, earns and spends, or why it may not."""

    earned: earning.Earned = earning.NOTHING
    redemption: Redemption | None = None
    decline: tuple[Reason, ...] = ()


class SaleFacts(Protocol):
    """The facts that every contributor may read."""

    @property
    def programme(self) -> Programme | None: ...
    @property
    def earn(self) -> Terms | None: ...


def sale_of(basket: Basket, facts: SaleFacts, contributors: Sequence[Contributor[Any]]) -> Sale:
    """Call each contributor in turn: a refusal ends it, grants add up, the next sees its basket."""
    grants: list[Grant] = []
    redemption: Redemption | None = None
    for contribute in contributors:
        added = contribute(basket, facts)
        if added is None:
            continue
        if added.refusals:
            return Sale(decline=added.refusals)
        if added.redemption is not None:
            redemption = added.redemption
        if added.unearned is not None:
            return Sale(redemption=redemption, earned=earning.nothing(added.unearned))
        grants += added.grants
        if added.basket is not None:
            basket = added.basket
    programme, terms, base = facts.programme, facts.earn, basket.base
    if programme is None or terms is None or base is None:
        raise RuntimeError(f"{basket.transaction.name}: no contributor looked at its lines")
    return Sale(
        redemption=redemption,
        earned=earning.earned(
            base,
            grants,
            programme=programme,
            terms=terms,
            at=basket.occurred_at,
            channel=basket.transaction.channel,
        ),
    )
