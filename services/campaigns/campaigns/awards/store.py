"""SQL of decisions: the first output of each name on the road."""

from collections.abc import Sequence
from datetime import datetime

from kit.db import Tx

Name = tuple[int, str]  # shard, text of the name


async def find_outputs(tx: Tx, names: Sequence[Name]) -> dict[Name, bytes]:
    """First outputs of those names that have one."""
    rows = await tx.fetch(
        "select d.shard, d.name, d.output from decisions d"
        " join unnest($1::int[], $2::text[]) as u (shard, name)"
        " on d.shard = u.shard and d.name = u.name",
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    return {(row["shard"], row["name"]): row["output"] for row in rows}


async def copy_decisions(tx: Tx, decisions: Sequence[tuple[int, str, bytes, datetime]]) -> None:
    """Keep (shard, name, output, decided_at) of names that have none yet."""
    await tx.copy("decisions", ("shard", "name", "output", "decided_at"), decisions)


async def delete_decisions(tx: Tx, *, before: datetime, limit: int) -> int:
    """Prune the decisions made before a time, at most limit; gives how many went."""
    done = await tx.execute(
        "delete from decisions where ctid = any(array("
        "select ctid from decisions where decided_at < $1 limit $2))",
        before,
        limit,
    )
    return int(done.rpartition(" ")[2])
