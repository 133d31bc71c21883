"""SQL that books a batch: what is only added, what changes, and the log's rows behind them."""

from typing import Final, LiteralString

from kit.base.db import Tx
from ledger.tables.columns import Rows, arrays, literals

COPY_ROWS_MIN: Final = 40


async def insert_book(
    tx: Tx, *, outcomes: Rows, entries: Rows, consumptions: Rows, lots: Rows
) -> None:
    """Add a batch to the book, and the lots it opens; a name twice raises DataError.

    outcomes: (sequence, shard, name, fingerprint); entries: (sequence, amount, balance, account_id,
    account_sequence, shard, line); consumptions: all columns in the order of the table; lots: as in
    the table of columns below. COPY costs a round trip a table and half as much a row.
    """
    few: list[Rows] = []
    for (table, columns), rows in zip(
        _TABLES, (outcomes, entries, consumptions, lots), strict=True
    ):
        if len(rows) < COPY_ROWS_MIN:
            few.append(rows)
        else:
            await tx.copy(table, columns, rows)
            few.append(())
    if any(few):
        columns = (arrays(rows, len(t[1])) for t, rows in zip(_TABLES, few, strict=True))
        await tx.execute(_BOOK, *(column for group in columns for column in group))


async def update_state(tx: Tx, *, opened: Rows, moved: Rows, lots: Rows) -> tuple[int, int]:
    """Keep what the book adds up to; gives how many of moved and of lots matched.

    opened: new accounts (shard, account_id, entry_count, counterparty, owner, balance, role, unit);
    moved: (shard, account_id, entry_count before, entry_count, balance); lots: (shard, lot,
    remaining, cost_left, lapsed), where neither what is held nor dates changed.
    """
    row = await tx.fetchrow(_STATE, *arrays(opened, 8), *literals(moved, 5), *literals(lots, 5))
    return (0, 0) if row is None else (row["moved"], row["changed"])


async def append_log(tx: Tx, *, chunks: Rows, nodes: Rows, shards: Rows) -> None:
    """Add to the logs, and put down how far each shard came.

    chunks: all columns of leaves in the order of the table; nodes: (shard, level, number, hash);
    shards: (shard, last_sequence, decided_at, account_count, peaks).
    """
    await tx.execute(_LOG, *arrays(chunks, 6), *arrays(nodes, 4), *arrays(shards, 5))


async def insert_history(tx: Tx, *, dates: Rows, sends: Rows) -> None:
    """Add what the past is read from; most batches have nothing of it.

    dates: (sequence, lot, available_from, expires_at, shard); sends: (sequence, owner, shard,
    to_shard).
    """
    if dates or sends:
        await tx.execute(_HISTORY, *arrays(dates, 5), *arrays(sends, 4))


_TABLES: Final[tuple[tuple[LiteralString, tuple[str, ...]], ...]] = (
    ("outcomes", ("sequence", "shard", "name", "fingerprint")),
    (
        "entries",
        ("sequence", "amount", "balance", "account_id", "account_sequence", "shard", "line"),
    ),
    (
        "consumptions",
        (
            "sequence", "lot", "amount", "cost_rial", "claim_rial", "fee_rial",
            "original_sequence", "issuer", "acceptor", "merchant", "shard", "ordinal",
            "original_ordinal", "what",
        ),
    ),
    (
        "lots",
        (
            "lot", "amount", "cost_rial", "remaining", "cost_left", "lapsed", "available_from",
            "expires_at", "born_at", "parent", "account_id", "issuer", "funder", "merchant",
            "rule_version", "shard", "open", "unit", "rule", "origin", "held", "sliding_days",
            "waits",
        ),
    ),
)  # fmt: skip
_BOOK: Final = """
with named as (
    insert into outcomes (sequence, shard, name, fingerprint)
    select * from unnest((select $1::bigint[]), $2::smallint[], $3::text[], $4::bytea[])
), entered as (
    insert into entries (sequence, amount, balance, account_id, account_sequence, shard, line)
    select * from unnest((select $5::bigint[]), $6::bigint[], $7::bigint[], $8::int[], $9::int[],
        $10::smallint[], $11::smallint[])
), consumed as (
    insert into consumptions (sequence, lot, amount, cost_rial, claim_rial, fee_rial,
        original_sequence, issuer, acceptor, merchant, shard, ordinal, original_ordinal, what)
    select * from unnest((select $12::bigint[]), $13::bigint[], $14::bigint[], $15::bigint[],
        $16::bigint[], $17::bigint[], $18::bigint[], $19::int[], $20::int[], $21::int[],
        $22::smallint[], $23::smallint[], $24::smallint[], $25::text[])
)
insert into lots (lot, amount, cost_rial, remaining, cost_left, lapsed, available_from, expires_at,
    born_at, parent, account_id, issuer, funder, merchant, rule_version, shard, open, unit, rule,
    origin, held, sliding_days, waits)
select * from unnest((select $26::bigint[]), $27::bigint[], $28::bigint[], $29::bigint[],
    $30::bigint[], $31::bigint[], $32::timestamptz[], $33::timestamptz[], $34::timestamptz[],
    $35::bigint[], $36::int[], $37::int[], $38::int[], $39::int[], $40::int[], $41::smallint[],
    $42::boolean[], $43::text[], $44::text[], $45::text[], $46::bigint[], $47::int[],
    $48::boolean[])
"""
_STATE: Final = """
with opened as (
    insert into accounts
        (shard, account_id, entry_count, counterparty, owner, balance, role, unit)
    select * from unnest((select $1::smallint[]), $2::int[], $3::int[], $4::int[], $5::bigint[],
        $6::bigint[], $7::text[], $8::text[])
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
"""
_LOG: Final = """
with kept as (
    insert into leaves (first, decided_at, shard, count, digest, packed)
    select * from unnest((select $1::bigint[]), $2::timestamptz[], $3::smallint[], $4::smallint[],
        $5::bytea[], $6::bytea[])
), grown as (
    insert into nodes (shard, level, number, hash)
    select * from unnest((select $7::smallint[]), $8::smallint[], $9::bigint[], $10::bytea[])
)
update shards s set last_sequence = u.last_sequence, decided_at = u.decided_at,
    account_count = u.account_count, peaks = u.peaks
from unnest((select $11::smallint[]), $12::bigint[], $13::timestamptz[], $14::int[], $15::bytea[])
    as u (shard, last_sequence, decided_at, account_count, peaks)
where s.shard = u.shard
"""
_HISTORY: Final = """
with sent as (
    insert into sends (sequence, owner, shard, to_shard)
    select * from unnest($6::bigint[], $7::bigint[], $8::smallint[], $9::smallint[])
)
insert into lot_dates (sequence, lot, available_from, expires_at, shard)
select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[],
    $5::smallint[])
"""
