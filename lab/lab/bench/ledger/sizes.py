"""Bytes of tables and indexes: what is in a database, and what a command adds."""

import re
from collections import defaultdict
from typing import Any, Final

import msgspec

from lab.bench.ledger.place import Place


class Bytes(msgspec.Struct, frozen=True):
    """Bytes of tables (with TOAST) and of indexes; partitions count as their parent."""

    tables: dict[str, int]
    indexes: dict[str, int]

    @property
    def total(self) -> int:
        """All together."""
        return sum(self.tables.values()) + sum(self.indexes.values())


async def bytes_of(place: Place, database: str, *, checkpoint: bool = False) -> Bytes:
    """What is in a database."""
    async with place.superuser(database) as connection:
        if checkpoint:
            await connection.execute("checkpoint")
        tables = await connection.fetch(_TABLES)
        indexes = await connection.fetch(_INDEXES)
    return Bytes(
        {row["name"]: int(row["bytes"]) for row in tables},
        {row["name"]: int(row["bytes"]) for row in indexes},
    )


def grown(before: Bytes, after: Bytes, commands: int) -> dict[str, Any]:
    """Bytes a command, in all and by table and index, what grew most first.

    Outbox rows are gone within milliseconds and their space is used again after the next vacuum:
    what their file had grown to is told apart.
    """
    tables = {n: (size - before.tables.get(n, 0)) / commands for n, size in after.tables.items()}
    indexes = {n: (size - before.indexes.get(n, 0)) / commands for n, size in after.indexes.items()}
    lasting = {n: size for n, size in tables.items() if not n.startswith(_PASSING)}
    on_them: dict[str, float] = defaultdict(float)
    for name, size in indexes.items():
        if not name.startswith(_PASSING):
            on_them[_named(name)] += size
    passing = sum(tables.values()) + sum(indexes.values())
    total = sum(lasting.values()) + sum(on_them.values())
    return {
        "per_command": round(total),
        "tables": _largest(lasting),
        "indexes": _largest(on_them),
        "outbox_until_vacuum": round(passing - total),
    }


def _largest(sizes: dict[str, float]) -> dict[str, float]:
    rows = sorted(sizes.items(), key=lambda row: -row[1])
    return {name: round(size, 1) for name, size in rows if round(size, 1)}


def _named(index: str) -> str:
    """An index without the numbers of its partition: shard and range."""
    return re.sub(r"_\d+_\d+_", "_", index)


_PASSING: Final = "outbox_"


_TABLES: Final = """
select coalesce(p.relname, c.relname) as name, sum(pg_table_size(c.oid))::bigint as bytes
from pg_class c left join pg_inherits i on i.inhrelid = c.oid
    left join pg_class p on p.oid = i.inhparent
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
group by 1
"""
_INDEXES: Final = """
select coalesce(p.relname, x.relname) as name, sum(pg_relation_size(x.oid))::bigint as bytes
from pg_index n join pg_class x on x.oid = n.indexrelid
    left join pg_inherits i on i.inhrelid = x.oid left join pg_class p on p.oid = i.inhparent
where x.relkind = 'i' and x.relnamespace = 'public'::regnamespace
group by 1
"""
