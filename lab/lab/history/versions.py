"""By which version of a programme, or of the network's terms, a purchase of the past is booked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. valid_for: how long what is earned by it lives; None: for ever."""

    number: int
    effective_from: datetime
    valid_for: timedelta | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """A programme or terms as the API shows them."""
        days = document.get("validity_days")
        valid_for = None if days is None else timedelta(days=days)
        return cls(document["version"], start_of(document), valid_for)


def start_of(document: Mapping[str, Any]) -> datetime:
    """When a version takes effect."""
    return datetime.fromisoformat(document["effective_from"])


def in_force(versions: Sequence[Version], at: datetime) -> Version | None:
    """Of the versions effective by then the latest; of two at the same time the newer."""
    begun = [one for one in versions if one.effective_from <= at]
    return max(begun, key=lambda one: (one.effective_from, one.number), default=None)
