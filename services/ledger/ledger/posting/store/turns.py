"""SQL of accounts with more open lots than a batch reads: the next in turn, and sums of the rest.

A place in the order of consumption is (expires_at, born_at, lot); no expiry is UNSET_TIME. since,
until: decision times that a batch may reach, of the shard.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.values import UNSET_TIME
from kit.base.db import Record, Tx
from ledger.book.facts import Turn
from ledger.tables.columns import arrays, literal
from ledger.tables.lots import SELECTED

Account = tuple[int, int, datetime, datetime]  # shard, account_id, since, until

_USABLE: Final = (
    " l.shard = u.shard and l.account_id = u.account_id and l.open and l.remaining > l.held"
    " and l.available_from <= u.since and (l.expires_at is null or l.expires_at > u.until)"
)
_BEHIND: Final = (
    " l.shard = u.shard and l.account_id = u.account_id and l.open"
    " and (coalesce(l.expires_at, $10), l.born_at, l.lot) > (u.expires_at, u.born_at, u.lot)"
    " and l.lot <> all(u.named::bigint[]) and l.lot <> all(held.lots)"
)
_ACCOUNTS: Final = "unnest((select $1::smallint[]), $2::int[], $3::timestamptz[], $4::timestamptz[]"


async def list_next(
    tx: Tx, accounts: Sequence[tuple[Account, Turn, Sequence[int]]], unset: datetime = UNSET_TIME
) -> list[Record]:
    """Lots behind a place of each account, up to the first that is left when all debits are paid.

    accounts: each with that place and its debits. A debit of more than the account has will be
    declined, so it takes nothing. Columns: shard, account_id, owner, then those of LOT.
    """
    return await tx.fetch(
        f"select u.shard, u.account_id, a.owner, {SELECTED}"  # noqa: S608
        f" from {_ACCOUNTS}, $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::text[])"
        "  as u (shard, account_id, since, until, expires_at, born_at, lot, debits)"
        " join accounts a on a.shard = u.shard and a.account_id = u.account_id"
        " cross join lateral (select coalesce(sum(l.remaining - l.held), 0) as rial from lots l"
        f"  where {_USABLE}) as s"
        " cross join lateral (select coalesce(sum(d), 0) as rial"
        "  from unnest(u.debits::bigint[]) as d where d <= s.rial) as w"
        " cross join lateral (select o.expires_at, o.born_at, o.lot from ("
        "   select l.expires_at, l.born_at, l.lot, sum(l.remaining - l.held) over ("
        "    order by l.expires_at, l.born_at, l.lot) - (l.remaining - l.held) as before"
        f"   from lots l where {_USABLE}) as o where o.before <= w.rial"
        "  order by o.expires_at desc nulls first, o.born_at desc, o.lot desc limit 1) as f"
        " cross join lateral (select * from lots l where l.shard = u.shard"
        "  and l.account_id = u.account_id and l.open and (coalesce(l.expires_at, $9), l.born_at,"
        "  l.lot) > (u.expires_at, u.born_at, u.lot) and (coalesce(l.expires_at, $9), l.born_at,"
        "  l.lot) <= (coalesce(f.expires_at, $9), f.born_at, f.lot) offset 0) as t",
        *arrays([account for account, _, _ in accounts], 4),
        *arrays([place for _, place, _ in accounts], 3),
        [literal(debits) for _, _, debits in accounts],
        unset,
    )


async def list_of_issuers(
    tx: Tx, issuers: Sequence[tuple[int, int, datetime, datetime, int, int]]
) -> list[Record]:
    """Lots of one issuer that pay a debit: (account, issuer, amount) each.

    Columns: place from 1, lot, expires_at, born_at, is_last (the issuer has no more usable lots).
    """
    return await tx.fetch(
        "select u.place, o.lot, o.expires_at, o.born_at, o.up_to = o.whole as is_last"  # noqa: S608
        f" from {_ACCOUNTS}, $5::int[], $6::bigint[]) with ordinality"
        "  as u (shard, account_id, since, until, issuer, amount, place)"
        " cross join lateral (select l.lot, l.expires_at, l.born_at, l.remaining - l.held as free,"
        "  sum(l.remaining - l.held) over (order by l.expires_at, l.born_at, l.lot) as up_to,"
        "  sum(l.remaining - l.held) over () as whole"
        f"  from lots l where {_USABLE} and l.issuer = u.issuer) as o"
        " where o.up_to - o.free < u.amount order by u.place, o.up_to",
        *arrays(issuers, 6),
    )


async def list_rests(
    tx: Tx,
    accounts: Sequence[tuple[Account, int, Turn, datetime | None, Sequence[int]]],
    unset: datetime = UNSET_TIME,
) -> list[Record]:
    """Sums and exceptional lots behind a place of each account, without some lots read already.

    accounts: each with its owner, that place, the end of its day, and those lots. Columns: place
    from 1; soon: what is usable before the end of the day; pending, past: what is so for all the
    batch; dated: whether anything has a date; loud (thrice) and held: lots that slide, that become
    usable or past their date between since and until, or that a hold reserves. An index of its own
    finds each of these.
    """
    return await tx.fetch(
        "select u.place, coalesce(soon.amount, 0)::bigint, coalesce(waiting.amount, 0)::bigint,"  # noqa: S608
        " coalesce(past.amount, 0)::bigint, dated.found, waiting.loud, past.loud, sliding.loud,"
        " held.lots from"
        f" {_ACCOUNTS}, $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::timestamptz[],"
        "  $9::text[], $11::bigint[]) with ordinality as u (shard, account_id, since, until,"
        "  expires_at, born_at, lot, soon_until, named, owner, place)"
        " cross join lateral (select coalesce(array_agg(n), '{}') as lots"
        "  from holds h, unnest(h.lots) as n where h.shard = u.shard and h.owner = u.owner"
        "  and h.resolution = '') as held"
        " cross join lateral (select sum(l.remaining) as amount from lots l"
        f"  where {_BEHIND} and l.expires_at >= u.expires_at and l.expires_at < u.soon_until"
        "  and l.expires_at > u.until and l.available_from <= u.since and l.sliding_days = 0)"
        "  as soon"
        " cross join lateral (select"
        "  sum(l.remaining) filter (where l.available_from > u.until or l.available_from is null)"
        "   as amount,"
        "  array_agg(l.lot) filter (where l.available_from <= u.until) as loud from lots l"
        f"  where {_BEHIND} and l.waits"
        "  and (l.available_from > u.since or l.available_from is null)"
        "  and (l.expires_at > u.until or l.expires_at is null) and l.sliding_days = 0) as waiting"
        " cross join lateral (select"
        "  sum(l.remaining) filter (where l.expires_at <= u.since) as amount,"
        "  array_agg(l.lot) filter (where l.expires_at > u.since) as loud from lots l"
        f"  where {_BEHIND} and l.expires_at >= u.expires_at and l.expires_at <= u.until"
        "  and l.sliding_days = 0) as past"
        " cross join lateral (select array_agg(l.lot) as loud from lots l"
        f"  where {_BEHIND} and l.sliding_days > 0) as sliding"
        " cross join lateral (select exists (select from lots l"
        f"  where {_BEHIND} and l.expires_at >= u.expires_at) as found) as dated",
        *arrays([account for account, *_ in accounts], 4),
        *arrays([place for _, _, place, *_ in accounts], 3),
        [until for *_, until, _ in accounts],
        [literal(lots) for *_, lots in accounts],
        unset,
        [owner for _, owner, *_ in accounts],
    )


async def list_costs(tx: Tx, accounts: Sequence[Account], *, most: int | None) -> list[Record]:
    """Sums of the first usable lots, at most so many.

    Columns: place from 1, the amount that can be spent of them, the least Rial that one of it
    costs, rounding apart, and their number.
    """
    return await tx.fetch(
        "select u.place, coalesce(sum(o.remaining - o.held), 0)::bigint,"  # noqa: S608
        " coalesce(min((o.cost_left + 1)::float8 / o.remaining), 0), count(o.lot)"
        f" from {_ACCOUNTS}) with ordinality as u (shard, account_id, since, until, place)"
        f" cross join lateral (select * from lots l where {_USABLE}"
        "  order by l.expires_at, l.born_at, l.lot limit $5) as o group by u.place",
        *arrays(accounts, 4),
        most,
    )
