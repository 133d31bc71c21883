"""Counting what the ledger tells about merchants' days, and reading it."""

from collections.abc import Sequence
from datetime import date

from kit.base.db import Tx
from merchants.daily_totals import domain, store
from merchants.daily_totals.domain import Heard, Tally
from merchants.parties import usecases as partners


async def count_outcomes(tx: Tx, heard: Sequence[Heard]) -> None:
    """Add outcomes to the days they fall on; what was counted before adds nothing."""
    reached = domain.last_sequences(heard)
    if not reached:
        return
    counted = await store.lock_progress(tx, list(reached))
    await store.upsert_tallies(tx, domain.tally(heard, counted))
    await store.update_progress(tx, reached)


async def list_days(tx: Tx, merchant: int, first: date, last: date, *, limit: int) -> list[Tally]:
    """A merchant's days from first to last, both included. Raises Unknown (merchant)."""
    await partners.get_merchant(tx, merchant)
    return await store.list_tallies(tx, merchant, first=first, last=last, limit=limit)
