"""What the other nouns ask of programmes and terms, and how their tables are kept."""

from collections.abc import Sequence
from datetime import datetime

from campaigns.programmes import domain, store
from campaigns.programmes.domain import Shelf
from contracts.merchants import Programme, Terms
from kit.base.db import Tx

__all__ = [
    "Shelf",
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


async def refresh(tx: Tx, shelf: Shelf) -> None:
    """Bring the shelf up to what is committed: one statement, which mostly finds nothing.

    tx must not have written these tables itself: a shelf outlives a rollback.
    """
    changes = await store.list_changes(tx, shelf.revision)
    for _, fact in changes:
        domain.shelve(shelf, fact)
    shelf.revision = max((revision for revision, _ in changes), default=shelf.revision)


def find_programme(shelf: Shelf, merchant: int, version: int) -> Programme | None:
    """One version of a merchant's programme; None when it is not known here (yet)."""
    return shelf.programmes.get((merchant, version))


def find_terms(shelf: Shelf, version: int) -> Terms | None:
    """One version of the network's terms; None when it is not known here (yet)."""
    return shelf.terms.get(version)


def find_programme_as_of(shelf: Shelf, merchant: int, at: datetime) -> Programme | None:
    """The version in force at a time, for baskets that no gateway has stamped."""
    return domain.programme_as_of(shelf, merchant, at)


def find_terms_as_of(shelf: Shelf, at: datetime) -> Terms | None:
    """The terms in force at a time, for baskets that no gateway has stamped."""
    return domain.terms_as_of(shelf, at)
