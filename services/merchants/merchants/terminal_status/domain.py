"""The status of terminals and merchants, which an operator changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OperatingStatus(StrEnum):
    """Whether gateways accept requests of a terminal, or of all terminals of a merchant."""

    OPEN = "open"
    STOPPED = "stopped"


class SubjectKind(StrEnum):
    """A status is of a terminal or of a merchant."""

    TERMINAL = "terminal"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Subject:
    """One terminal or merchant, by its number."""

    kind: SubjectKind
    number: int


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of status. version: of its subject, from 1 without gaps; the newest counts."""

    change: str
    version: int
    standing: OperatingStatus
    reason: str
    changed_by: str
    changed_at: datetime

    def is_repeat(self, other: "StatusChange") -> bool:
        """Whether another requests the same; who and when are the first one's."""
        return (self.standing, self.reason) == (other.standing, other.reason)
