"""SQL of readings as of a sequence number: running balances, and lots from their movements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from ledger.tables.columns import arrays

# of a lot, in the order of the answers; its remainder depends on the moment
_LOT_COLUMNS: Final = (
    "l.lot, l.unit, l.amount, l.cost_rial, l.issuer, l.funder, l.merchant, l.rule, l.rule_version,"
    " l.available_from, l.expires_at, l.born_at, l.parent, l.origin"
)
AccountAt = tuple[int, int, int, int]  # shard, account_id, entry_count, last sequence that counts


async def list_entry_ends(tx: Tx, accounts: Sequence[AccountAt]) -> list[Record]:
    """Each account's last entry up to a sequence number: account_sequence, balance; else 0, 0.

    A binary search over account_sequence: some twenty probes of the index for a million entries.
    """
    return await tx.fetch(
        "with recursive search as ("
        " select u.place, u.shard, u.account_id, u.last, 0 as low, u.entry_count as high"
        "  from unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[]) with ordinality"
        "   as u (shard, account_id, entry_count, last, place)"
        " union all"
        " select s.place, s.shard, s.account_id, s.last,"
        "  case when e.sequence <= s.last then m.middle else s.low end,"
        "  case when e.sequence <= s.last then s.high else m.middle - 1 end"
        "  from search s"
        "  cross join lateral (select ((s.low::bigint + s.high + 1) / 2)::int as middle) as m"
        "  cross join lateral (select t.sequence from entries t where t.shard = s.shard"
        "   and t.account_id = s.account_id and t.account_sequence = m.middle limit 1) as e"
        "  where s.low < s.high)"
        " select s.place, s.low as account_sequence, coalesce(e.balance, 0) as balance"
        " from search s left join lateral (select t.balance from entries t where t.shard = s.shard"
        "  and t.account_id = s.account_id and t.account_sequence = s.low limit 1) as e on true"
        " where s.low = s.high order by s.place",
        *arrays(accounts, 4),
    )


async def list_open_lots(tx: Tx, shard: int, account_ids: Sequence[int]) -> list[Record]:
    """Open lots of some accounts as they are, by number."""
    return await tx.fetch(
        f"select {_LOT_COLUMNS}, l.account_id, l.remaining, l.cost_left from lots l"  # noqa: S608
        " where l.shard = $1 and l.account_id = any($2::int[]) and l.open order by l.lot",
        shard,
        list(account_ids),
    )


async def list_lots(
    tx: Tx,
    *,
    shard: int,
    accounts: Sequence[tuple[int, int, int]],
    last: int,
    adds: Sequence[str],
) -> list[Record]:
    """Lots that some accounts had opened up to a sequence number, by number, as they were then.

    accounts: (account_id, after, until), the account sequences of the entries to look under: a lot
    is opened together with an entry of its account. adds: movements that add to a lot; all others
    take. Dates are the present ones.
    """
    return await tx.fetch(
        "with opened as (select distinct e.sequence"  # noqa: S608
        "  from unnest($2::int[], $3::int[], $4::int[]) as u (account_id, after, until)"
        "  cross join lateral (select t.sequence from entries t where t.shard = $1"
        "   and t.account_id = u.account_id and t.account_sequence > u.after"
        "   and t.account_sequence <= u.until offset 0) as e)"
        f" select {_LOT_COLUMNS}, l.account_id, m.remaining, m.cost_left"
        " from opened as o"
        " cross join lateral (select * from lots t where t.shard = $1"
        "  and t.lot >= o.sequence * 4096 and t.lot < (o.sequence + 1) * 4096"
        "  and t.account_id = any($2::int[]) offset 0) as l"
        " cross join lateral (select"
        "   (case when l.parent is null then l.amount else 0 end + coalesce(sum("
        "    case when c.what = any($6::text[]) then c.amount else -c.amount end), 0))::bigint"
        "    as remaining,"
        "   (case when l.parent is null then l.cost_rial else 0 end + coalesce(sum("
        "    case when c.what = any($6::text[]) then c.cost_rial else -c.cost_rial end), 0)"
        "    )::bigint as cost_left"
        "  from consumptions c where c.shard = $1 and c.lot = l.lot and c.sequence <= $5) as m"
        " where l.lot < ($5::bigint + 1) * 4096 order by l.lot",
        shard,
        *arrays(accounts, 3),
        last,
        list(adds),
    )


async def list_dates(tx: Tx, *, shard: int, lots: Sequence[int], last: int) -> list[Record]:
    """The last change up to a number, of lots whose dates ever changed; sequence null: none yet."""
    return await tx.fetch(
        "select u.lot, b.sequence, b.available_from, b.expires_at from unnest($2::bigint[])"
        " as u (lot)"
        " cross join lateral (select t.lot from lot_dates t where t.shard = $1 and t.lot = u.lot"
        "  limit 1) as any_change"
        " left join lateral (select t.sequence, t.available_from, t.expires_at from lot_dates t"
        "  where t.shard = $1 and t.lot = u.lot and t.sequence <= $3"
        "  order by t.sequence desc limit 1) as b on true",
        shard,
        list(lots),
        last,
    )


async def list_holds(tx: Tx, *, shard: int, owner: int, last: int, at: datetime) -> list[Record]:
    """Holds of an account at a number that were neither resolved nor due: lots and amounts."""
    return await tx.fetch(
        "select h.lots, h.amounts from holds h where h.shard = $1 and h.owner = $2"
        " and h.hold <= $3 and h.due_at > $4 and (h.resolved_by is null or h.resolved_by > $3)"
        " order by h.hold",
        shard,
        owner,
        last,
        at,
    )


async def list_sends(tx: Tx, *, shard: int, owner: int, last: int) -> list[Record]:
    """Value that an account had sent up to a number and not got back by then.

    received: the receipt's number, null where none came. by: a time not before its decision.
    is_filled: it opened lots; otherwise it was a refusal.
    """
    return await tx.fetch(
        "select s.sequence, s.to_shard, r.sequence as received, c.decided_at as by,"
        " f.lot is not null as is_filled from sends s"
        " left join lateral (select o.sequence from outcomes o where o.shard = s.to_shard"
        "  and o.name = 'r.' || s.shard || '.' || s.sequence limit 1) as r on true"
        " left join lateral (select t.decided_at from leaves t where t.shard = s.to_shard"
        "  and t.first <= r.sequence order by t.first desc limit 1) as c on true"
        " left join lateral (select t.lot from lots t where t.shard = s.to_shard"
        "  and t.lot >= r.sequence * 4096 and t.lot < (r.sequence + 1) * 4096 limit 1) as f on true"
        " where s.shard = $1 and s.owner = $2 and s.sequence <= $3"
        " and not exists (select from outcomes b where b.shard = s.shard"
        "  and b.name = 'b.' || s.shard || '.' || s.sequence and b.sequence <= $3)"
        " order by s.sequence",
        shard,
        owner,
        last,
    )


async def find_lot(tx: Tx, shard: int, lot: int) -> Record | None:
    """One lot as it is now, with its owner."""
    return await tx.fetchrow(
        f"select {_LOT_COLUMNS}, l.account_id, l.remaining, l.cost_left, l.held, a.owner"  # noqa: S608
        " from lots l"
        " join accounts a on a.shard = l.shard and a.account_id = l.account_id"
        " where l.shard = $1 and l.lot = $2",
        shard,
        lot,
    )


async def list_consumptions(
    tx: Tx, *, shard: int, lot: int, after: tuple[int, int], last: int, limit: int
) -> list[Record]:
    """Movements of a lot up to a sequence number, in order. after: (sequence, ordinal)."""
    return await tx.fetch(
        "select sequence, ordinal, what, amount, cost_rial, claim_rial, fee_rial, issuer, acceptor,"
        " merchant, original_sequence, original_ordinal from consumptions"
        " where shard = $1 and lot = $2 and (sequence, ordinal) > ($3, $4) and sequence <= $5"
        " order by sequence, ordinal limit $6",
        shard,
        lot,
        *after,
        last,
        limit,
    )


async def list_entries_down(
    tx: Tx, *, account: tuple[int, int], after: int, before: int, sign: int, limit: int
) -> list[Record]:
    """Entries of (shard, account_id), newest first. sign: 1 credits, -1 debits, 0 both."""
    return await tx.fetch(
        "select sequence, account_sequence, line, amount, balance from entries"
        " where shard = $1 and account_id = $2 and account_sequence > $3 and account_sequence < $4"
        " and ($5 = 0 or sign(amount) = $5) order by account_sequence desc limit $6",
        *account,
        after,
        before,
        sign,
        limit,
    )


async def list_entries_up(
    tx: Tx, *, account: tuple[int, int], after: int, before: int, sign: int, limit: int
) -> list[Record]:
    """As list_entries_down, oldest first."""
    return await tx.fetch(
        "select sequence, account_sequence, line, amount, balance from entries"
        " where shard = $1 and account_id = $2 and account_sequence > $3 and account_sequence < $4"
        " and ($5 = 0 or sign(amount) = $5) order by account_sequence limit $6",
        *account,
        after,
        before,
        sign,
        limit,
    )


async def find_entry(tx: Tx, *, shard: int, account_id: int, number: int) -> Record | None:
    """One entry of an account by its number there."""
    return await tx.fetchrow(
        "select sequence, account_sequence, line, amount, balance from entries"
        " where shard = $1 and account_id = $2 and account_sequence = $3",
        shard,
        account_id,
        number,
    )


async def list_numbered_accounts(tx: Tx, shard: int, numbers: Sequence[int]) -> list[Record]:
    """Natural keys of accounts by number."""
    return await tx.fetch(
        "select a.account_id, a.owner, a.role, a.unit, a.counterparty"
        " from unnest($2::int[]) as u (account_id)"
        " cross join lateral (select t.account_id, t.owner, t.role, t.unit, t.counterparty"
        "  from accounts t where t.shard = $1 and t.account_id = u.account_id limit 1) as a",
        shard,
        list(numbers),
    )
