"""Following the ledger's outcomes, and reading what they said."""

from collections.abc import Sequence

from kit.base.db import Tx
from members.balances import domain, store
from members.balances.domain import Balance, Heard


async def follow_outcomes(tx: Tx, heard: Sequence[Heard]) -> None:
    """Take over balances from outcomes; what was taken over before changes nothing.

    Raises Invalid for an outcome whose number cannot be.
    """
    known = await store.find_heard(tx, sorted({one.shard for one in heard}))
    await store.upsert_heard(tx, domain.reached(heard, known))
    accounts = {one.outcome.account for one in heard} - {0}
    if not accounts:
        return
    kept = await store.lock_balances(tx, list(accounts))
    await store.upsert_balances(tx, domain.follow(heard, kept))


async def find_balance(tx: Tx, account: int) -> Balance | None:
    """What the ledger last said of an account; None when it said nothing yet."""
    return await store.find_balance(tx, account)
