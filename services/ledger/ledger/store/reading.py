"""SQL of readings for people: one snapshot each, lists bounded by a keyset."""

from datetime import datetime

from kit.db import Record, Tx


async def begin_snapshot(tx: Tx) -> None:
    """All that this transaction reads is of one moment; must come first."""
    await tx.execute("set transaction isolation level repeatable read")


async def list_value_accounts(tx: Tx, owner: int) -> list[Record]:
    """A club account's value and debt accounts, with its shard's last decision."""
    return await tx.fetch(
        "select v.shard, v.account_id, v.role, v.unit, v.counterparty, v.balance, v.entry_count,"
        " s.last_sequence, s.decided_at from (select distinct shard from accounts"
        "  where owner = $1 and role = 'value') as home"
        " join accounts v on v.shard = home.shard and v.owner = $1 and v.role in ('value', 'debt')"
        " join shards s on s.shard = v.shard order by v.shard, v.account_id",
        owner,
    )


async def list_lots(
    tx: Tx, *, shard: int, account_ids: list[int], after: int, limit: int
) -> list[Record]:
    """Open lots of some value accounts, by number."""
    return await tx.fetch(
        "select lot, unit, amount, remaining, cost_left, held, cost_rial, issuer, funder, merchant,"
        " rule, rule_version, available_from, expires_at, born_at, parent, origin from lots"
        " where shard = $1 and account_id = any($2::int[]) and open and lot > $3"
        " order by lot limit $4",
        shard,
        account_ids,
        after,
        limit,
    )


async def list_entries(
    tx: Tx, *, shard: int, account_id: int, before: int, limit: int
) -> list[Record]:
    """Entries of one account, newest first."""
    return await tx.fetch(
        "select sequence, account_sequence, line, amount, balance from entries"
        " where shard = $1 and account_id = $2 and account_sequence < $3"
        " order by account_sequence desc limit $4",
        shard,
        account_id,
        before,
        limit,
    )


async def list_positions(
    tx: Tx, *, after_debtor: int, after_creditor: int, limit: int
) -> list[Record]:
    """Who owes whom, summed over shards; fee_rial: the network's fee within what it is owed."""
    return await tx.fetch(
        "select p.debtor, p.creditor, p.owed, coalesce((select sum(f.balance) from accounts f"
        "  where f.unit = 'IRR' and f.role = 'fee' and f.owner = p.creditor"
        "  and f.counterparty = p.debtor), 0)::text as fee"
        " from (select a.owner as debtor, a.counterparty as creditor, (-sum(a.balance))::text owed"
        "  from accounts a where a.unit = 'IRR' and a.role = 'payable'"
        "  and (a.owner, a.counterparty) > ($1, $2)"
        "  group by a.owner, a.counterparty order by a.owner, a.counterparty limit $3) as p"
        " order by p.debtor, p.creditor",
        after_debtor,
        after_creditor,
        limit,
    )


async def list_vector(tx: Tx) -> list[Record]:
    """Last sequence number of every shard: what a reading over shards is as of."""
    return await tx.fetch("select shard, last_sequence from shards order by shard")


async def get_decided_at(tx: Tx, shard: int) -> datetime:
    """Decision time of a shard that has decided something."""
    at: datetime = await tx.fetchval("select decided_at from shards where shard = $1", shard)
    return at
