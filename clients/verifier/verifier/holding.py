"""Pass 6 over one leaf: the held amounts of lots, and one end of each hold."""

from typing import Any

from verifier.findings import Findings, Spot
from verifier.leaves import Leaf
from verifier.state import Hold, State

Row = tuple[Any, ...]

ENDS = frozenset({"captured", "released", "due"})


def hold(state: State, leaf: Leaf, findings: Findings) -> None:
    """Change held amounts by a leaf's rows; all parts of a hold end in one leaf."""
    sequence = leaf.head[1]
    ended: dict[int, dict[int, int]] = {}
    for place, row in enumerate(leaf.rows["holds"]):
        ordinal, number, lot, amount, event = row
        spot = Spot("holds", "leaves", sequence, f"hold {number}, lot {lot}")
        if ordinal != place:
            findings.wrong(spot, "ordinal", ordinal, place)
        if event == "held" and number == sequence:
            _place(state, row, spot, findings)
        elif event in ENDS:
            parts = ended.setdefault(number, {})
            parts[lot] = parts.get(lot, 0) + amount
        else:
            findings.add(spot, f"sequence {sequence} says {event} of hold {number}", column="what")
    for number, parts in ended.items():
        _end(state, number, parts, Spot("holds", "leaves", sequence, f"hold {number}"), findings)


def _place(state: State, row: Row, spot: Spot, findings: Findings) -> None:
    _, number, lot_number, amount, _ = row
    lot = state.lots.get(lot_number)
    if lot is None or amount <= 0:
        findings.add(spot, f"hold {number} holds {amount} of lot {lot_number}, which is not open")
        return
    placed = state.holds.get(number)
    if placed is None:
        placed = state.holds[number] = Hold(number, lot.owner, {})
        state.purse(lot.owner).holds[number] = placed
    placed.parts[lot_number] = placed.parts.get(lot_number, 0) + amount
    lot.held += amount


def _end(state: State, number: int, parts: dict[int, int], spot: Spot, findings: Findings) -> None:
    standing = state.holds.pop(number, None)
    if standing is None:
        findings.add(spot, f"sequence {spot.sequence} ends hold {number}, which does not stand")
        return
    state.purse(standing.owner).holds.pop(number, None)
    if parts != standing.parts:
        findings.add(
            spot,
            f"sequence {spot.sequence} ends {parts} of hold {number}, which holds {standing.parts}",
            column="amount",
        )
    for lot_number, amount in standing.parts.items():
        lot = state.lots.get(lot_number)
        if lot is not None:
            lot.held -= amount
            if not lot.left:
                state.emptied.add(lot_number)


def check(state: State, leaf: Leaf, findings: Findings) -> None:
    """Check that no touched lot holds more than it has."""
    for _, number, lot_number, _, _ in leaf.rows["holds"]:
        lot = state.lots.get(lot_number)
        if lot is not None and not 0 <= lot.held <= lot.left:
            findings.add(
                Spot("holds", "lots", leaf.head[1], f"lot {lot_number}"),
                f"after sequence {leaf.head[1]} (hold {number}) lot {lot_number} holds {lot.held}"
                f" of {lot.left}",
                column="held",
            )
