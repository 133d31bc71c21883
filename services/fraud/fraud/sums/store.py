"""All the SQL of days; sums are numeric, for a day may be worth more than 2^63 Rial."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from fraud.screening.domain.rules import Daily, DayKey
from fraud.screening.domain.windows import Counted, Subject
from fraud.sums.domain import Threshold
from kit.db import Tx

DAYS_READ: Final = 3  # back from the newest: what a late poll may still ask about
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


async def find_thresholds(tx: Tx) -> list[Threshold]:
    """What any version of a rule asks about days; also those not in force, which do no harm."""
    rows = await tx.fetch(
        "select body ->> 'over' as over, body ->> 'counts' as counts,"
        " (body ->> 'threshold')::bigint as rial from rule_versions"
        " where body ->> 'over' in ('terminal', 'merchant')"
    )
    return [Threshold(Subject(over), Counted(counts), rial) for over, counts, rial in rows]


async def find_large(tx: Tx) -> dict[DayKey, Daily]:
    """Recent days above the lowest threshold that any version of a rule asks about."""
    rows = await tx.fetch(
        "select s.over, s.number, s.day, s.sold_rial, s.redeemed_rial from day_sums s"
        " where s.day > (select max(day) from day_sums) - $1::int"
        " and exists (select from rule_versions r where r.body ->> 'over' = s.over and"
        "  (r.body ->> 'threshold')::numeric < case r.body ->> 'counts'"
        "   when 'purchases' then s.sold_rial else s.redeemed_rial end)"
        " order by s.day desc, s.over, s.number limit $2",
        DAYS_READ,
        DAYS_READ_MAX,
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
