"""Writes holds of a batch, and lots whose held part or dates it changed."""

from collections.abc import Iterable, Mapping, Sequence

from kit.base.db import Tx
from ledger.book.errors import InvariantBroken
from ledger.book.facts import Held, Hold, Lot
from ledger.posting.decide.batch_state import BatchState, Posting
from ledger.posting.store import reservations

Place = tuple[int, int]  # shard, lot


def touched(decisions: Sequence[Posting]) -> set[Place]:
    """Lots whose held part or dates a batch changed."""
    keys: set[Place] = set()
    for decision in decisions:
        if decision.holds or decision.dates:
            shard = decision.command.shard
            keys |= {(shard, row[2]) for row in decision.holds}
            keys |= {(shard, row[0]) for row in decision.dates}
    return keys


def check(book: BatchState, decisions: Sequence[Posting]) -> None:
    """Check that lots hold exactly what the accounts' holds reserve. Raises InvariantBroken."""
    owners = {(d.command.shard, d.owner) for d in decisions if d.holds}
    for shard, owner in owners:
        member = book.member(shard, owner)
        held: dict[int, int] = {}
        for hold in member.holds.values():
            for lot, amount in hold.parts:
                held[lot] = held.get(lot, 0) + amount
        if {lot.lot: lot.held for lot in member.lots.values() if lot.held} != held:
            raise InvariantBroken(f"shard {shard}: lots of {owner} do not hold what its holds say")


async def write(tx: Tx, lots: Mapping[Place, Lot], decisions: Sequence[Posting]) -> None:
    """Holds placed, holds resolved, then those touched lots that existed before."""
    placed: list[tuple[int, Hold]] = []
    resolved: list[tuple[int, int, str, int]] = []
    for decision in decisions:
        if not decision.holds:
            continue
        shard, sequence = decision.command.shard, decision.sequence
        hold_placed = (decision.standing_holds or {}).get(sequence)
        if hold_placed is not None:
            placed.append((shard, hold_placed))
        ended = [row for row in decision.holds if row[4] != Held.HELD]
        for hold in dict.fromkeys(row[1] for row in ended):
            resolved_as = resolution(row[4] for row in ended if row[1] == hold)
            resolved.append((shard, hold, resolved_as, sequence))
    if placed:
        await reservations.insert_holds(tx, [_row(shard, hold) for shard, hold in placed])
    if resolved and await reservations.resolve_holds(tx, resolved) != len(resolved):
        raise InvariantBroken("a hold was resolved before")
    if lots:
        rows = [_lot(shard, lots[shard, lot]) for shard, lot in sorted(lots)]
        if await reservations.update_lots(tx, rows) != len(rows):
            raise InvariantBroken("a lot that changed has no state")


def resolution(events: Iterable[str]) -> str:
    """How a hold ended, from the events of its lots."""
    seen = set(events)
    if Held.CAPTURED in seen:
        return "captured"
    return "due" if Held.DUE in seen else "voided"


def _row(shard: int, hold: Hold) -> tuple[object, ...]:
    lots = "{" + ",".join(str(lot) for lot, _ in hold.parts) + "}"
    amounts = "{" + ",".join(str(amount) for _, amount in hold.parts) + "}"
    return (shard, hold.hold, hold.owner, hold.name, hold.due_at, lots, amounts)


def _lot(shard: int, lot: Lot) -> tuple[object, ...]:
    return (
        shard, lot.lot, lot.remaining, lot.cost_left, lot.lapsed, lot.held, lot.available_from,
        lot.expires_at,
    )  # fmt: skip
