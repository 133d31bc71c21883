"""Limits of rate: token buckets, counted in this process."""

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

    def take(self, key: Hashable, now_s: float) -> bool:
        """Whether one more request of key is within the limit; now_s: seconds of a steady clock."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                self._forget_full(now_s)
            bucket = self._buckets[key] = _Bucket(self.burst, now_s)
        tokens = min(self.burst, bucket.tokens + (now_s - bucket.at) * self.rate_per_s)
        bucket.at = now_s
        if tokens < 1:
            bucket.tokens = tokens
            return False
        bucket.tokens = tokens - 1
        return True

    def _forget_full(self, now_s: float) -> None:
        refill_s = self.burst / self.rate_per_s
        kept = {k: b for k, b in self._buckets.items() if now_s - b.at < refill_s}
        self._buckets = kept if len(kept) < BUCKETS_MAX else {}
