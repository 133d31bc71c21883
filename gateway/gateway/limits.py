"""Limits of rate, by token buckets, and of concurrency; both counted in this process."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

BUCKETS_MAX: Final = 100_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class RateLimiter:
    """One bucket a key: rate_per_s tokens a second, at most burst of them."""

    rate_per_s: float
    burst: float
    _buckets: dict[Hashable, _Bucket] = field(default_factory=dict[Hashable, _Bucket])

    def take(self, key: Hashable, now_s: float, cost: float = 1.0) -> bool:
        """Whether one more request of key is within the limit; now_s: seconds of a steady clock.

        cost: tokens it takes, at most burst of them: otherwise a costly request could never pass.
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
class ConcurrencyLimit:
    """Work going on at a time: at most caller_limit of one caller's, and limit of everybody's."""

    caller_limit: int
    limit: int
    _by_caller: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    _count: int = 0

    def enter(self, caller: Hashable) -> bool:
        """Take a slot, which leave gives back; False when there is none for this caller."""
        taken = self._by_caller.get(caller, 0)
        if taken >= self.caller_limit or self._count >= self.limit:
            return False
        self._by_caller[caller] = taken + 1
        self._count += 1
        return True

    def leave(self, caller: Hashable) -> None:
        """Give a slot back."""
        left = self._by_caller[caller] - 1
        if left:
            self._by_caller[caller] = left
        else:
            del self._by_caller[caller]
        self._count -= 1

    @property
    def count(self) -> int:
        """How many slots are taken."""
        return self._count
