"""Adding the ledger's outcomes to merchants' days, and reading these."""

from collections.abc import Sequence
from datetime import date

from kit.base.db import Tx
from merchants.daily_totals import domain, store
from merchants.daily_totals.domain import DailyTotals, RecordedOutcome
from merchants.parties import usecases as parties


async def count_outcomes(tx: Tx, outcomes: Sequence[RecordedOutcome]) -> None:
    """Add outcomes to the days they fall on; an outcome that was counted before adds nothing."""
    reached = domain.last_sequences(outcomes)
    if not reached:
        return
    counted = await store.lock_progress(tx, list(reached))
    await store.upsert_totals(tx, domain.totals_of(outcomes, counted))
    await store.update_progress(tx, reached)


async def list_days(
    tx: Tx, merchant: int, first: date, last: date, *, limit: int
) -> list[DailyTotals]:
    """A merchant's days from first to last, both included. Raises Unknown (merchant)."""
    await parties.get_merchant(tx, merchant)
    return await store.list_totals(tx, merchant, first=first, last=last, limit=limit)
