"""All the SQL of balances."""

from collections.abc import Mapping, Sequence
from typing import Final

from kit.base.db import Tx
from kit.stream import local_tables
from members.balances.domain import Balance

BALANCES: Final = local_tables.Table(
    name="balances",
    columns={
        "account": "bigint",
        "shard": "int",
        "sequence": "bigint",
        "points": "bigint",
        "credit_rial": "bigint",
        "transactions_count": "bigint",
        "last_transaction_at": "timestamptz",
    },
    key=("account",),
    version="sequence",
)
PROGRESS: Final = local_tables.Table(
    name="balances_progress",
    columns={"shard": "int", "sequence": "bigint"},
    key=("shard",),
    version="sequence",
)
_BALANCES: Final = (
    "select account, shard, sequence, points, credit_rial, transactions_count,"
    " last_transaction_at from balances"
)


async def lock_balances(tx: Tx, accounts: Sequence[int]) -> dict[int, Balance]:
    """Balances of accounts that have one, locked in order."""
    rows = await tx.fetch(
        _BALANCES + " where account = any($1::bigint[]) order by account for no key update",
        sorted(accounts),
    )
    return {row["account"]: Balance(**dict(row)) for row in rows}


async def upsert_balances(tx: Tx, balances: Sequence[Balance]) -> None:
    """Write balances, each only over an older sequence."""
    rows = [{name: getattr(b, name) for name in BALANCES.columns} for b in balances]
    await local_tables.upsert(tx, BALANCES, rows)


async def find_progress(tx: Tx, shards: Sequence[int]) -> dict[int, int]:
    """The last sequence applied of each of some shards; a shard without one has no key."""
    rows = await tx.fetch(
        "select shard, sequence from balances_progress where shard = any($1::int[])", shards
    )
    return {row["shard"]: row["sequence"] for row in rows}


async def upsert_progress(tx: Tx, reached: Mapping[int, int]) -> None:
    """Write the last sequence applied of each shard; it never falls."""
    rows = [{"shard": shard, "sequence": last} for shard, last in reached.items()]
    await local_tables.upsert(tx, PROGRESS, rows)


async def find_balance(tx: Tx, account: int) -> Balance | None:
    """What is known of an account, or None."""
    row = await tx.fetchrow(_BALANCES + " where account = $1", account)
    return None if row is None else Balance(**dict(row))
