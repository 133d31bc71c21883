"""Changes of a user: whether he is stopped, or what he may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a change is about."""

    STANDING = "standing"
    GRANTS = "grants"


class UserStanding(StrEnum):
    """Whether a user may sign in."""

    OPEN = "open"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class UserChange:
    """A change of a user. version: of this user's changes, from 1 without gaps.

    standing, grants: as the change leaves them.
    """

    change: str
    user: str
    version: int
    kind: Kind
    standing: UserStanding
    grants: tuple[str, ...]
    reason: str
    changed_by: str
    changed_at: datetime

    def is_repeat(self, other: "UserChange") -> bool:
        """Whether another requests the same; who and when are the first one's."""
        mine = self.standing if self.kind is Kind.STANDING else self.grants
        theirs = other.standing if other.kind is Kind.STANDING else other.grants
        return (self.user, self.kind, mine, self.reason) == (
            other.user, other.kind, theirs, other.reason,
        )  # fmt: skip
