"""All the SQL of days; sums are numeric, for a day may be worth more than 2^63 Rial."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from fraud.rules.domain import Counted, Subject
from fraud.sums.domain import Daily, DayKey
from kit.base.db import Tx

DAYS_READ: Final = 3  # back from the newest: days that a late poll may still need
DAYS_READ_MAX: Final = 10_000  # rows


async def upsert_sums(tx: Tx, parts: Mapping[DayKey, Daily]) -> dict[DayKey, Daily]:
    """Add to days, parts in key order; gives the days as they are now."""
    keys = list(parts)
    rows = await tx.fetch(
        "insert into day_sums as s (over, number, day, sold_rial, redeemed_rial)"
        " select * from unnest($1::text[], $2::int[], $3::date[], $4::numeric[], $5::numeric[])"
        " on conflict (over, number, day) do update set"
        " sold_rial = s.sold_rial + excluded.sold_rial,"
        " redeemed_rial = s.redeemed_rial + excluded.redeemed_rial"
        " returning over, number, day, sold_rial, redeemed_rial",
        [over.value for over, _, _ in keys],
        [number for _, number, _ in keys],
        [day for _, _, day in keys],
        [parts[key].sold_rial for key in keys],
        [parts[key].redeemed_rial for key in keys],
    )
    return {
        (Subject(over), number, day): Daily(sold_rial=int(sold), redeemed_rial=int(redeemed))
        for over, number, day, sold, redeemed in rows
    }


async def find_large(
    tx: Tx, thresholds: Mapping[tuple[Subject, Counted], int]
) -> dict[DayKey, Daily]:
    """Recent days above a threshold; thresholds: in Rial, by subject and counted events."""
    keys = list(thresholds)
    rows = await tx.fetch(
        "select s.over, s.number, s.day, s.sold_rial, s.redeemed_rial from day_sums s"
        " where s.day > (select max(day) from day_sums) - $1::int"
        " and exists (select from unnest($3::text[], $4::text[], $5::numeric[])"
        "  as u (over, counts, rial) where u.over = s.over and u.rial <"
        "  case u.counts when 'purchases' then s.sold_rial else s.redeemed_rial end)"
        " order by s.day desc, s.over, s.number limit $2",
        DAYS_READ,
        DAYS_READ_MAX,
        [over.value for over, _ in keys],
        [counts.value for _, counts in keys],
        list(thresholds.values()),
    )
    return {
        (Subject(over), number, day): Daily(sold_rial=int(sold), redeemed_rial=int(redeemed))
        for over, number, day, sold, redeemed in rows
    }


async def delete_sums(tx: Tx, before: date, limit: int) -> int:
    """Forget days before one, limit at most; gives how many."""
    done = await tx.execute(
        "delete from day_sums where (over, number, day) in"
        " (select over, number, day from day_sums where day < $1 limit $2)",
        before,
        limit,
    )
    return int(done.rpartition(" ")[2])
