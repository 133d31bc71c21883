"""SQL of readings over all shards: payables, and the points of an issue month."""

from collections.abc import Sequence

from kit.base.db import Record, Tx


async def begin_analysis(tx: Tx) -> None:
    """Let this transaction's plans join whole tables; the road's own must not."""
    await tx.execute("set local enable_hashjoin to on")
    await tx.execute("set local enable_seqscan to on")


async def list_pairs(tx: Tx, *, after: tuple[int, int], limit: int) -> list[Record]:
    """Debtor and creditor of payables, by number."""
    return await tx.fetch(
        "select a.owner as debtor, a.counterparty as creditor from accounts a"
        " where a.unit = 'IRR' and a.role = 'payable' and (a.owner, a.counterparty) > ($1, $2)"
        " group by a.owner, a.counterparty order by a.owner, a.counterparty limit $3",
        *after,
        limit,
    )


async def list_pair_accounts(tx: Tx, pairs: Sequence[tuple[int, int]]) -> list[Record]:
    """Payable accounts of (debtor, creditor), and fee accounts of that creditor, on all shards."""
    return await tx.fetch(
        "select u.debtor, u.creditor, a.role, a.shard, a.account_id, a.entry_count, a.balance"
        " from unnest($1::bigint[], $2::int[]) as u (debtor, creditor)"
        " cross join lateral ("
        "  select t.role, t.shard, t.account_id, t.entry_count, t.balance from accounts t"
        "   where t.unit = 'IRR' and t.role = 'payable' and t.owner = u.debtor"
        "   and t.counterparty = u.creditor"
        "  union all"
        "  select t.role, t.shard, t.account_id, t.entry_count, t.balance from accounts t"
        "   where t.unit = 'IRR' and t.role = 'fee' and t.owner = u.creditor"
        "   and t.counterparty = u.debtor) as a"
        " order by 1, 2, 3, 4",
        [debtor for debtor, _ in pairs],
        [creditor for _, creditor in pairs],
    )


async def list_issued(tx: Tx, *, shard: int, last: int, issuer: int | None) -> list[Record]:
    """Lots that were issued, without those that arrived, summed by issuer, unit, Tehran birthday.

    Sums are text: they may pass 64 bits.
    """
    return await tx.fetch(
        "select l.issuer, l.unit, (l.born_at at time zone 'Asia/Tehran')::date as born_on,"
        " sum(l.amount)::text as amount, sum(l.cost_rial)::text as cost_rial from lots l"
        " where l.shard = $1 and l.lot < ($2::bigint + 1) * 4096 and l.parent is null"
        " and ($3::int is null or l.issuer = $3) group by 1, 2, 3 order by 1, 2, 3",
        shard,
        last,
        issuer,
    )


async def list_moved(tx: Tx, *, shard: int, last: int, issuer: int | None) -> list[Record]:
    """Consumption rows of a shard, summed by lot's issuer, unit, day of birth, and movement."""
    return await tx.fetch(
        "select l.issuer, l.unit, (l.born_at at time zone 'Asia/Tehran')::date as born_on, c.what,"
        " sum(c.amount)::text as amount, sum(c.cost_rial)::text as cost_rial"
        " from consumptions c join lots l on l.shard = c.shard and l.lot = c.lot"
        " where c.shard = $1 and c.sequence <= $2 and l.shard = $1"
        " and ($3::int is null or l.issuer = $3) group by 1, 2, 3, 4 order by 1, 2, 3, 4",
        shard,
        last,
        issuer,
    )


async def list_left(
    tx: Tx, *, shard: int, last: int, issuer: int | None, adds: Sequence[str]
) -> list[Record]:
    """Remainders of a shard's lots as of a number, by issuer, unit, day of birth.

    adds: movements that add to a lot; all others take. below: whether one of them is below zero.
    """
    return await tx.fetch(
        "select r.issuer, r.unit, r.born_on, sum(r.amount)::text as amount,"
        " sum(r.cost_rial)::text as cost_rial, bool_or(r.amount < 0 or r.cost_rial < 0) as below"
        " from ("
        "  select l.issuer, l.unit, (l.born_at at time zone 'Asia/Tehran')::date as born_on,"
        "   case when l.parent is null then l.amount else 0 end + coalesce(m.amount, 0) as amount,"
        "   case when l.parent is null then l.cost_rial else 0 end + coalesce(m.cost_rial, 0)"
        "    as cost_rial"
        "  from lots l left join (select c.lot,"
        "    sum(case when c.what = any($4::text[]) then c.amount else -c.amount end) as amount,"
        "    sum(case when c.what = any($4::text[]) then c.cost_rial else -c.cost_rial end)"
        "     as cost_rial"
        "    from consumptions c where c.shard = $1 and c.sequence <= $2 group by c.lot) as m"
        "   on m.lot = l.lot"
        "  where l.shard = $1 and l.lot < ($2::bigint + 1) * 4096"
        "   and ($3::int is null or l.issuer = $3)"
        " ) as r group by 1, 2, 3 order by 1, 2, 3",
        shard,
        last,
        issuer,
        list(adds),
    )
