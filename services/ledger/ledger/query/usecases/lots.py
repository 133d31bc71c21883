"""Lots as they were at a moment: remainder, held amount, and dates of then."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from contracts.values import Unit
from kit.base.db import Record, Tx
from ledger.book.facts import LOTS_PER_COMMAND_MAX, LotMovementKind
from ledger.log.usecases import log_read
from ledger.query.domain import issue_cohorts
from ledger.query.domain.balances import LotAt
from ledger.query.store import history
from ledger.query.usecases.moments import Moment

_FILLS: Final = tuple(kind.value for kind in LotMovementKind if issue_cohorts.fills(kind))
_AVAILABLE_FROM, _EXPIRES_AT = 4, 5  # in leaves.LOT_COLUMNS
Dates = tuple[datetime | None, datetime | None]  # available_from, expires_at


async def lots_at(
    tx: Tx,
    account: int,
    counts: Mapping[int, int],
    moment: Moment,
    *,
    after: int = 0,
    closed: bool = False,
) -> list[tuple[Record, LotAt]]:
    """Lots of a member's account as they were, by number, above after; each with its row of now.

    counts: account_id of its value accounts -> entries they had by then. closed: also lots that
    were empty by then.
    """
    shard = moment.shard
    if moment.present and not closed:
        rows = await history.list_open_lots(tx, shard, list(counts))
    else:
        rows = await _opened_until(tx, counts, moment, after=after)
    by_number = {row["lot"]: _lot(row) for row in rows if row["lot"] > after}
    held = await _held_at(tx, account, moment)
    dates = {} if moment.present else await _dates_at(tx, by_number, moment)
    for number, lot in by_number.items():
        start, end = dates.get(number, (lot.available_from, lot.expires_at))
        by_number[number] = replace(
            lot, held=held.get(number, 0), available_from=start, expires_at=end
        )
    return [(row, by_number[row["lot"]]) for row in rows if row["lot"] in by_number]


async def _opened_until(
    tx: Tx, counts: Mapping[int, int], moment: Moment, *, after: int
) -> list[Record]:
    born = after // LOTS_PER_COMMAND_MAX - 1  # lots opened by then are not needed
    firsts = [0] * len(counts)
    if born > 0:
        places = [(moment.shard, number, count, born) for number, count in counts.items()]
        firsts = [row["account_sequence"] for row in await history.list_entry_ends(tx, places)]
    accounts = [
        (number, first, count)
        for (number, count), first in zip(counts.items(), firsts, strict=True)
    ]
    return await history.list_lots(
        tx, shard=moment.shard, accounts=accounts, last=moment.sequence, adds=_FILLS
    )


async def _held_at(tx: Tx, account: int, moment: Moment) -> dict[int, int]:
    """Held amounts by lot: of holds neither resolved nor due by then."""
    held: dict[int, int] = {}
    for row in await history.list_holds(
        tx, shard=moment.shard, owner=account, last=moment.sequence, at=moment.at
    ):
        for lot, amount in zip(row["lots"], row["amounts"], strict=True):
            held[lot] = held.get(lot, 0) + amount
    return held


async def _dates_at(tx: Tx, lots: Collection[int], moment: Moment) -> dict[int, Dates]:
    """Dates of lots whose dates ever changed: the last change by then, or those of birth."""
    rows = await history.list_dates(tx, shard=moment.shard, lots=sorted(lots), last=moment.sequence)
    changed: dict[int, Dates] = {}
    unchanged: list[int] = []
    for row in rows:
        if row["sequence"] is None:
            unchanged.append(row["lot"])
        else:
            changed[row["lot"]] = (row["available_from"], row["expires_at"])
    return changed | await _dates_of_birth(tx, moment.shard, unchanged)


async def _dates_of_birth(tx: Tx, shard: int, lots: Sequence[int]) -> dict[int, Dates]:
    places = {(shard, number // LOTS_PER_COMMAND_MAX) for number in lots}
    sealed = await log_read.leaves_at(tx, places)
    born = {row[0]: row for leaf in sealed.values() for row in leaf.lots}
    return {number: (born[number][_AVAILABLE_FROM], born[number][_EXPIRES_AT]) for number in lots}


def _lot(row: Record) -> LotAt:
    return LotAt(
        row["lot"], Unit(row["unit"]), row["issuer"], row["remaining"], row["cost_left"],
        row["available_from"], row["expires_at"],
    )  # fmt: skip
