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
        "select l.lot, l.unit, l.amount, s.remaining, s.cost_left, s.held, l.cost_rial, l.issuer,"
        " l.funder, l.merchant, l.rule, l.rule_version, s.available_from, l.expires_at, l.born_at,"
        " l.parent, l.origin from lot_states s join lots l on l.shard = s.shard and l.lot = s.lot"
        " where s.shard = $1 and s.account_id = any($2::int[]) and s.open and s.lot > $3"
        " order by s.lot limit $4",
        shard,
        account_ids,
        after,
        limit,
    )


async def list_entries(
    tx: Tx, *, shard: int, account_id: int, before: int, limit: int
) -> list[Record]:
    """Entries of one account, newest first, with the command that made each."""
    return await tx.fetch(
        "select e.account_sequence, e.sequence, e.line, e.amount, e.balance, b.decided_at,"
        " b.command from (select t.sequence, t.account_sequence, t.line, t.amount, t.balance"
        "  from entries t where t.shard = $1 and t.account_id = $2 and t.account_sequence < $3"
        "  order by t.account_sequence desc limit $4) as e"
        " join bodies b on b.shard = $1 and b.sequence = e.sequence"
        " order by e.account_sequence desc",
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
