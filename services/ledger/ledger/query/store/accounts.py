"""SQL of accounts for readings: one snapshot each, lists bounded by a keyset."""

from kit.base.db import Record, Tx


async def list_value_accounts(tx: Tx, owner: int) -> list[Record]:
    """A member account's value and debt accounts, with its shard's last decision."""
    return await tx.fetch(
        "select v.shard, v.account_id, v.role, v.unit, v.counterparty, v.balance, v.entry_count,"
        " s.last_sequence, s.decided_at from (select distinct shard from accounts"
        "  where owner = $1 and role = 'value') as home"
        " join accounts v on v.shard = home.shard and v.owner = $1 and v.role in ('value', 'debt')"
        " join shards s on s.shard = v.shard order by v.shard, v.account_id",
        owner,
    )
