"""The verbs of terms: keep versions as merchants publishes them, and read them."""

from collections.abc import Sequence

from contracts.merchants import Terms
from fraud.rules import usecases as rules
from fraud.terms import store
from kit.base.db import Tx


async def keep_terms(tx: Tx, terms: Sequence[Terms]) -> None:
    """Keep versions of the network's terms; screening values redemptions by them."""
    if await store.upsert_terms(tx, terms):
        await rules.announce_change(tx)


async def find_terms(tx: Tx) -> list[Terms]:
    """Every version of the network's terms."""
    return await store.find_terms(tx)
