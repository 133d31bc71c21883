"""Look-ups of programmes and terms for the other nouns, and the upkeep of their tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from campaigns import reasons
from campaigns.contributions import Basket, Contribution
from campaigns.programmes import domain, store
from campaigns.programmes.domain import ProgrammeCache
from contracts.merchants import Programme, Terms
from contracts.values import Reason
from kit.base.db import Tx

__all__ = [
    "ProgrammeCache",
    "contribute",
    "find_programme",
    "find_programme_as_of",
    "find_terms",
    "find_terms_as_of",
    "keep_programmes",
    "keep_terms",
    "refresh",
]


async def keep_programmes(tx: Tx, programmes: Sequence[Programme]) -> None:
    """Write versions that were heard into the local table, and tell every process of them."""
    await store.upsert_programmes(tx, programmes)
    await store.upsert_changes(tx, [(p.merchant, p.version) for p in programmes])


async def keep_terms(tx: Tx, terms: Sequence[Terms]) -> None:
    """Write versions that were heard into the local table, and tell every process of them."""
    await store.upsert_terms(tx, terms)
    await store.upsert_changes(tx, [(store.TERMS, t.version) for t in terms])


async def refresh(tx: Tx, cache: ProgrammeCache) -> None:
    """Bring the cache up to what is committed: one statement, which mostly finds nothing.

    tx must not have written these tables itself: a cache outlives a rollback.
    """
    changes = await store.list_changes(tx, cache.revision)
    for _, fact in changes:
        domain.keep(cache, fact)
    cache.revision = max((revision for revision, _ in changes), default=cache.revision)


def find_programme(cache: ProgrammeCache, merchant: int, version: int) -> Programme | None:
    """One version of a merchant's programme; None when it is not known here (yet)."""
    return cache.programmes.get((merchant, version))


def find_terms(cache: ProgrammeCache, version: int) -> Terms | None:
    """One version of the network's terms; None when it is not known here (yet)."""
    return cache.terms.get(version)


def find_programme_as_of(cache: ProgrammeCache, merchant: int, at: datetime) -> Programme | None:
    """The version in force at a time, for baskets that no gateway has stamped."""
    return domain.programme_as_of(cache, merchant, at)


class ProgrammeFacts(Protocol):
    """The facts of a merchant's limits: its programme, None where it has none."""

    @property
    def programme(self) -> Programme | None: ...


def contribute(basket: Basket, facts: ProgrammeFacts) -> Contribution | None:
    """The refusal of a basket that is larger than the programme allows."""
    programme, amount_rial = facts.programme, basket.transaction.amount_rial
    if programme is None or amount_rial <= programme.basket_max_rial:
        return None
    return Contribution(
        refusals=(reasons.basket_too_large(amount_rial, programme.basket_max_rial),)
    )


def refusal_of_top_up(programme: Programme | None, amount_rial: int) -> tuple[Reason, ...]:
    """Why a wallet is not topped up here by so much; empty: it is (SH6, decision 0048)."""
    if programme is None or not programme.top_up_max_rial:
        return (reasons.TOP_UP_NOT_OFFERED,)
    if amount_rial > programme.top_up_max_rial:
        return (reasons.top_up_too_large(amount_rial, programme.top_up_max_rial),)
    return ()


def find_terms_as_of(cache: ProgrammeCache, at: datetime) -> Terms | None:
    """The terms in force at a time, for baskets that no gateway has stamped."""
    return domain.terms_as_of(cache, at)
