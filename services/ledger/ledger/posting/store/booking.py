"""SQL that books a batch: rows that are only added, state that changes, and the log's rows."""

from typing import Final

from kit.base.db import Tx
from ledger.tables.columns import Rows, arrays, literals
from ledger.tables.definitions import (
    ACCOUNTS,
    CONSUMPTIONS,
    ENTRIES,
    LEAVES,
    LOT_DATES,
    LOTS,
    NODES,
    OUTCOMES,
    SENDS,
    Table,
)

COPY_ROWS_MIN: Final = 40


async def insert_book(
    tx: Tx, *, outcomes: Rows, entries: Rows, consumptions: Rows, lots: Rows
) -> None:
    """Add a batch to the book, with the lots it opens; a name twice raises DataError.

    Rows are in the order of their table's columns. COPY costs one more round trip a table, and half
    as much a row.
    """
    few: list[Rows] = []
    for table, rows in zip(_BOOKED, (outcomes, entries, consumptions, lots), strict=True):
        if len(rows) < COPY_ROWS_MIN:
            few.append(rows)
        else:
            await tx.copy(table.name, table.names, rows)
            few.append(())
    if any(few):
        columns = (arrays(rows, table.width) for table, rows in zip(_BOOKED, few, strict=True))
        await tx.execute(_BOOK, *(column for group in columns for column in group))


async def update_state(tx: Tx, *, opened: Rows, moved: Rows, lots: Rows) -> tuple[int, int]:
    """Keep the state that the book adds up to. Gives how many rows of moved and of lots matched.

    opened: new accounts, as in ACCOUNTS. moved: (shard, account_id, entry_count before,
    entry_count, balance). lots: (shard, lot, remaining, cost_left, lapsed), where neither held
    amounts nor dates changed.
    """
    row = await tx.fetchrow(
        _STATE, *arrays(opened, ACCOUNTS.width), *literals(moved, 5), *literals(lots, 5)
    )
    return (0, 0) if row is None else (row["moved"], row["changed"])


async def append_log(tx: Tx, *, chunks: Rows, nodes: Rows, shards: Rows) -> None:
    """Add to the logs, and set the last sequence of each shard.

    chunks: as in LEAVES. nodes: as in NODES. shards: (shard, last_sequence, decided_at,
    account_count, peaks).
    """
    await tx.execute(
        _LOG, *arrays(chunks, LEAVES.width), *arrays(nodes, NODES.width), *arrays(shards, 5)
    )


async def insert_history(tx: Tx, *, dates: Rows, sends: Rows) -> None:
    """Add the rows that past balances are read from; most batches have none.

    dates: as in LOT_DATES. sends: as in SENDS.
    """
    if dates or sends:
        await tx.execute(_HISTORY, *arrays(dates, LOT_DATES.width), *arrays(sends, SENDS.width))


_BOOKED: Final = (OUTCOMES, ENTRIES, CONSUMPTIONS, LOTS)


def _first(*before: Table) -> int:
    """Number of the first parameter behind those of other tables."""
    return 1 + sum([table.width for table in before])


_BOOK: Final = f"""
with named as (
    {OUTCOMES.insert(1)}
), entered as (
    {ENTRIES.insert(_first(OUTCOMES))}
), consumed as (
    {CONSUMPTIONS.insert(_first(OUTCOMES, ENTRIES))}
)
{LOTS.insert(_first(OUTCOMES, ENTRIES, CONSUMPTIONS))}
"""
_STATE: Final = f"""
with opened as (
    {ACCOUNTS.insert(1)}
), moved as (
    update accounts a set entry_count = u.entry_count, balance = u.balance
    from unnest((select $9::text::smallint[]), $10::text::int[], $11::text::int[],
        $12::text::int[], $13::text::bigint[])
        as u (shard, account_id, before, entry_count, balance)
    where a.shard = u.shard and a.account_id = u.account_id and a.entry_count = u.before
    returning 1
), changed as (
    update lots s set remaining = u.remaining, cost_left = u.cost_left, lapsed = u.lapsed,
        open = u.remaining > 0
    from unnest((select $14::text::smallint[]), $15::text::bigint[], $16::text::bigint[],
        $17::text::bigint[], $18::text::bigint[])
        as u (shard, lot, remaining, cost_left, lapsed)
    where s.shard = u.shard and s.lot = u.lot
    returning 1
)
select (select count(*) from moved) as moved, (select count(*) from changed) as changed
"""  # noqa: S608
_LOG: Final = f"""
with kept as (
    {LEAVES.insert(1)}
), grown as (
    {NODES.insert(_first(LEAVES))}
)
update shards s set last_sequence = u.last_sequence, decided_at = u.decided_at,
    account_count = u.account_count, peaks = u.peaks
from unnest((select $11::smallint[]), $12::bigint[], $13::timestamptz[], $14::int[], $15::bytea[])
    as u (shard, last_sequence, decided_at, account_count, peaks)
where s.shard = u.shard
"""  # noqa: S608
_HISTORY: Final = f"""
with dated as (
    {LOT_DATES.insert(1)}
)
{SENDS.insert(_first(LOT_DATES))}
"""
