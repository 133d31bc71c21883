"""SQL that reads the log: names, chunks of leaves, tree nodes, shards' last sequences."""

from collections.abc import Sequence
from datetime import datetime

from kit.base.db import Record, Tx
from ledger.tables.columns import arrays, literal, quoted

ShardName = tuple[int, str]
ShardNumber = tuple[int, int]


async def begin_snapshot(tx: Tx) -> None:
    """Make this transaction read one snapshot; must come first."""
    await tx.execute("set transaction isolation level repeatable read")


async def find_outcomes(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """Known names among these; one probe each, so that no plan scans a shard."""
    return await tx.fetch(
        "select u.shard, u.name, o.sequence, o.fingerprint"
        " from unnest((select $1::text::smallint[]), $2::text::text[]) as u (shard, name)"
        " cross join lateral (select t.sequence, t.fingerprint from outcomes t"
        "  where t.shard = u.shard and t.name = u.name limit 1) as o",
        literal([shard for shard, _ in names]),
        quoted([name for _, name in names]),
    )


async def list_shards(tx: Tx) -> list[Record]:
    """Every shard: last sequence number, decision time, the log's peaks."""
    return await tx.fetch(
        "select shard, last_sequence, decided_at, peaks from shards order by shard"
    )


async def find_shard(tx: Tx, shard: int) -> Record | None:
    """One shard as list_shards has it."""
    return await tx.fetchrow(
        "select shard, last_sequence, decided_at, peaks from shards where shard = $1", shard
    )


async def list_chunk_ends(tx: Tx, places: Sequence[tuple[int, int]]) -> list[Record]:
    """Of the chunk that holds each (shard, sequence): first, count, decided_at; not the leaves."""
    return await tx.fetch(
        "select u.place, c.first, c.count, c.decided_at"
        " from unnest($1::smallint[], $2::bigint[]) with ordinality as u (shard, sequence, place)"
        " cross join lateral (select l.first, l.count, l.decided_at from leaves l"
        "  where l.shard = u.shard and l.first <= u.sequence order by l.first desc limit 1) as c"
        " order by u.place",
        [shard for shard, _ in places],
        [sequence for _, sequence in places],
    )


async def list_chunks(tx: Tx, shard: int, first: int, last: int) -> list[Record]:
    """Chunks that hold sequence numbers first to last of a shard, in order."""
    return await tx.fetch(
        "select l.first, l.count, l.packed from leaves l where l.shard = $1 and l.first <= $3"
        " and l.first >= coalesce((select b.first from leaves b where b.shard = $1"
        "  and b.first <= $2 order by b.first desc limit 1), $2) order by l.first",
        shard,
        first,
        last,
    )


async def list_nodes(tx: Tx, shard: int, subtrees: Sequence[tuple[int, int]]) -> list[Record]:
    """Hashes of stored subtrees, each named (level, number)."""
    return await tx.fetch(
        "select u.level, u.number, n.hash from unnest($2::smallint[], $3::bigint[])"
        " as u (level, number) cross join lateral (select t.hash from nodes t"
        "  where t.shard = $1 and t.level = u.level and t.number = u.number limit 1) as n",
        shard,
        [level for level, _ in subtrees],
        [number for _, number in subtrees],
    )


async def list_chunks_at(tx: Tx, places: Sequence[ShardNumber]) -> list[Record]:
    """Chunks of the log, each once, that hold these sequence numbers of these shards."""
    return await tx.fetch(
        "select u.shard, c.first, t.packed from (select w.shard, w.sequence, ("
        "   select l.first from leaves l where l.shard = w.shard and l.first <= w.sequence"
        "   order by l.first desc limit 1) as first"
        "  from unnest($1::smallint[], $2::bigint[]) as w (shard, sequence)) as u"
        " cross join lateral (select u.first) as c"
        " cross join lateral (select l.packed from leaves l"
        "  where l.shard = u.shard and l.first = c.first limit 1) as t",
        *arrays(places, 2),
    )


async def get_decided_at(tx: Tx, shard: int) -> datetime:
    """Decision time of a shard that has decided something."""
    at: datetime = await tx.fetchval("select decided_at from shards where shard = $1", shard)
    return at
