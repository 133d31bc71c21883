"""What each caller may take of what all share, by cost; and who is told to wait."""

import asyncio
import time
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gateway.clients import Purpose
from gateway.domain import problems
from gateway.domain.limits import Limiter, Places
from gateway.domain.problems import Code
from gateway.settings import Settings
from kit import errors, telemetry
from kit.telemetry import Metric

TILL_BYTES: Final = 2_048  # of a till's body for one token: 500 lines cost as some 20 sales
UPLOAD_BYTES: Final = 65_536
BODIES_IN_ALL: Final = 4_000  # as many as there are connections: each key has its own bound
HELD_EACH, HELD_IN_ALL = 64, 512  # refusals told late at a time, of one address and of all
READING: Final = "readings"  # whose bucket those over a whole book are, whoever asks


@dataclass(frozen=True, slots=True)
class Shares:
    """Buckets and places of every kind of caller.

    A limit is asked before what it limits is begun: a till's before its body is read, a stranger's
    before his key is looked up.
    """

    tills: Limiter
    history: Limiter
    statuses: Limiter
    administration: Limiter
    readings: Limiter
    strangers: Limiter
    bodies: Places  # of transactions, still on their way
    asking: Places  # of statuses
    administering_at_once: Places
    holding: Places
    delay_s: float

    @classmethod
    def of(cls, settings: Settings) -> "Shares":
        """As the settings have them."""
        s = settings
        in_all = s.administration_connections * 8
        return cls(
            tills=Limiter(s.terminal_rate_per_s, s.terminal_burst),
            history=Limiter(s.history_rate_per_s, s.history_burst),
            statuses=Limiter(s.status_rate_per_s, s.status_burst),
            administration=Limiter(s.administration_rate_per_s, s.administration_burst),
            readings=Limiter(s.reading_rate_per_s, s.reading_burst),
            strangers=Limiter(s.stranger_rate_per_s, s.stranger_burst),
            bodies=Places(s.pending_each, BODIES_IN_ALL),
            asking=Places(s.status_each, s.status_connections * 4),
            administering_at_once=Places(s.administration_each, in_all),
            holding=Places(HELD_EACH, HELD_IN_ALL),
            delay_s=s.refusal_delay_ms / 1000,
        )

    def till(self, key: Hashable) -> None:
        """One more request under a terminal's key. Raises RATE_LIMITED."""
        _take(self.tills, key, "terminal")

    def till_body(self, key: Hashable, size: int) -> None:
        """The rest of a body's cost, by its size in bytes. Raises RATE_LIMITED."""
        if size > TILL_BYTES:
            _take(self.tills, key, "terminal-bytes", size // TILL_BYTES)

    def historic(self, key: Hashable) -> None:
        """One more imported purchase. Raises RATE_LIMITED."""
        _take(self.history, key, "history")

    def stranger(self, address: str) -> None:
        """One more request of an address whose key nobody knows. Raises RATE_LIMITED."""
        _take(self.strangers, address, "strangers")

    @contextmanager
    def status(self, key: Hashable) -> Generator[None]:
        """One status asked for. Raises RATE_LIMITED."""
        _take(self.statuses, key, "status")
        with _placed(self.asking, key, "status-places"):
            yield

    @contextmanager
    def administering(self, caller: str, purpose: Purpose) -> Generator[None]:
        """One request passed on. Raises RATE_LIMITED."""
        _take(self.administration, caller, "administration")
        if purpose is Purpose.READING:
            _take(self.readings, READING, "readings")
        with _placed(self.administering_at_once, caller, "administration-places"):
            yield

    def weigh(self, caller: str, size: int) -> None:
        """The cost of a body that is passed on, by its size in bytes. Raises RATE_LIMITED."""
        if size > UPLOAD_BYTES:
            _take(self.administration, caller, "administration-bytes", size // UPLOAD_BYTES)

    @contextmanager
    def sending(self, key: Hashable) -> Generator[None]:
        """A transaction's body on its way, of which a key may have as many as on the road.

        Else a handful of keys that send slowly hold every connection there is. Raises RATE_LIMITED.
        """
        with _placed(self.bodies, key, "bodies"):
            yield

    async def hold(self, error: errors.Problem, address: str) -> None:
        """Let who was told to wait do so: an answer at once would only bring the next request.

        Nor may what he sent ahead: the connection ends with the answer. Where too many wait they
        are told at once, so that refusals hold no more connections than these.
        """
        if error.code != Code.RATE_LIMITED.code or not self.delay_s:
            return
        error.closes = True
        if self.holding.enter(address):
            try:
                await asyncio.sleep(self.delay_s)
            finally:
                self.holding.leave(address)


def _take(limiter: Limiter, key: Hashable, limit: str, cost: float = 1.0) -> None:
    if not limiter.take(key, time.monotonic(), cost):
        telemetry.count(Metric.LIMITED, limit)
        raise problems.refusal(Code.RATE_LIMITED)


@contextmanager
def _placed(places: Places, key: Hashable, limit: str) -> Generator[None]:
    if not places.enter(key):
        telemetry.count(Metric.LIMITED, limit)
        raise problems.refusal(Code.RATE_LIMITED, "too many at a time under this key")
    try:
        yield
    finally:
        places.leave(key)
