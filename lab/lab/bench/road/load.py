"""What a load is: arrivals fixed in advance, the mix, and what was measured of it. Pure."""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Act(StrEnum):
    """What a till does."""

    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    REFUND = "refund"
    RESEND = "resend"
    LOOK_UP = "look-up"  # a refund that is refused once the member was looked up


MIX: Final = {Act.PURCHASE: 0.80, Act.REDEMPTION: 0.10, Act.REFUND: 0.05, Act.RESEND: 0.05}
PURCHASES: Final = {Act.PURCHASE: 1.0}
LOOK_UPS: Final = {Act.LOOK_UP: 1.0}


class Till(Struct, frozen=True):
    """A terminal as its key lets it in."""

    terminal: int
    epoch: int
    key: str


class Open(Struct, frozen=True, tag=True):
    """Tell the generator of a road. members: mobiles are MOBILE_FIRST + 0 .. members - 1."""

    world: str
    url: str
    tills: Sequence[Till]
    members: int
    seed: int


class Step(Struct, frozen=True, tag=True):
    """Load a road for a while. rate_per_s: of arrivals; in_flight_max: unanswered at a time.

    An arrival that finds in_flight_max requests unanswered waits, and its latency runs. count:
    so many arrivals, however long they take, instead of seconds; 0: no such number. mixed: else
    purchases alone. look_ups: of members drawn at random, nothing else.
    """

    world: str
    rate_per_s: float
    seconds: float
    in_flight_max: int
    seed: int
    mixed: bool = True
    count: int = 0
    look_ups: bool = False

    @property
    def mix(self) -> dict[Act, float]:
        """Shares of the acts."""
        if self.look_ups:
            return LOOK_UPS
        return MIX if self.mixed else PURCHASES


class Progress(Struct, frozen=True, tag=True):
    """How far a step is: arrivals sent."""

    sent: int


class Outcome(Struct, frozen=True, tag=True):
    """What a step measured. Latencies in ms from the scheduled send, of what was answered.

    completed: answered with 200, of which `answers` by status; waiting: 202; failed: by code.
    unsent: arrivals still waiting for a free place when the time was over. late_ms_p99: how late
    the generator itself sent what had a place. cpu_s: of the generator process.
    """

    world: str
    rate_per_s: float
    seconds: float
    completed: int
    waiting: int
    unsent: int
    answers: dict[str, int]
    acts: dict[str, int]
    failed: dict[str, int]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    late_ms_p99: float
    cpu_s: float

    @property
    def carried(self) -> int:
        """Transactions that the road took on, answered in time or not."""
        return self.completed + self.waiting

    @property
    def completed_per_s(self) -> float:
        """Rate of answers over the step."""
        return self.completed / self.seconds if self.seconds else 0.0


def arrivals(step: Step, rng: random.Random) -> list[float]:
    """Times in s from the start at which requests are due: as strangers come (exponential gaps)."""
    times: list[float] = []
    at = rng.expovariate(step.rate_per_s)
    while len(times) < step.count if step.count else at < step.seconds:
        times.append(at)
        at += rng.expovariate(step.rate_per_s)
    return times


def draw(count: int, mix: dict[Act, float], rng: random.Random) -> list[Act]:
    """What each arrival wants to do."""
    return rng.choices(list(mix), weights=list(mix.values()), k=count)
