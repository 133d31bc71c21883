"""SQL of the posting transaction: each table read once and written once a batch, by sets."""

from collections.abc import Sequence
from typing import Any, Final

from contracts.values import Unit
from kit.db import Record, Tx
from ledger.domain.book import AccountKey, Lot, Origin, Progress, Role, Row, What
from ledger.domain.leaves import ConsumptionRow
from ledger.store.columns import arrays, literal, literals, quoted

ShardName = tuple[int, str]
ShardNumber = tuple[int, int]

UNITS: Final = {unit.value: unit for unit in Unit}
ROLES: Final = {role.value: role for role in Role}
_WHATS: Final = {what.value: what for what in What}
_ORIGINS: Final = {origin.value: origin for origin in Origin}


# ------------------------------------------------------------------------------------------- read


async def lock_shards(tx: Tx, shards: Sequence[int]) -> list[Record]:
    """The gate of every posting: one writer a shard, whatever else goes wrong."""
    return await tx.fetch(
        "select shard, last_sequence, decided_at, account_count, peaks, has_standings,"
        " window_closed from shards"
        " where shard = any($1::smallint[]) order by shard for update",
        shards,
    )


async def prepare_shard(tx: Tx, shard: int) -> None:
    """Make a shard's row and first ranges where they are missing."""
    await tx.execute("select prepare_shard($1)", shard)


async def find_outcomes(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """Names that are known; a probe each, so that no plan scans a shard."""
    return await tx.fetch(
        "select u.shard, u.name, o.sequence, o.fingerprint"
        " from unnest((select $1::text::smallint[]), $2::text::text[]) as u (shard, name)"
        " cross join lateral (select t.sequence, t.fingerprint from outcomes t"
        "  where t.shard = u.shard and t.name = u.name limit 1) as o",
        literal([shard for shard, _ in names]),
        quoted([name for _, name in names]),
    )


async def list_chunks(tx: Tx, places: Sequence[ShardNumber]) -> list[Record]:
    """Chunks of the log, each once, that hold these sequence numbers of these shards."""
    return await tx.fetch(
        "select u.shard, c.first, t.packed from (select w.shard, w.sequence, ("
        "   select l.first from leaves l where l.shard = w.shard and l.first <= w.sequence"
        "   order by l.first desc limit 1) as first"
        "  from unnest($1::smallint[], $2::bigint[]) as w (shard, sequence)) as u"
        " cross join lateral (select u.first) as c"
        " cross join lateral (select l.packed from leaves l"
        "  where l.shard = u.shard and l.first = c.first limit 1) as t",
        *arrays(places, 2),
    )


async def list_members(tx: Tx, owners: Sequence[ShardNumber], *, most: int | None) -> list[Record]:
    """Value and debt accounts of members, each with its open lots in turn, a row a lot.

    most: lots of one account; None: all. shard, owner, role, unit, counterparty, account_id,
    balance, entry_count, then the columns of a lot (lot null: the account has none).
    """
    return await tx.fetch(
        "select u.shard, u.owner, a.role, a.unit, a.counterparty, a.account_id, a.balance,"
        " a.entry_count, t.lot, t.amount, t.cost_rial, t.issuer, t.funder, t.rule, t.rule_version,"
        " t.available_from, t.expires_at, t.born_at, t.merchant, t.origin, t.parent, t.remaining,"
        " t.cost_left, t.lapsed, t.held, t.sliding_days, t.unit"
        " from unnest((select $1::text::smallint[]), $2::text::bigint[]) as u (shard, owner)"
        " cross join lateral (select * from accounts c where c.shard = u.shard"
        "  and c.owner = u.owner and c.role in ('value', 'debt') offset 0) as a"
        " left join lateral (select * from lots l where l.shard = u.shard"
        "  and l.account_id = a.account_id and l.open"
        "  order by l.expires_at, l.born_at, l.lot limit $3) as t on a.role = 'value'",
        *literals(owners, 2),
        most,
    )


async def list_named_lots(tx: Tx, lots: Sequence[ShardNumber]) -> list[Record]:
    """Lots by number, open or not, with the club account they belong to."""
    return await tx.fetch(
        "select u.shard, a.owner, t.lot, t.amount, t.cost_rial, t.issuer, t.funder, t.rule,"
        " t.rule_version, t.available_from, t.expires_at, t.born_at, t.merchant, t.origin,"
        " t.parent, t.remaining, t.cost_left, t.lapsed, t.held, t.sliding_days, t.unit"
        " from unnest($1::smallint[], $2::bigint[]) as u (shard, lot)"
        " cross join lateral (select * from lots l where l.shard = u.shard and l.lot = u.lot"
        "  limit 1) as t"
        " cross join lateral (select c.owner from accounts c"
        "  where c.shard = u.shard and c.account_id = t.account_id limit 1) as a",
        *arrays(lots, 2),
    )


async def list_units(tx: Tx, lots: Sequence[ShardNumber]) -> list[Record]:
    """Unit of each lot."""
    return await tx.fetch(
        "select u.shard, u.lot, t.unit from unnest($1::smallint[], $2::bigint[]) as u (shard, lot)"
        " cross join lateral (select l.unit from lots l where l.shard = u.shard and l.lot = u.lot"
        "  limit 1) as t",
        *arrays(lots, 2),
    )


async def lock_originals(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """What later commands did to these names so far."""
    return await tx.fetch(
        "select t.shard, t.name, t.refunded, t.is_full, t.is_reversed, t.verdict"
        " from originals t join unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " on t.shard = u.shard and t.name = u.name order by t.shard, t.name for update of t",
        *arrays(names, 2),
    )


async def find_originals(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """As lock_originals, for readings."""
    return await tx.fetch(
        "select t.shard, t.name, t.refunded, t.is_full, t.is_reversed, t.verdict"
        " from originals t join unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " on t.shard = u.shard and t.name = u.name",
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


def lot_of(record: Sequence[Any], owner: int) -> Lot:
    """The columns of a lot, from lot to unit, as a value."""
    (
        lot, amount, cost, issuer, funder, rule, version, available_from, expires_at,
        born_at, merchant, origin, parent, remaining, cost_left, lapsed, held, sliding_days, unit,
    ) = record  # fmt: skip
    return Lot(
        lot, owner, UNITS[unit], amount, cost, issuer, funder, rule, version, available_from,
        expires_at, born_at, merchant, _ORIGINS[origin], parent or 0, remaining, cost_left, lapsed,
        held, sliding_days,
    )  # fmt: skip


def row_of(sealed: ConsumptionRow) -> Row:
    """A consumption row of a leaf as a value; its lot knows the unit."""
    (
        ordinal, lot, amount, cost, claim, fee, original_sequence, original_ordinal, issuer,
        acceptor, merchant, what,
    ) = sealed  # fmt: skip
    return Row(
        ordinal, lot, Unit.NETWORK_POINTS, _WHATS[what], amount, cost, issuer, acceptor, merchant,
        claim, fee, original_sequence, original_ordinal,
    )  # fmt: skip


def progress_of(record: Record) -> Progress:
    """A row of lock_originals as a value."""
    return Progress(
        tuple(record["refunded"]), record["is_full"], record["is_reversed"], record["verdict"]
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
