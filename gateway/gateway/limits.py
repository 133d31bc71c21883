"""Limits of rate, by token buckets, and of concurrency; both counted in this process.

Each is told to its callers as draft-ietf-httpapi-ratelimit-headers-11 has it: RateLimit-Policy,
what a limit is; RateLimit, where it stands for whoever asks.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

BUCKETS_MAX: Final = 100_000
INTEGER_MAX: Final = 10**15 - 1  # of a structured field (RFC 9651, 3.3.1)
PLACES_AGAIN_S: Final = 1  # when to ask again where all places are taken: nobody knows
_WAITING: Final = frozenset({202, 429, 503})  # answers that may say by themselves when to ask again


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class RateLimiter:
    """One bucket a key: rate_per_s tokens a second, at most burst of them. name: for callers."""

    rate_per_s: float
    burst: float
    name: str = ""
    policy: bytes = field(init=False)
    _template: bytes = field(init=False)
    _token_s: float = field(init=False)
    _buckets: dict[Hashable, _Bucket] = field(default_factory=dict[Hashable, _Bucket])

    def __post_init__(self) -> None:
        """Write the policy once: q, what a bucket holds; w, seconds in which an empty one fills."""
        self._token_s = 1 / self.rate_per_s if self.rate_per_s else float(INTEGER_MAX)
        told = f'"{self.name}";q={_integer(self.burst)};w={self.wait_s(-self.burst) or 1}'
        self.policy, self._template = told.encode(), f'"{self.name}";r=%d;t=%d'.encode()

    def take(self, key: Hashable, now_s: float, cost: float = 1.0) -> bool:
        """Whether one more request of key is within the limit; as draw."""
        return self.draw(key, now_s, cost) >= 0

    def draw(self, key: Hashable, now_s: float, cost: float = 1.0) -> float:
        """Tokens that are left after one more request; below zero what lacks, and none is taken.

        now_s: seconds of a steady clock. cost: tokens it takes, at most burst of them: otherwise a
        costly request could never pass.
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
            return tokens - needed
        bucket.tokens = left = tokens - needed
        return left

    def standing(self, left: float) -> bytes:
        """RateLimit: what is left, and seconds until it is whole; refused, until it would pass."""
        if left < 0:
            return self._template % (0, self.wait_s(left))
        return self._template % (left, min(INTEGER_MAX, (self.burst - left) * self._token_s + 1))

    def wait_s(self, left: float) -> int:
        """Seconds after which a refused request would pass; left: what draw gave, below zero."""
        return min(INTEGER_MAX, math.ceil(-left * self._token_s))

    def _forget_full(self, now_s: float) -> None:
        refill_s = self.burst / self.rate_per_s
        kept = {k: b for k, b in self._buckets.items() if now_s - b.at < refill_s}
        self._buckets = kept if len(kept) < BUCKETS_MAX else {}


@dataclass(slots=True)
class ConcurrencyLimit:
    """Work going on at a time: at most caller_limit of one caller's, and limit of everybody's."""

    caller_limit: int
    limit: int
    name: str = ""
    policy: bytes = field(init=False)
    _by_caller: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    _count: int = 0

    def __post_init__(self) -> None:
        """Write the policy once."""
        self.policy = f'"{self.name}";q={self.caller_limit};qu="concurrent-requests"'.encode()

    def standing(self, _: float) -> bytes:
        """RateLimit of a refusal: nothing is left; when to ask again."""
        return f'"{self.name}";r=0;t={PLACES_AGAIN_S}'.encode()

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


Note = tuple[RateLimiter | ConcurrencyLimit, float]  # a limit that was asked, and what draw gave


def header_fields(notes: Sequence[Note], status: int) -> list[tuple[bytes, bytes]]:
    """RateLimit-Policy of all limits that one request met, and RateLimit of the nearest.

    The nearest is the one that refused it, or has least left. An answer that says by itself when
    to ask again, for another reason than a limit's, has the policies alone: Retry-After may not lie
    before the end of a window (section 6 of the draft). Every answer to a till pays for this.
    """
    nearest, left = notes[0]
    policy = nearest.policy
    for limit, rest in notes[1:]:
        policy += b", " + limit.policy
        if rest < left:
            nearest, left = limit, rest
    if left >= 0 and status in _WAITING:
        return [(b"ratelimit-policy", policy)]
    return [(b"ratelimit-policy", policy), (b"ratelimit", nearest.standing(left))]


def _integer(number: float) -> int:
    return min(INTEGER_MAX, int(number))
