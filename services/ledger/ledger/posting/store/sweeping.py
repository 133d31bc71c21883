"""SQL of what is due: lots past their date, ranges of the book, the database's clock."""

from collections.abc import Sequence
from datetime import datetime

from kit.base.db import Record, Tx
from ledger.tables.columns import arrays


async def list_due_lots(
    tx: Tx, after: Sequence[tuple[int, datetime, int]], *, now: datetime, limit: int
) -> list[Record]:
    """Open, unheld lots past their date, at most limit a shard, oldest first.

    after: (shard, expires_at, lot) of each shard, where to go on.
    """
    return await tx.fetch(
        "select c.shard, d.expires_at, d.lot, a.owner"
        " from unnest($1::smallint[], $2::timestamptz[], $3::bigint[]) as c (shard, at, lot)"
        " cross join lateral (select s.expires_at, s.lot, s.account_id from lots s"
        "  where s.shard = c.shard and s.open and s.expires_at <= $4 and s.held = 0"
        "  and (s.expires_at, s.lot) > (c.at, c.lot) order by s.expires_at, s.lot limit $5) as d"
        " join accounts a on a.shard = c.shard and a.account_id = d.account_id"
        " order by c.shard, d.expires_at, d.lot",
        *arrays(after, 3),
        now,
        limit,
    )


async def extend_ranges(tx: Tx) -> None:
    """Make the next range of every shard that has used half of its last."""
    await tx.execute("select extend_ranges()")


async def get_clock(tx: Tx) -> datetime:
    """The database server's clock: a check on the service's own, never used to decide."""
    now: datetime = await tx.fetchval("select clock_timestamp()")
    return now
