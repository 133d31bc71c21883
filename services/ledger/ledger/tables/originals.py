"""The stored progress of originals: what later commands undid of them."""

from collections.abc import Sequence

from kit.base.db import Record, Tx
from ledger.book.facts import Progress
from ledger.tables.columns import arrays

ShardName = tuple[int, str]


async def find_originals(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """As lock_originals, for readings."""
    return await tx.fetch(
        "select t.shard, t.name, t.refunded, t.is_full, t.is_reversed, t.verdict"
        " from originals t join unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " on t.shard = u.shard and t.name = u.name",
        *arrays(names, 2),
    )


def progress_of(record: Record) -> Progress:
    """A row of lock_originals as a value."""
    return Progress(
        tuple(record["refunded"]), record["is_full"], record["is_reversed"], record["verdict"]
    )
