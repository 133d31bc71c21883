"""The one source of time; a sandbox has a clock of its own, kit.stream.sandbox_clock."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives now as aware UTC; not ready before it knows the time."""

    @property
    def ready(self) -> bool: ...

    def now(self) -> datetime: ...


def wall() -> datetime:
    """Wall time: signatures, deadlines of waiting callers, and SystemClock; never a decision."""
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock, of a live platform."""

    ready = True

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)
