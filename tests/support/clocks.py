"""Clocks for tests."""

from datetime import datetime


class StoppedClock:
    """A clock that stands where it was put."""

    ready = True

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Where it stands."""
        return self.at
