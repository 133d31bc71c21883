"""Terminals and merchants that are stopped, and opened again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """Whether anything comes in under a terminal's keys, or those of all of a merchant's."""

    OPEN = "open"
    STOPPED = "stopped"


class Kind(StrEnum):
    """What can be stopped."""

    TERMINAL = "terminal"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Subject:
    """One terminal or merchant, by its number."""

    kind: Kind
    number: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change of standing. version: of its subject, from 1 without gaps; the newest counts."""

    change: str
    version: int
    standing: Standing
    reason: str
    changed_by: str
    changed_at: datetime

    def asks_as(self, other: "Change") -> bool:
        """Whether two say the same: who and when are the first one's."""
        return (self.standing, self.reason) == (other.standing, other.reason)
