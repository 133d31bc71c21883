"""What the audit found wrong, in plain words: counted without bound, listed up to one."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

LISTED_MAX = 1000


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, and what it should be. None: does not apply."""

    check: str  # the pass that found it
    text: str  # a sentence
    shard: int | None = None
    table: str | None = None
    sequence: int | None = None
    row: str | None = None
    column: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As the report has it; what does not apply is left out."""
        fields = {
            "check": self.check, "shard": self.shard, "table": self.table,
            "sequence": self.sequence, "row": self.row, "column": self.column, "text": self.text,
        }  # fmt: skip
        return {name: value for name, value in fields.items() if value is not None}


class Spot(NamedTuple):
    """Where something is wrong: found by which pass, in which row."""

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
    stopped: set[str] = field(default_factory=set[str])  # passes that went no further

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
        """Note a column that has another value than it should."""
        number = "" if spot.sequence is None else f"sequence {spot.sequence}, "
        values = f"{column} is {display(recorded)}, should be {display(expected)}"
        self.add(spot, f"{spot.table}, {number}{spot.row}: {values}", column=column)

    def stop(self, check: str, sequence: int, why: str) -> None:
        """A pass cannot go on in this shard from a sequence number on; said once."""
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
    """A value as a sentence has it: bytes in hex, nothing as null, never endless."""
    if value is None:
        return "null"
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
