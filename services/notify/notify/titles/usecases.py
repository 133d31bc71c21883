"""Keeping merchants' titles, and finding those that a text names."""

from collections.abc import Sequence

from contracts.merchants import Merchant
from kit.base.db import Tx
from notify.titles import store


async def keep_titles(tx: Tx, merchants: Sequence[Merchant]) -> None:
    """Keep the newest titles of merchants."""
    if merchants:
        await store.upsert_titles(tx, merchants)


async def find_of_merchants(tx: Tx, merchants: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Persian and English titles of these merchants, of those that are known."""
    return await store.find_of_merchants(tx, merchants) if merchants else {}


async def find_of_parties(tx: Tx, parties: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Titles of each party's first merchant, of those that have one."""
    return await store.find_of_parties(tx, parties) if parties else {}
