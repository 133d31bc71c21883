"""Lots by number, with the club account they belong to, and a row of them as a value."""

from collections.abc import Sequence
from typing import Any, Final

from contracts.values import Unit
from kit.base.db import Record, Tx
from ledger.book.facts import Lot, Origin
from ledger.tables.columns import arrays

ShardNumber = tuple[int, int]

UNITS: Final = {unit.value: unit for unit in Unit}
_ORIGINS: Final = {origin.value: origin for origin in Origin}


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
