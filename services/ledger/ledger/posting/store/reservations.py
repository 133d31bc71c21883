"""SQL of holds: standing ones, those that a batch placed or resolved, due ones."""

from collections.abc import Sequence
from datetime import datetime

from kit.base.db import Record, Tx
from ledger.book.facts import Hold
from ledger.tables.columns import Rows, arrays


async def list_standing(tx: Tx, owners: Sequence[tuple[int, int]]) -> list[Record]:
    """Unresolved holds of some (shard, owner), due or not."""
    return await tx.fetch(
        "select u.shard, u.owner, t.hold, t.name, t.due_at, t.lots, t.amounts"
        " from unnest($1::smallint[], $2::bigint[]) as u (shard, owner)"
        " cross join lateral (select * from holds h where h.shard = u.shard"
        "  and h.owner = u.owner and h.resolution = '' offset 0) as t order by 1, 3",
        *arrays(owners, 2),
    )


def hold_of(record: Record) -> Hold:
    """A row of list_standing as a value."""
    _, owner, hold, name, due_at, lots, amounts = record
    return Hold(hold, owner, name, due_at, tuple(zip(lots, amounts, strict=True)))


async def insert_holds(tx: Tx, rows: Rows) -> None:
    """(shard, hold, owner, name, due_at, lots, amounts); the last two as array literals."""
    await tx.execute(
        "insert into holds (shard, hold, owner, name, due_at, resolution, lots, amounts)"
        " select u.shard, u.hold, u.owner, u.name, u.due_at, '', u.lots::bigint[],"
        " u.amounts::bigint[] from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[],"
        " $5::timestamptz[], $6::text[], $7::text[])"
        " as u (shard, hold, owner, name, due_at, lots, amounts)",
        *arrays(rows, 7),
    )


async def resolve_holds(tx: Tx, rows: Rows) -> int:
    """(shard, hold, resolution, resolved_by); gives how many of them were standing."""
    resolved = await tx.fetch(
        "update holds h set resolution = u.resolution, resolved_by = u.resolved_by"
        " from unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[])"
        " as u (shard, hold, resolution, resolved_by)"
        " where h.shard = u.shard and h.hold = u.hold and h.resolution = '' returning h.hold",
        *arrays(rows, 4),
    )
    return len(resolved)


async def update_lots(tx: Tx, rows: Rows) -> int:
    """(shard, lot, remaining, cost_left, lapsed, held, available_from, expires_at) of lots that
    holds or dates changed; gives how many there are.
    """
    updated = await tx.fetch(
        "update lots s set remaining = u.remaining, cost_left = u.cost_left, lapsed = u.lapsed,"
        " held = u.held, available_from = u.available_from, expires_at = u.expires_at,"
        " open = u.remaining > 0 from unnest($1::smallint[], $2::bigint[], $3::bigint[],"
        " $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::timestamptz[])"
        " as u (shard, lot, remaining, cost_left, lapsed, held, available_from, expires_at)"
        " where s.shard = u.shard and s.lot = u.lot returning s.lot",
        *arrays(rows, 8),
    )
    return len(updated)


async def list_due(
    tx: Tx, after: Sequence[tuple[int, datetime, int]], *, now: datetime, limit: int
) -> list[Record]:
    """Standing holds that are due, at most limit a shard, oldest first.

    after: (shard, due_at, hold) of each shard, where to go on.
    """
    return await tx.fetch(
        "select c.shard, d.due_at, d.hold, d.owner"
        " from unnest($1::smallint[], $2::timestamptz[], $3::bigint[]) as c (shard, at, hold)"
        " cross join lateral (select h.due_at, h.hold, h.owner from holds h"
        "  where h.shard = c.shard and h.resolution = '' and h.due_at <= $4"
        "  and (h.due_at, h.hold) > (c.at, c.hold) order by h.due_at, h.hold limit $5) as d"
        " order by c.shard, d.due_at, d.hold",
        *arrays(after, 3),
        now,
        limit,
    )
