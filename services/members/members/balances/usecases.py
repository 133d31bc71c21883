"""Applying the ledger's outcomes to balances, and reading these."""

from collections.abc import Sequence

from kit.base.db import Tx
from members.balances import domain, store
from members.balances.domain import Balance, RecordedOutcome


async def apply_outcomes(tx: Tx, outcomes: Sequence[RecordedOutcome]) -> None:
    """Take over balances from outcomes; an outcome that was applied before changes nothing.

    Raises Invalid for an outcome whose number cannot be.
    """
    known = await store.find_progress(tx, sorted({one.shard for one in outcomes}))
    await store.upsert_progress(tx, domain.latest_sequences(outcomes, known))
    accounts = {one.outcome.account for one in outcomes} - {0}
    if not accounts:
        return
    kept = await store.lock_balances(tx, list(accounts))
    await store.upsert_balances(tx, domain.updated_balances(outcomes, kept))


async def find_balance(tx: Tx, account: int) -> Balance | None:
    """The balance of an account as of its newest outcome; None before the first."""
    return await store.find_balance(tx, account)
