"""Whether this gateway may take traffic: tables fresh, clock right, replies assigned."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.topics import (
    IDENTITY_SESSIONS,
    MEMBERS_IDENTIFIERS,
    MERCHANTS_PROGRAMMES,
    MERCHANTS_TERMINALS,
    MERCHANTS_TERMS,
)
from gateway import problems
from gateway.problems import Code
from gateway.tables.store import Place
from kit.base import clock, telemetry
from kit.base.telemetry import Metric
from kit.room import Resources

STATE_TOPICS: Final = (
    MEMBERS_IDENTIFIERS,
    MERCHANTS_TERMINALS,
    MERCHANTS_PROGRAMMES,
    MERCHANTS_TERMS,
    IDENTITY_SESSIONS,
)
SESSIONS: Final = IDENTITY_SESSIONS.name
HEARTBEAT_S: Final = 30.0
SKEW_S: Final = 0.5
SKEW_KEPT_S: Final = 15.0  # a measurement older than this counts no more


@dataclass(slots=True)
class Readiness:
    """Facts that the feeds report, and the readiness that follows; wall time throughout."""

    sandbox: bool  # the clock is not checked: the platform's time is not the broker's
    wall: Callable[[], datetime]
    caught_up: bool = False
    replies_assigned: bool = False
    heartbeats: dict[Place, float] = field(default_factory=dict[Place, float])  # epoch seconds
    _skew_s: float = 0.0
    _skew_at: float = 0.0
    _ready: bool = False

    def expect_heartbeats(self, places: Iterable[Place]) -> None:
        """Expect heartbeats on these partitions."""
        for place in places:
            self.heartbeats.setdefault(place, 0.0)

    def note_heartbeat(self, place: Place, at_ms: int) -> None:
        """A heartbeat came; at_ms: its time, from the broker or its producer."""
        self.heartbeats[place] = max(self.heartbeats.get(place, 0.0), at_ms / 1000)

    def note_append(self, before: datetime, appended: datetime, after: datetime) -> None:
        """The broker stamped `appended` on a record that was sent between before and after."""
        early = (before - appended).total_seconds()
        late = (appended - after).total_seconds()
        self._skew_s = max(early, late, 0.0)
        self._skew_at = after.timestamp()

    def tables_fresh(self) -> bool:
        """Whether every state partition that tills need had a heartbeat within 30 s."""
        return self._fresh([at for place, at in self.heartbeats.items() if place[0] != SESSIONS])

    def sessions_fresh(self) -> bool:
        """Whether the sessions had a heartbeat within 30 s: else one that ended may look open.

        No till waits for them: identity may be away while shops sell.
        """
        return self._fresh([at for place, at in self.heartbeats.items() if place[0] == SESSIONS])

    def clock_right(self) -> bool:
        """Whether the last measurement, if any is recent, is within 500 ms of the broker."""
        if self.sandbox or self.wall().timestamp() - self._skew_at > SKEW_KEPT_S:
            return True
        return self._skew_s <= SKEW_S

    def checks(self) -> dict[str, Callable[[], bool]]:
        """The checks of readiness, by name."""
        return {
            "tables caught up": lambda: self.caught_up,
            "tables fresh": self.tables_fresh,
            "clock right": self.clock_right,
            "replies assigned": lambda: self.replies_assigned,
        }

    async def refresh(self) -> None:
        """Evaluate anew; a job calls it, so that a request reads one boolean."""
        self._ready = self._evaluate()
        for topic in STATE_TOPICS:
            ages = [at for place, at in self.heartbeats.items() if place[0] == topic.name]
            if ages:
                telemetry.gauge(Metric.TABLE_AGE_SECONDS, self._oldest_s(ages), topic.name)
        telemetry.gauge(Metric.CLOCK_OFFSET_SECONDS, self._skew_s)

    def refuse_unready(self) -> None:
        """Raise NOT_READY unless ready as of the last refresh.

        Stale tables may lead to a wrong shard.
        """
        if not self._ready:
            self._ready = self._evaluate()
        if not self._ready:
            raise problems.refusal(Code.NOT_READY)

    def _evaluate(self) -> bool:
        return all(check() for check in self.checks().values())

    def _fresh(self, times: Sequence[float]) -> bool:
        return bool(times) and self._oldest_s(times) <= HEARTBEAT_S

    def _oldest_s(self, times: Iterable[float]) -> float:
        return self.wall().timestamp() - min(times)


def readiness_of(opened: Resources) -> Readiness:
    """Readiness of this process; `opened.shared(readiness_of)` makes it once."""
    return Readiness(opened.settings.sandbox, clock.wall)
