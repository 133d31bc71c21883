"""SQL of the posting transaction: each table read once and written once a batch, by sets."""

from collections.abc import Sequence
from typing import Any, Final

from kit.base.db import Record, Tx
from ledger.book.facts import AccountKey, Role
from ledger.tables.columns import arrays, literal, literals
from ledger.tables.lots import SELECTED

ShardName = tuple[int, str]
ShardNumber = tuple[int, int]

ROLES: Final = {role.value: role for role in Role}


# ------------------------------------------------------------------------------------------- read


async def lock_shards(tx: Tx, shards: Sequence[int]) -> list[Record]:
    """Lock shards: each has one writer at a time."""
    return await tx.fetch(
        "select shard, last_sequence, decided_at, account_count, peaks, has_standings,"
        " window_closed from shards"
        " where shard = any($1::smallint[]) order by shard for update",
        shards,
    )


async def prepare_shard(tx: Tx, shard: int) -> None:
    """Make a shard's row and first ranges where they are missing."""
    await tx.execute("select prepare_shard($1)", shard)


async def list_members(tx: Tx, owners: Sequence[ShardNumber], *, most: int | None) -> list[Record]:
    """Value and debt accounts of members, each with its open lots in turn, a row a lot.

    most: lots of one account; None: all. Columns: shard, owner, role, unit, counterparty,
    account_id, balance, entry_count, then those of LOT (lot null: the account has none).
    """
    return await tx.fetch(
        "select u.shard, u.owner, a.role, a.unit, a.counterparty, a.account_id, a.balance,"  # noqa: S608
        f" a.entry_count, {SELECTED}"
        " from unnest((select $1::text::smallint[]), $2::text::bigint[]) as u (shard, owner)"
        " cross join lateral (select * from accounts c where c.shard = u.shard"
        "  and c.owner = u.owner and c.role in ('value', 'debt') offset 0) as a"
        " left join lateral (select * from lots l where l.shard = u.shard"
        "  and l.account_id = a.account_id and l.open"
        "  order by l.expires_at, l.born_at, l.lot limit $3) as t on a.role = 'value'",
        *literals(owners, 2),
        most,
    )


async def lock_originals(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """What later commands undid or resolved of these names so far; locks their rows."""
    return await tx.fetch(
        "select t.shard, t.name, t.refunded, t.is_full, t.is_reversed, t.verdict"
        " from originals t join unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " on t.shard = u.shard and t.name = u.name order by t.shard, t.name for update of t",
        *arrays(names, 2),
    )


async def list_accounts(tx: Tx, keys: Sequence[tuple[int, AccountKey]]) -> list[Record]:
    """Accounts by natural key, where they exist."""
    return await tx.fetch(
        "select u.place, a.account_id, a.balance, a.entry_count"
        " from unnest((select $1::text::smallint[]), $2::text::bigint[], $3::text::text[],"
        " $4::text::text[], $5::text::int[])"
        " with ordinality as u (shard, owner, role, unit, counterparty, place)"
        " cross join lateral (select t.account_id, t.balance, t.entry_count from accounts t"
        "  where t.shard = u.shard and t.owner = u.owner and t.role = u.role"
        "  and t.unit = u.unit and t.counterparty = u.counterparty limit 1) as a",
        literal([shard for shard, _ in keys]),
        *literals([key for _, key in keys], 4),
    )


# ------------------------------------------------------------------------------------------ write


async def upsert_originals(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """(shard, name, sequence, total_rial, refunded_rial, refunded, is_full, is_reversed, verdict).

    refunded: as an array literal, since arrays of arrays do not unnest. Rows were locked before.
    """
    await tx.execute(
        "insert into originals (shard, name, sequence, total_rial, refunded_rial, refunded,"
        " is_full, is_reversed, verdict)"
        " select u.shard, u.name, u.sequence, u.total_rial, u.refunded_rial,"
        " u.refunded::bigint[], u.is_full, u.is_reversed, u.verdict"
        " from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
        " $6::text[], $7::boolean[], $8::boolean[], $9::text[]) as u (shard, name, sequence,"
        " total_rial, refunded_rial, refunded, is_full, is_reversed, verdict)"
        " on conflict (shard, name) do update set refunded_rial = excluded.refunded_rial,"
        " refunded = excluded.refunded, is_full = excluded.is_full,"
        " is_reversed = excluded.is_reversed, verdict = excluded.verdict",
        *arrays(rows, 9),
    )
