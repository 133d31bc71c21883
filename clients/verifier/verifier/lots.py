"""Rows of the table of lots: birth at their leaf, and present state once it is known."""

from operator import itemgetter
from typing import Any

from verifier.findings import Findings, Spot
from verifier.leaves import Leaf
from verifier.rows import Comparison, Stream
from verifier.state import LOTS_PER_SEQUENCE, WAITING, Lot, State
from verifier.tables import LOTS

Row = tuple[Any, ...]
Now = tuple[Any, ...]  # remaining, cost_left, held, lapsed, available_from, expires_at, open

STATE_COLUMNS = (
    "remaining", "cost_left", "held", "lapsed", "available_from", "expires_at", "open",
)  # fmt: skip
# A leaf's row of a lot (tag 5) by the table's columns; None: not known at birth.
_LEAF_COLUMNS = (
    "lot", "account_id", "amount", "cost_rial", "", "", "born_at", "parent", "issuer", "funder",
    "merchant", "rule_version", "unit", "rule", "origin",
)  # fmt: skip
_BIRTH = [name for name in _LEAF_COLUMNS if name]
_TABLE_BIRTH = itemgetter(*[LOTS.place(name) for name in _BIRTH])
_LEAF_BIRTH = itemgetter(*[_LEAF_COLUMNS.index(name) for name in _BIRTH])
_SLIDING = LOTS.place("sliding_days")
_WAITS = LOTS.place("waits")
_TABLE_NOW = itemgetter(*[LOTS.place(name) for name in STATE_COLUMNS])


class LotRows:
    """Compares the table with the leaves. A row's present state is kept while its lot is open."""

    def __init__(self, state: State, stream: Stream, findings: Findings) -> None:
        self.state = state
        self.stream = stream
        self.findings = findings
        self._recorded: dict[int, Now] = {}  # the table's state, unless it is used up
        self._wrong: dict[int, tuple[Now, Now]] = {}  # of lots let go: recorded, and expected
        self._absent: set[int] = set()  # without a row: noted once
        self._compare = Comparison(LOTS, ("lot",), findings)

    async def births(self, leaves: list[Leaf], last: int) -> None:
        """Compare rows of lots opened by these leaves, the last of which has this number."""
        born = {
            row[0]: (row, _waits(row, leaf.head[2]))
            for leaf in leaves
            for row in leaf.rows.get("lots", ())
        }
        rows = await self.stream.take((last + 1) * LOTS_PER_SEQUENCE - 1)
        for row in rows:
            birth = born.pop(row[0], None)
            if birth is None:
                self._compare.check([row], [])
                continue
            leaf_row, waits = birth
            lot = self.state.lots.get(row[0])
            sliding = row[_SLIDING] if lot is None else lot.sliding
            if (
                _TABLE_BIRTH(row) != _LEAF_BIRTH(leaf_row)
                or row[_SLIDING] != sliding
                or row[_WAITS] != waits
            ):
                expected = _table_row(self.state.shard, leaf_row, row, sliding, waits=waits)
                self._compare.check([row], [expected])
            recorded = _TABLE_NOW(row)
            if recorded[0] or recorded != _used_up(leaf_row[4], leaf_row[5]):
                self._recorded[row[0]] = recorded
        for number in born:
            self.findings.add(
                Spot("lots", "lots", number // LOTS_PER_SEQUENCE, row=f"lot {number}"),
                f"lots: the row of lot {number} is missing",
            )
            self._absent.add(number)

    def recall(self, row: Row, sliding: int) -> None:
        """Take up a dropped lot again, with the sliding days of its command."""
        number = row[0]
        if number in self.state.lots:
            return
        self.state.recall(row)
        lot = self.state.lots.get(number)
        known = self._wrong.pop(number, None)
        if lot is None:
            return
        lot.sliding = sliding
        recorded = _now(lot) if known is None else known[0]
        if recorded != _used_up(lot.first_start, lot.first_until):
            self._recorded[number] = recorded

    def release(self, lots: list[Lot]) -> None:
        """Compare the table with these used up lots, which are dropped for now."""
        for lot in lots:
            if lot.number in self._absent:
                continue
            expected = _now(lot)
            recorded = self._recorded.pop(lot.number, None)
            if recorded is None:
                recorded = _used_up(lot.first_start, lot.first_until)
            if recorded != expected:
                self._wrong[lot.number] = (recorded, expected)

    def finish(self) -> None:
        """Compare the table with the open lots after the last leaf."""
        for number, lot in self.state.lots.items():
            if number in self._absent:
                continue
            recorded = self._recorded.pop(number, None)
            if recorded is None:
                recorded = _used_up(lot.first_start, lot.first_until)
            if recorded != _now(lot):
                self._wrong[number] = (recorded, _now(lot))
        for number, (recorded, expected) in sorted(self._wrong.items()):
            for column, value, expected_value in zip(
                STATE_COLUMNS, recorded, expected, strict=True
            ):
                if value != expected_value:
                    check = "holds" if column == "held" else "lots"
                    self.findings.wrong(
                        Spot(check, "lots", number // LOTS_PER_SEQUENCE, row=f"lot {number}"),
                        column,
                        value,
                        expected_value,
                    )


def _used_up(start: int | None, until: int | None) -> Now:
    return (0, 0, 0, 0, None if start == WAITING else start, until, False)


def _now(lot: Lot) -> Now:
    start = None if lot.start == WAITING else lot.start
    return (lot.left, lot.cost, lot.held, lot.lapsed, start, lot.until, lot.left > 0)


def _waits(leaf_row: Row, decided_at: int) -> bool:
    """Whether a lot was pending when its leaf opened it."""
    return leaf_row[4] is None or leaf_row[4] > decided_at


def _table_row(shard: int, leaf_row: Row, row: Row, sliding: int, *, waits: bool) -> Row:
    """The table's row with all that its leaf has of it; the rest as it is."""
    recorded: dict[str, Any] = dict(zip(_LEAF_COLUMNS, leaf_row, strict=True))
    recorded["shard"], recorded["sliding_days"], recorded["waits"] = shard, sliding, waits
    return tuple([recorded.get(name, value) for name, value in zip(LOTS.names, row, strict=True)])
