"""Rows of the table of holds: each as it was placed, and its end once it is known."""

from typing import Any

from verifier.findings import Findings, Spot
from verifier.leaves import Leaf
from verifier.rows import Comparison, Stream
from verifier.state import Hold, State
from verifier.tables import HOLDS

Row = tuple[Any, ...]
End = tuple[str, int | None]  # resolution, resolved_by

_RESOLUTION, _RESOLVED_BY = HOLDS.place("resolution"), HOLDS.place("resolved_by")


class HoldRows:
    """Compares the table with the leaves. A row's end is kept while its hold stands."""

    def __init__(self, state: State, stream: Stream, findings: Findings) -> None:
        self.state = state
        self.stream = stream
        self.findings = findings
        self._placed: dict[int, Hold] = {}  # of this window
        self._ended: dict[int, End] = {}  # of this window
        self._recorded: dict[int, End] = {}
        self._compare = Comparison(HOLDS, ("hold",), findings)

    def note(self, leaf: Leaf) -> None:
        """Note a posted leaf that has rows of holds."""
        sequence = leaf.head[1]
        events: dict[int, set[str]] = {}
        for _, hold, _, _, event in leaf.rows["holds"]:
            events.setdefault(hold, set()).add(event)
        for hold, recorded in events.items():
            if "held" in recorded:
                if hold in self.state.holds:
                    self._placed[hold] = self.state.holds[hold]
                continue
            end = "captured" if "captured" in recorded else "due" if "due" in recorded else "voided"
            self._ended[hold] = (end, sequence)

    async def window(self, last: int) -> None:
        """Compare the rows of holds that were placed or ended in a window, up to its last leaf."""
        for row in await self.stream.take(last):
            placed = self._placed.pop(row[0], None)
            if placed is None:
                self._compare.check([row], [])
                continue
            end = (row[_RESOLUTION], row[_RESOLVED_BY])
            self._compare.check([row], [self._expected_row(placed, end)])
            self._recorded[row[0]] = end
        for hold, missing in self._placed.items():
            self._compare.check(
                [], [self._expected_row(missing, self._ended.get(hold, ("", None)))]
            )
        for hold, end in self._ended.items():
            self._differ(hold, self._recorded.pop(hold, end), end)
        self._placed.clear()
        self._ended.clear()

    def finish(self) -> None:
        """Check that standing holds have no end."""
        for hold, recorded in sorted(self._recorded.items()):
            self._differ(hold, recorded, ("", None))

    def _differ(self, hold: int, recorded: End, expected: End) -> None:
        columns = ("resolution", "resolved_by")
        for column, value, expected_value in zip(columns, recorded, expected, strict=True):
            if value != expected_value:
                spot = Spot("holds", "holds", hold, f"hold {hold}")
                self.findings.wrong(spot, column, value, expected_value)

    def _expected_row(self, hold: Hold, end: End) -> Row:
        return (
            hold.number, hold.owner, hold.due, self.state.shard, end[1], tuple(hold.parts),
            tuple(hold.parts.values()), hold.name, end[0],
        )  # fmt: skip
