"""Lots by number, with the member's account of each, and a row of them as a value."""

from collections.abc import Sequence
from typing import Any, Final

from contracts.values import Unit
from kit.base.db import Record, Tx
from ledger.book.facts import Lot, Origin
from ledger.tables.columns import arrays
from ledger.tables.definitions import LOT

ShardNumber = tuple[int, int]

SELECTED: Final = LOT.selected("t")

UNITS: Final = {unit.value: unit for unit in Unit}
_ORIGINS: Final = {origin.value: origin for origin in Origin}


async def list_named_lots(tx: Tx, lots: Sequence[ShardNumber]) -> list[Record]:
    """Lots by number, open or not, with the member's account of each."""
    return await tx.fetch(
        f"select u.shard, a.owner, {SELECTED}"  # noqa: S608
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
    """The columns of LOT as a value, whose fields have their order."""
    (
        lot, unit, amount, cost, issuer, funder, rule, version, available_from, expires_at,
        born_at, merchant, origin, parent, remaining, cost_left, lapsed, held, sliding_days,
    ) = record  # fmt: skip
    return Lot(
        lot, owner, UNITS[unit], amount, cost, issuer, funder, rule, version, available_from,
        expires_at, born_at, merchant, _ORIGINS[origin], parent or 0, remaining, cost_left, lapsed,
        held, sliding_days,
    )  # fmt: skip


def row_of(lot: Lot, born: Lot) -> tuple[Any, ...]:
    """A lot in the columns of LOT: amount and cost as it was born."""
    return (
        lot.lot, lot.unit, born.amount, born.cost_rial, lot.issuer, lot.funder, lot.rule,
        lot.rule_version, lot.available_from, lot.expires_at, lot.born_at, lot.merchant, lot.origin,
        lot.parent or None, lot.remaining, lot.cost_left, lot.lapsed, lot.held, lot.sliding_days,
    )  # fmt: skip
