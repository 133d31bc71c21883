"""All the SQL of additions: how many a day, to which account and under which key."""

from collections.abc import Mapping, Sequence
from datetime import date

from kit.base.db import Tx


async def lock_counts(tx: Tx, whose: Sequence[str], day: date) -> dict[str, int]:
    """Additions of a day so far, locked until the transaction ends; whose: sorted, each once."""
    await tx.execute(
        "insert into additions (whose, day, count) select u.whose, $2, 0"
        " from unnest($1::text[]) with ordinality as u (whose, place) order by u.place"
        " on conflict do nothing",
        whose,
        day,
    )
    rows = await tx.fetch(
        "select whose, count from additions where day = $2 and whose = any($1::text[])"
        " order by whose for update",
        whose,
        day,
    )
    return {row["whose"]: row["count"] for row in rows}


async def update_counts(tx: Tx, counts: Mapping[str, int], day: date) -> None:
    """Write a day's counts."""
    await tx.execute(
        "update additions a set count = u.count from unnest($1::text[], $2::int[])"
        " as u (whose, count) where a.day = $3 and a.whose = u.whose",
        list(counts),
        list(counts.values()),
        day,
    )


async def find_parties(tx: Tx, accounts: Sequence[int]) -> dict[int, int]:
    """The party that each account was opened under, 0: the network; of those that exist."""
    rows = await tx.fetch(
        "select account, party from accounts where account = any($1::bigint[])", accounts
    )
    return {row["account"]: row["party"] for row in rows}
