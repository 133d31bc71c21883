"""Value that a member's account sent and that neither arrived nor came back, at a moment."""

from contracts.values import Unit
from kit.base.db import Record, Tx
from ledger.book.facts import LotMovementKind
from ledger.log.domain import prior_postings
from ledger.log.usecases import log_read
from ledger.log.usecases.log_read import Place
from ledger.query.domain.balances import Kin
from ledger.query.store import history
from ledger.query.usecases.moments import Moment
from ledger.tables import lots as lots_table


async def in_transit(tx: Tx, account: int, moment: Moment) -> dict[Kin, int]:
    """Amounts in transit, by unit and issuer.

    A receipt is booked on another shard. As of a moment it counts if it was decided by then.
    """
    rows = await history.list_sends(tx, shard=moment.shard, owner=account, last=moment.sequence)
    late = {
        (row["to_shard"], row["received"])
        for row in rows
        if row["is_filled"] and not moment.now and row["by"] > moment.at
    }
    decided = {
        place: leaf.decided_at for place, leaf in (await log_read.leaves_at(tx, late)).items()
    }

    def arrived(row: Record) -> bool:
        place = (row["to_shard"], row["received"])
        return row["is_filled"] and (place not in decided or decided[place] <= moment.at)

    places = {(moment.shard, int(row["sequence"])) for row in rows if not arrived(row)}
    return await _sent(tx, places)


async def _sent(tx: Tx, places: set[Place]) -> dict[Kin, int]:
    sent = [
        (place[0], movement)
        for place, leaf in (await log_read.leaves_at(tx, places)).items()
        for movement in map(prior_postings.row_of, leaf.consumptions)
        if movement.kind is LotMovementKind.SENT
    ]
    if not sent:
        return {}
    lot_keys = sorted({(shard, movement.lot) for shard, movement in sent})
    rows = await lots_table.list_units(tx, lot_keys)
    units = {(row["shard"], row["lot"]): Unit(row["unit"]) for row in rows}
    amounts: dict[Kin, int] = {}
    for shard, movement in sent:
        kin = (units[shard, movement.lot], movement.issuer)
        amounts[kin] = amounts.get(kin, 0) + movement.amount
    return amounts
