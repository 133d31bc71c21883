"""SQL of the log for readings: chunks of leaves, tree nodes, how far each shard came."""

from collections.abc import Sequence

from kit.db import Record, Tx


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
