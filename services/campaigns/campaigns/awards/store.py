"""SQL of decisions: the first output of each name on the road."""

from collections.abc import Sequence
from datetime import datetime

from kit.base.db import Tx

Name = tuple[int, str]  # shard, text of the name


async def find_outputs(tx: Tx, names: Sequence[Name]) -> tuple[tuple[int, int], dict[Name, bytes]]:
    """The revisions of programmes and rules, and first outputs of those names that have one.

    One statement: the road asks for both at every poll, and revisions rise a few times a day.
    """
    rows = await tx.fetch(
        "select p.revision as programmes, r.revision as rules, d.shard, d.name, d.output"
        " from programme_revision p cross join rule_revision r"
        " left join (select d.shard, d.name, d.output from unnest($1::int[], $2::text[])"
        "  as u (shard, name) join decisions d on d.shard = u.shard and d.name = u.name) d on true",
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    outputs = {(row["shard"], row["name"]): row["output"] for row in rows if row["name"]}
    return (rows[0]["programmes"], rows[0]["rules"]), outputs


async def insert_decisions(tx: Tx, decisions: Sequence[tuple[int, str, bytes, datetime]]) -> None:
    """Keep (shard, name, output, decided_at) of names that have none yet."""
    await tx.execute(
        "insert into decisions (shard, name, output, decided_at)"
        " select * from unnest($1::int[], $2::text[], $3::bytea[], $4::timestamptz[])",
        *(list(column) for column in zip(*decisions, strict=True)),
    )


async def delete_decisions(tx: Tx, *, before: datetime, limit: int) -> int:
    """Prune the decisions made before a time, at most limit; gives how many went."""
    done = await tx.execute(
        "delete from decisions where ctid = any(array("
        "select ctid from decisions where decided_at < $1 limit $2))",
        before,
        limit,
    )
    return int(done.rpartition(" ")[2])
