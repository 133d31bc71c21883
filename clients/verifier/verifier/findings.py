"""The audit's findings as sentences: all are counted, a bounded number is listed."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

LISTED_MAX = 1000


@dataclass(frozen=True)
class Finding:
    """One fault: its place, and the expected value. None: does not apply."""

    check: str  # the pass that found it
    text: str  # a sentence
    shard: int | None = None
    table: str | None = None
    sequence: int | None = None
    row: str | None = None
    column: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding in the report, without the fields that do not apply."""
        fields = {
            "check": self.check, "shard": self.shard, "table": self.table,
            "sequence": self.sequence, "row": self.row, "column": self.column, "text": self.text,
        }  # fmt: skip
        return {name: value for name, value in fields.items() if value is not None}


class Spot(NamedTuple):
    """The place of a fault: the pass that found it, and the row."""

    check: str
    table: str | None = None
    sequence: int | None = None
    row: str | None = None


@dataclass
class Findings:
    """Findings of one audit, or of one shard of it."""

    shard: int | None = None
    count: int = 0
    by_check: dict[str, int] = field(default_factory=dict[str, int])
    listed: list[Finding] = field(default_factory=list[Finding])
    stopped: set[str] = field(default_factory=set[str])  # passes that stopped

    def add(self, spot: Spot, text: str, *, column: str | None = None) -> None:
        """Note a finding about this shard."""
        self.count += 1
        self.by_check[spot.check] = self.by_check.get(spot.check, 0) + 1
        if len(self.listed) < LISTED_MAX:
            where = "" if self.shard is None else f"shard {self.shard}: "
            self.listed.append(
                Finding(
                    spot.check,
                    where + text,
                    self.shard,
                    spot.table,
                    spot.sequence,
                    spot.row,
                    column,
                )
            )

    def wrong(self, spot: Spot, column: str, recorded: object, expected: object) -> None:
        """Note a column whose value is not the expected one."""
        number = "" if spot.sequence is None else f"sequence {spot.sequence}, "
        values = f"{column} is {display(recorded)}, should be {display(expected)}"
        self.add(spot, f"{spot.table}, {number}{spot.row}: {values}", column=column)

    def stop(self, check: str, sequence: int, why: str) -> None:
        """Note, once, that a pass cannot go on in this shard from a sequence number on."""
        if check not in self.stopped:
            self.stopped.add(check)
            text = f"{check}: not checked from sequence {sequence} on, because {why}"
            self.add(Spot(check, sequence=sequence), text)

    def take(self, other: "Findings") -> None:
        """Add another collection's findings to this one's."""
        self.count += other.count
        for check, count in other.by_check.items():
            self.by_check[check] = self.by_check.get(check, 0) + count
        self.listed += other.listed[: LISTED_MAX - len(self.listed)]


def display(value: object) -> str:
    """A value within a sentence: bytes in hex, None as null, of bounded length."""
    if value is None:
        return "null"
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
