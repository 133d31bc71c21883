"""SQL that books a batch: what is only added in one statement, what changes in another."""

from collections.abc import Sequence
from typing import Any, Final

from kit.db import Tx

Rows = Sequence[tuple[Any, ...]]


async def insert_book(
    tx: Tx, *, outcomes: Rows, bodies: Rows, entries: Rows, consumptions: Rows, lots: Rows
) -> None:
    """Add a batch to the book; a name twice raises DataError.

    outcomes: (sequence, shard, name, fingerprint); bodies: (sequence, decided_at, shard, status,
    code, command, answer, marked); entries: (sequence, amount, balance, account_id,
    account_sequence, shard, line); consumptions: all columns in the order of the table; lots: all
    columns in the order of the table, then remaining, cost_left, lapsed, open and available_from of
    their states.
    """
    await tx.execute(
        _BOOK,
        *_columns(outcomes, 4),
        *_columns(bodies, 8),
        *_columns(entries, 7),
        *_columns(consumptions, 14),
        *_columns(lots, 21),
    )


async def update_state(
    tx: Tx, *, opened: Rows, moved: Rows, lots: Rows, shards: Rows
) -> tuple[int, int]:
    """Keep what the book adds up to; gives how many of moved and of lots matched.

    opened: new accounts (shard, account_id, entry_count, counterparty, owner, balance, role, unit);
    moved: (shard, account_id, entry_count before, entry_count, balance); lots: (shard, lot,
    remaining, cost_left, lapsed, available_from); shards: (shard, last_sequence, decided_at,
    account_count).
    """
    row = await tx.fetchrow(
        _STATE, *_columns(opened, 8), *_columns(moved, 5), *_columns(lots, 6), *_columns(shards, 4)
    )
    return (0, 0) if row is None else (row["moved"], row["changed"])


def _columns(rows: Rows, width: int) -> list[list[Any]]:
    if not rows:
        return [[] for _ in range(width)]
    return [list(column) for column in zip(*rows, strict=True)]


_BOOK: Final = """
with named as (
    insert into outcomes (sequence, shard, name, fingerprint)
    select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::bytea[])
), kept as (
    insert into bodies (sequence, decided_at, shard, status, code, command, answer, marked)
    select * from unnest($5::bigint[], $6::timestamptz[], $7::smallint[], $8::text[], $9::text[],
        $10::bytea[], $11::bytea[], $12::bytea[])
), entered as (
    insert into entries (sequence, amount, balance, account_id, account_sequence, shard, line)
    select * from unnest($13::bigint[], $14::bigint[], $15::bigint[], $16::int[], $17::int[],
        $18::smallint[], $19::smallint[])
), consumed as (
    insert into consumptions (sequence, lot, amount, cost_rial, claim_rial, fee_rial,
        original_sequence, issuer, acceptor, merchant, shard, ordinal, original_ordinal, what)
    select * from unnest($20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[],
        $25::bigint[], $26::bigint[], $27::int[], $28::int[], $29::int[], $30::smallint[],
        $31::smallint[], $32::smallint[], $33::text[])
), opened as (
    select * from unnest($34::bigint[], $35::bigint[], $36::bigint[], $37::timestamptz[],
        $38::timestamptz[], $39::timestamptz[], $40::bigint[], $41::int[], $42::int[], $43::int[],
        $44::int[], $45::int[], $46::smallint[], $47::text[], $48::text[], $49::text[],
        $50::bigint[], $51::bigint[], $52::bigint[], $53::boolean[], $54::timestamptz[])
        as u (lot, amount, cost_rial, available_from, expires_at, born_at, parent, account_id,
            issuer, funder, merchant, rule_version, shard, unit, rule, origin, remaining, cost_left,
            lapsed, open, usable_from)
), born as (
    insert into lots (lot, amount, cost_rial, available_from, expires_at, born_at, parent,
        account_id, issuer, funder, merchant, rule_version, shard, unit, rule, origin)
    select lot, amount, cost_rial, available_from, expires_at, born_at, parent, account_id, issuer,
        funder, merchant, rule_version, shard, unit, rule, origin from opened
)
insert into lot_states (lot, remaining, cost_left, held, lapsed, available_from, expires_at,
    account_id, shard, open)
select lot, remaining, cost_left, 0, lapsed, usable_from, expires_at, account_id, shard, open
from opened
"""
_STATE: Final = """
with opened as (
    insert into accounts
        (shard, account_id, entry_count, counterparty, owner, balance, role, unit)
    select * from unnest($1::smallint[], $2::int[], $3::int[], $4::int[], $5::bigint[],
        $6::bigint[], $7::text[], $8::text[])
), moved as (
    update accounts a set entry_count = u.entry_count, balance = u.balance
    from unnest($9::smallint[], $10::int[], $11::int[], $12::int[], $13::bigint[])
        as u (shard, account_id, before, entry_count, balance)
    where a.shard = u.shard and a.account_id = u.account_id and a.entry_count = u.before
    returning 1
), changed as (
    update lot_states s set remaining = u.remaining, cost_left = u.cost_left, lapsed = u.lapsed,
        available_from = u.available_from, open = u.remaining > 0
    from unnest($14::smallint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[],
        $19::timestamptz[]) as u (shard, lot, remaining, cost_left, lapsed, available_from)
    where s.shard = u.shard and s.lot = u.lot
    returning 1
), reached as (
    update shards s set last_sequence = u.last_sequence, decided_at = u.decided_at,
        account_count = u.account_count
    from unnest($20::smallint[], $21::bigint[], $22::timestamptz[], $23::int[])
        as u (shard, last_sequence, decided_at, account_count)
    where s.shard = u.shard
)
select (select count(*) from moved) as moved, (select count(*) from changed) as changed
"""
