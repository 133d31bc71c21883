"""Limits: of rate by token buckets, of work by places; both counted in this process."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

BUCKETS_MAX: Final = 100_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class Limiter:
    """One bucket a key: rate_per_s tokens a second, at most burst of them."""

    rate_per_s: float
    burst: float
    _buckets: dict[Hashable, _Bucket] = field(default_factory=dict[Hashable, _Bucket])

    def take(self, key: Hashable, now_s: float, cost: float = 1.0) -> bool:
        """Whether one more request of key is within the limit; now_s: seconds of a steady clock.

        cost: tokens it takes; more than burst is taken as burst, so that no request is too dear
        for ever.
        """
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                self._forget_full(now_s)
            bucket = self._buckets[key] = _Bucket(self.burst, now_s)
        tokens = min(self.burst, bucket.tokens + (now_s - bucket.at) * self.rate_per_s)
        bucket.at = now_s
        needed = max(1.0, min(cost, self.burst))
        if tokens < needed:
            bucket.tokens = tokens
            return False
        bucket.tokens = tokens - needed
        return True

    def _forget_full(self, now_s: float) -> None:
        refill_s = self.burst / self.rate_per_s
        kept = {k: b for k, b in self._buckets.items() if now_s - b.at < refill_s}
        self._buckets = kept if len(kept) < BUCKETS_MAX else {}


@dataclass(slots=True)
class Places:
    """Work going on at a time: at most each of one caller's, and in_all of everybody's."""

    each: int
    in_all: int
    _taken: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    _count: int = 0

    def enter(self, caller: Hashable) -> bool:
        """Take a place, which leave gives back; False when there is none for this caller."""
        taken = self._taken.get(caller, 0)
        if taken >= self.each or self._count >= self.in_all:
            return False
        self._taken[caller] = taken + 1
        self._count += 1
        return True

    def leave(self, caller: Hashable) -> None:
        """Give a place back."""
        left = self._taken[caller] - 1
        if left:
            self._taken[caller] = left
        else:
            del self._taken[caller]
        self._count -= 1

    @property
    def count(self) -> int:
        """How many are taken."""
        return self._count


@dataclass(slots=True)
class Shown:
    """Identifiers that each terminal has shown and not sold to: at most most of them in window_s.

    Asked before any table is, so that beyond the limit a member and a stranger hear the same
    (findings S7). A sale takes its identifier off again: a till that sells never meets the limit,
    however much it sells; one that only asks does. window_s, now_s: seconds of a steady clock.
    """

    most: int
    window_s: float
    _of: dict[int, dict[str, float]] = field(default_factory=dict[int, dict[str, float]])

    def show(self, terminal: int, digest: str, now_s: float) -> bool:
        """Whether a terminal may show this identifier; one that it showed before is free."""
        shown = self._of.get(terminal)
        if shown is None:
            if len(self._of) >= BUCKETS_MAX:
                self._forget_old(now_s)
            shown = self._of[terminal] = {}
        if digest in shown:
            return True
        if len(shown) >= self.most:
            self._drop_old(shown, now_s)
            if len(shown) >= self.most:
                return False
        shown[digest] = now_s
        return True

    def sold(self, terminal: int, digest: str) -> None:
        """A sale to this identifier entered the road."""
        shown = self._of.get(terminal)
        if shown is not None:
            shown.pop(digest, None)

    def unsold(self, terminal: int, digest: str, now_s: float) -> None:
        """What was taken for a sale is none: its identifier counts as shown, now."""
        shown = self._of.get(terminal)
        if shown is None and len(self._of) < BUCKETS_MAX:
            shown = self._of[terminal] = {}
        if shown is not None:
            shown.setdefault(digest, now_s)

    def _drop_old(self, shown: dict[str, float], now_s: float) -> None:
        while shown:
            oldest = next(iter(shown))  # they stand in the order they were shown
            if now_s - shown[oldest] < self.window_s:
                return
            del shown[oldest]

    def _forget_old(self, now_s: float) -> None:
        for terminal, shown in list(self._of.items()):
            self._drop_old(shown, now_s)
            if not shown:
                del self._of[terminal]
