"""SQL of the posting transaction: each table read once and written once a batch, by sets."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from contracts.values import Unit
from kit.db import Record, Tx
from ledger.domain.book import AccountKey, Lot, Origin, Progress, Role, Row, What

ShardName = tuple[int, str]
ShardNumber = tuple[int, int]

UNITS: Final = {unit.value: unit for unit in Unit}
ROLES: Final = {role.value: role for role in Role}
_WHATS: Final = {what.value: what for what in What}
_ORIGINS: Final = {origin.value: origin for origin in Origin}


def _split(pairs: Sequence[tuple[int, Any]]) -> tuple[list[int], list[Any]]:
    return [shard for shard, _ in pairs], [key for _, key in pairs]


# ------------------------------------------------------------------------------------------- read


async def lock_shards(tx: Tx, shards: Sequence[int]) -> list[Record]:
    """The gate of every posting: one writer a shard, whatever else goes wrong."""
    return await tx.fetch(
        "select shard, last_sequence, decided_at, account_count from shards"
        " where shard = any($1::smallint[]) order by shard for update",
        shards,
    )


async def prepare_shard(tx: Tx, shard: int) -> None:
    """Make a shard's row and first ranges where they are missing."""
    await tx.execute("select prepare_shard($1)", shard)


async def find_outcomes(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """Names that are known, with what was answered; a probe each, so that no plan scans a shard."""
    return await tx.fetch(
        "select u.shard, u.name, o.sequence, o.fingerprint, b.decided_at, b.status, b.command,"
        " b.answer, b.marked from unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " cross join lateral (select t.sequence, t.fingerprint from outcomes t"
        "  where t.shard = u.shard and t.name = u.name limit 1) as o"
        " cross join lateral (select t.decided_at, t.status, t.command, t.answer, t.marked"
        "  from bodies t where t.shard = u.shard and t.sequence = o.sequence limit 1) as b",
        *_split(names),
    )


async def list_member_accounts(tx: Tx, owners: Sequence[ShardNumber]) -> list[Record]:
    """Value and debt accounts of members."""
    return await tx.fetch(
        "select u.shard, u.owner, a.role, a.unit, a.counterparty, a.account_id, a.balance,"
        " a.entry_count from unnest($1::smallint[], $2::bigint[]) as u (shard, owner)"
        " cross join lateral (select t.role, t.unit, t.counterparty, t.account_id, t.balance,"
        "  t.entry_count from accounts t where t.shard = u.shard and t.owner = u.owner"
        "  and t.role in ('value', 'debt') offset 0) as a",
        *_split(owners),
    )


async def list_open_lots(tx: Tx, accounts: Sequence[ShardNumber]) -> list[Record]:
    """All open lots of value accounts: every debit, and the balance told, needs them whole."""
    return await tx.fetch(
        "select u.shard, u.account_id, s.lot, l.amount, l.cost_rial, l.issuer,"  # noqa: S608 - literals
        " l.funder, l.rule,"
        " l.rule_version, s.available_from, l.expires_at, l.born_at, l.merchant, l.origin,"
        " l.parent, s.remaining, s.cost_left, s.lapsed, l.unit"
        " from unnest($1::smallint[], $2::int[]) as u (shard, account_id)"
        " cross join lateral (select t.lot, t.available_from, t.remaining, t.cost_left, t.lapsed"
        "  from lot_states t where t.shard = u.shard and t.account_id = u.account_id and t.open"
        "  offset 0) as s" + _LOT_OF_STATE,
        *_split(accounts),
    )


async def list_named_lots(tx: Tx, lots: Sequence[ShardNumber]) -> list[Record]:
    """Lots by number, open or not, with the club account they belong to."""
    return await tx.fetch(
        "select u.shard, a.owner, u.lot, l.amount, l.cost_rial, l.issuer,"  # noqa: S608 - literals
        " l.funder, l.rule,"
        " l.rule_version, s.available_from, l.expires_at, l.born_at, l.merchant, l.origin,"
        " l.parent, s.remaining, s.cost_left, s.lapsed, l.unit"
        " from unnest($1::smallint[], $2::bigint[]) as u (shard, lot)"
        " cross join lateral (select t.lot, t.available_from, t.remaining, t.cost_left, t.lapsed"
        "  from lot_states t where t.shard = u.shard and t.lot = u.lot limit 1) as s"
        + _LOT_OF_STATE
        + " cross join lateral (select t.owner from accounts t"
        "  where t.shard = u.shard and t.account_id = l.account_id limit 1) as a",
        *_split(lots),
    )


# A probe by key inside a lateral with a limit: whatever the planner believes of the tables' sizes
# when the plan is made, no other order of the joins is open to it.
_LOT_OF_STATE: Final[LiteralString] = (
    " cross join lateral (select t.amount, t.cost_rial, t.issuer, t.funder, t.rule,"
    "  t.rule_version, t.expires_at, t.born_at, t.merchant, t.origin, t.parent, t.unit,"
    "  t.account_id from lots t where t.shard = u.shard and t.lot = s.lot limit 1) as l"
)


async def list_redeemed(tx: Tx, sequences: Sequence[ShardNumber]) -> list[Record]:
    """Consumption rows of redemptions, in order."""
    return await tx.fetch(
        "select u.shard, u.sequence, c.ordinal, c.lot, l.unit, c.what, c.amount, c.cost_rial,"
        " c.issuer, c.acceptor, c.merchant, c.claim_rial, c.fee_rial, c.original_sequence,"
        " c.original_ordinal from unnest($1::smallint[], $2::bigint[]) as u (shard, sequence)"
        " cross join lateral (select t.ordinal, t.lot, t.what, t.amount, t.cost_rial, t.issuer,"
        "  t.acceptor, t.merchant, t.claim_rial, t.fee_rial, t.original_sequence,"
        "  t.original_ordinal from consumptions t where t.shard = u.shard"
        "  and t.sequence = u.sequence and t.what = 'redeemed' offset 0) as c"
        " cross join lateral (select t.unit from lots t where t.shard = u.shard"
        "  and t.lot = c.lot limit 1) as l order by 1, 2, 3",
        *_split(sequences),
    )


async def lock_originals(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """What later commands did to these names so far."""
    return await tx.fetch(
        "select t.shard, t.name, t.refunded, t.is_full, t.is_reversed, t.verdict"
        " from originals t join unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " on t.shard = u.shard and t.name = u.name order by t.shard, t.name for update of t",
        *_split(names),
    )


async def find_originals(tx: Tx, names: Sequence[ShardName]) -> list[Record]:
    """As lock_originals, for readings."""
    return await tx.fetch(
        "select t.shard, t.name, t.refunded, t.is_full, t.is_reversed, t.verdict"
        " from originals t join unnest($1::smallint[], $2::text[]) as u (shard, name)"
        " on t.shard = u.shard and t.name = u.name",
        *_split(names),
    )


async def list_accounts(tx: Tx, keys: Sequence[tuple[int, AccountKey]]) -> list[Record]:
    """Accounts by natural key, where they exist."""
    return await tx.fetch(
        "select u.place, a.account_id, a.balance, a.entry_count"
        " from unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::int[])"
        " with ordinality as u (shard, owner, role, unit, counterparty, place)"
        " cross join lateral (select t.account_id, t.balance, t.entry_count from accounts t"
        "  where t.shard = u.shard and t.owner = u.owner and t.role = u.role"
        "  and t.unit = u.unit and t.counterparty = u.counterparty limit 1) as a",
        [shard for shard, _ in keys],
        [key.owner for _, key in keys],
        [key.role for _, key in keys],
        [key.unit for _, key in keys],
        [key.counterparty for _, key in keys],
    )


def lot_of(record: Record, owner: int) -> Lot:
    """A row of list_open_lots or list_named_lots as a value; both have the same columns."""
    (
        _, _, lot, amount, cost, issuer, funder, rule, version, available_from, expires_at,
        born_at, merchant, origin, parent, remaining, cost_left, lapsed, unit,
    ) = record  # fmt: skip
    return Lot(
        lot, owner, UNITS[unit], amount, cost, issuer, funder, rule, version, available_from,
        expires_at, born_at, merchant, _ORIGINS[origin], parent or 0, remaining, cost_left, lapsed,
    )  # fmt: skip


def row_of(record: Record) -> Row:
    """A row of list_redeemed as a value."""
    (
        _, _, ordinal, lot, unit, what, amount, cost, issuer, acceptor, merchant, claim, fee,
        original_sequence, original_ordinal,
    ) = record  # fmt: skip
    return Row(
        ordinal, lot, UNITS[unit], _WHATS[what], amount, cost, issuer, acceptor, merchant, claim,
        fee, original_sequence, original_ordinal,
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
        *(list(column) for column in zip(*rows, strict=True)),
    )
