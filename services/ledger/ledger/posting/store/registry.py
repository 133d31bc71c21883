"""SQL of a shard's registry, by sets: statuses, terms, cards, budgets, windows."""

from collections.abc import Sequence

from kit.base.db import Record, Tx
from ledger.tables.columns import Rows, arrays

ShardNumber = tuple[int, int]


async def list_standings(tx: Tx, subjects: Rows) -> list[Record]:
    """Statuses other than open, and the command that set each.

    subjects: (shard, is_party, number).
    """
    return await tx.fetch(
        "select s.shard, s.is_party, s.number, s.standing, s.sequence from standings s"
        " join unnest($1::smallint[], $2::boolean[], $3::bigint[]) as u (shard, is_party, number)"
        " on s.shard = u.shard and s.is_party = u.is_party and s.number = u.number"
        " where s.standing <> 'open'",
        *arrays(subjects, 3),
    )


async def list_cards(tx: Tx, accounts: Sequence[ShardNumber]) -> list[Record]:
    """Gift cards among accounts."""
    return await tx.fetch(
        "select c.shard, c.account, c.issuer from cards c"
        " join unnest($1::smallint[], $2::bigint[]) as u (shard, account)"
        " on c.shard = u.shard and c.account = u.account",
        *arrays(accounts, 2),
    )


async def list_terms(tx: Tx, keys: Rows) -> list[Record]:
    """Installed versions. keys: (shard, kind, id, version)."""
    return await tx.fetch(
        "select t.shard, t.kind, t.id, t.version, t.numerator, t.denominator, t.accepted_by"
        " from terms t join unnest($1::smallint[], $2::text[], $3::text[], $4::int[])"
        " as u (shard, kind, id, version)"
        " on t.shard = u.shard and t.kind = u.kind and t.id = u.id and t.version = u.version",
        *arrays(keys, 4),
    )


async def list_settlements(tx: Tx, pairs: Rows) -> list[Record]:
    """What pairs have settled. pairs: (shard, debtor, creditor)."""
    return await tx.fetch(
        "select s.shard, s.debtor, s.creditor, s.settled_rial, s.closed from settlements s"
        " join unnest($1::smallint[], $2::int[], $3::int[]) as u (shard, debtor, creditor)"
        " on s.shard = u.shard and s.debtor = u.debtor and s.creditor = u.creditor",
        *arrays(pairs, 3),
    )


async def list_all_settlements(tx: Tx, shards: Sequence[int]) -> list[Record]:
    """As list_settlements, of every pair of shards whose window closes."""
    return await tx.fetch(
        "select s.shard, s.debtor, s.creditor, s.settled_rial, s.closed from settlements s"
        " where s.shard = any($1::smallint[])",
        shards,
    )


async def list_positions(tx: Tx, pairs: Rows) -> list[Record]:
    """What pairs owed at cuts, from the named window on, or from the last one paid.

    pairs: (shard, debtor, creditor, window).
    """
    return await tx.fetch(
        "select p.shard, p.debtor, p.creditor, p.closed, p.reached_rial"
        " from unnest($1::smallint[], $2::int[], $3::int[], $4::int[])"
        " as u (shard, debtor, creditor, closed)"
        " left join settlements s"
        " on s.shard = u.shard and s.debtor = u.debtor and s.creditor = u.creditor"
        " join positions p on p.shard = u.shard and p.debtor = u.debtor"
        " and p.creditor = u.creditor and p.closed >= least(u.closed, coalesce(s.closed, 0))",
        *arrays(pairs, 4),
    )


async def list_payables(tx: Tx, shards: Sequence[int]) -> list[Record]:
    """Every payable account of shards whose window closes."""
    return await tx.fetch(
        "select a.shard, a.owner, a.role, a.unit, a.counterparty, a.balance from accounts a"
        " where a.shard = any($1::smallint[]) and a.role = 'payable'",
        shards,
    )


async def list_of_parties(tx: Tx, parties: Sequence[ShardNumber]) -> list[Record]:
    """Accounts of parties that are to close, and what members owe them."""
    return await tx.fetch(
        "select a.shard, a.owner, a.role, a.unit, a.counterparty, a.balance"
        " from unnest($1::smallint[], $2::bigint[]) as u (shard, party)"
        " join accounts a on a.shard = u.shard and a.owner = u.party"
        " union all"
        " select a.shard, a.owner, a.role, a.unit, a.counterparty, a.balance"
        " from unnest($1::smallint[], $2::bigint[]) as u (shard, party)"
        " join accounts a on a.shard = u.shard and a.counterparty = u.party and a.role = 'debt'",
        *arrays(parties, 2),
    )


# ------------------------------------------------------------------------------------------ write


async def upsert_standings(tx: Tx, rows: Rows) -> None:
    """(shard, is_party, number, standing, sequence), each subject once.

    Batches of their shards read statuses from now on.
    """
    await tx.execute(
        "insert into standings (shard, is_party, number, standing, sequence)"
        " select * from unnest($1::smallint[], $2::boolean[], $3::bigint[], $4::text[],"
        " $5::bigint[]) on conflict (shard, is_party, number)"
        " do update set standing = excluded.standing, sequence = excluded.sequence",
        *arrays(rows, 5),
    )
    await tx.execute(
        "update shards set has_standings = true"
        " where shard = any($1::smallint[]) and not has_standings",
        sorted({row[0] for row in rows}),
    )


async def insert_terms(tx: Tx, rows: Rows) -> None:
    """(shard, kind, id, version, numerator, denominator, accepted_by, sequence).

    accepted_by: as an array literal, since arrays of arrays do not unnest.
    """
    await tx.execute(
        "insert into terms (shard, kind, id, version, numerator, denominator, accepted_by,"
        " sequence) select u.shard, u.kind, u.id, u.version, u.numerator, u.denominator,"
        " u.accepted_by::int[], u.sequence from unnest($1::smallint[], $2::text[], $3::text[],"
        " $4::int[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[])"
        " as u (shard, kind, id, version, numerator, denominator, accepted_by, sequence)",
        *arrays(rows, 8),
    )


async def insert_cards(tx: Tx, rows: Rows) -> None:
    """(shard, account, issuer, sequence)."""
    await tx.execute(
        "insert into cards (shard, account, issuer, sequence)"
        " select * from unnest($1::smallint[], $2::bigint[], $3::int[], $4::bigint[])",
        *arrays(rows, 4),
    )


async def insert_windows(tx: Tx, windows: Rows, positions: Rows) -> None:
    """windows: (shard, closed, sequence), ascending; positions: columns as in the table."""
    await tx.execute(
        "insert into windows (shard, closed, sequence)"
        " select * from unnest($1::smallint[], $2::int[], $3::bigint[])",
        *arrays(windows, 3),
    )
    await tx.execute(
        "insert into positions (shard, debtor, creditor, closed, reached_rial)"
        " select * from unnest($1::smallint[], $2::int[], $3::int[], $4::int[], $5::bigint[])",
        *arrays(positions, 5),
    )
    last = {shard: closed for shard, closed, _ in windows}
    await tx.execute(
        "update shards s set window_closed = u.closed"
        " from unnest($1::smallint[], $2::int[]) as u (shard, closed) where s.shard = u.shard",
        *arrays(sorted(last.items()), 2),
    )


async def upsert_settlements(tx: Tx, rows: Rows) -> None:
    """(shard, debtor, creditor, settled_rial, closed, sequence), each pair once."""
    await tx.execute(
        "insert into settlements (shard, debtor, creditor, settled_rial, closed, sequence)"
        " select * from unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[], $5::int[],"
        " $6::bigint[]) on conflict (shard, debtor, creditor) do update set"
        " settled_rial = excluded.settled_rial, closed = excluded.closed,"
        " sequence = excluded.sequence",
        *arrays(rows, 6),
    )
