"""All the SQL of daily totals."""

from collections.abc import Mapping, Sequence
from datetime import date

from kit.base.db import Record, Tx
from merchants.daily_totals.domain import COUNTED, DailyTotals


async def lock_progress(tx: Tx, shards: Sequence[int]) -> dict[int, int]:
    """Sequence up to which each shard was counted, locked in order; 0 for one never seen."""
    progress = await _lock_known(tx, shards)
    if len(progress) < len(set(shards)):  # there must be a row to lock
        await tx.execute(
            "insert into daily_totals_progress (shard, sequence)"
            " select s.shard, 0 from unnest($1::int[]) as s (shard) order by s.shard"
            " on conflict (shard) do nothing",
            sorted(set(shards) - progress.keys()),
        )
        progress = await _lock_known(tx, shards)
    return progress


async def _lock_known(tx: Tx, shards: Sequence[int]) -> dict[int, int]:
    rows = await tx.fetch(
        "select shard, sequence from daily_totals_progress where shard = any($1::int[])"
        " order by shard for no key update",
        sorted(shards),
    )
    return {row["shard"]: row["sequence"] for row in rows}


async def update_progress(tx: Tx, reached: Mapping[int, int]) -> None:
    """Write how far each shard was counted; it never falls."""
    shards = sorted(reached)
    await tx.execute(
        "update daily_totals_progress p set sequence = u.sequence"
        " from unnest($1::int[], $2::bigint[]) as u (shard, sequence)"
        " where p.shard = u.shard and p.sequence < u.sequence",
        shards,
        [reached[shard] for shard in shards],
    )


async def upsert_totals(tx: Tx, parts: Sequence[DailyTotals]) -> None:
    """Add to days; parts: one a merchant and day, in key order."""
    await tx.execute(
        "insert into daily_totals as t (merchant, day, transactions_count, amount_rial,"
        " refunds_count, refunded_rial, earned_points, redeemed_points, returned_points,"
        " restored_points)"
        " select u.merchant, u.day, u.a, u.b, u.c, u.d, u.e, u.f, u.g, u.h"
        " from unnest($1::int[], $2::date[], $3::bigint[], $4::numeric[], $5::bigint[],"
        " $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[])"
        " as u (merchant, day, a, b, c, d, e, f, g, h)"
        " on conflict (merchant, day) do update set"
        " transactions_count = t.transactions_count + excluded.transactions_count,"
        " amount_rial = t.amount_rial + excluded.amount_rial,"
        " refunds_count = t.refunds_count + excluded.refunds_count,"
        " refunded_rial = t.refunded_rial + excluded.refunded_rial,"
        " earned_points = t.earned_points + excluded.earned_points,"
        " redeemed_points = t.redeemed_points + excluded.redeemed_points,"
        " returned_points = t.returned_points + excluded.returned_points,"
        " restored_points = t.restored_points + excluded.restored_points",
        [p.merchant for p in parts],
        [p.day for p in parts],
        [p.transactions_count for p in parts],
        [p.amount_rial for p in parts],
        [p.refunds_count for p in parts],
        [p.refunded_rial for p in parts],
        [p.earned_points for p in parts],
        [p.redeemed_points for p in parts],
        [p.returned_points for p in parts],
        [p.restored_points for p in parts],
    )


async def list_totals(
    tx: Tx, merchant: int, *, first: date, last: date, limit: int
) -> list[DailyTotals]:
    """A merchant's days from first to last, both included, that had anything, in order."""
    rows = await tx.fetch(
        "select merchant, day, transactions_count, amount_rial, refunds_count, refunded_rial,"
        " earned_points, redeemed_points, returned_points, restored_points from daily_totals"
        " where merchant = $1 and day between $2 and $3 order by day limit $4",
        merchant,
        first,
        last,
        limit,
    )
    return [_totals(row) for row in rows]


def _totals(row: Record) -> DailyTotals:
    """Sums are numeric: a day's may be beyond 2^63, and its integers are exact (findings S15)."""
    counted = {name: int(row[name]) for name in COUNTED}
    return DailyTotals(merchant=row["merchant"], day=row["day"], **counted)
