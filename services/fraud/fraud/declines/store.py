"""All the SQL of declines; screening reads and closes the open ones with its windows."""

from collections.abc import Sequence
from datetime import datetime

from fraud.declines.domain import Declined
from fraud.screening.domain.decisions import Key
from fraud.screening.domain.windows import Gone
from kit.base.db import Tx


async def insert_withdrawals(tx: Tx, gone: Sequence[tuple[Declined, Key, Gone]]) -> set[Key]:
    """Write withdrawals down, once for each name and key; gives the (shard, name) that are new."""
    rows = await tx.fetch(
        "insert into withdrawals (shard, name, key, series, at, amount_rial, merchant, heard_at)"
        " select * from unnest($1::int[], $2::text[], $3::text[], $4::smallint[], $5::bigint[],"
        "  $6::bigint[], $7::int[], $8::timestamptz[])"
        " on conflict do nothing returning shard, name",
        [declined.shard for declined, *_ in gone],
        [declined.name for declined, *_ in gone],
        [key for _, (_, key), _ in gone],
        [event.which for *_, event in gone],
        [event.at for *_, event in gone],
        [event.amount_rial for *_, event in gone],
        [event.merchant for *_, event in gone],
        [declined.declined_at for declined, *_ in gone],
    )
    return {(shard, name) for shard, name in rows}


async def insert_early(tx: Tx, declines: Sequence[Declined]) -> None:
    """Remember names that were declined before the road decided them: no key, nothing open."""
    await tx.execute(
        "insert into withdrawals (shard, name, key, series, at, amount_rial, merchant, heard_at,"
        " applied) select shard, name, '', 0, 0, 0, 0, heard_at, true"
        " from unnest($1::int[], $2::text[], $3::timestamptz[]) as u (shard, name, heard_at)"
        " on conflict do nothing",
        [declined.shard for declined in declines],
        [declined.name for declined in declines],
        [declined.declined_at for declined in declines],
    )


async def find_early(tx: Tx, names: Sequence[Key]) -> dict[Key, datetime]:
    """Which (shard, name) were declined before they were decided, and when."""
    rows = await tx.fetch(
        "select w.shard, w.name, w.heard_at from unnest($1::int[], $2::text[]) as k (shard, name)"
        " join withdrawals w on w.shard = k.shard and w.name = k.name and w.key = ''",
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    return {(shard, name): at for shard, name, at in rows}


async def delete_withdrawals(tx: Tx, before: datetime, limit: int) -> int:
    """Forget declines from before a time, limit at most; gives how many."""
    done = await tx.execute(
        "delete from withdrawals where (shard, name, key) in"
        " (select shard, name, key from withdrawals where heard_at < $1 limit $2)",
        before,
        limit,
    )
    return int(done.rpartition(" ")[2])
