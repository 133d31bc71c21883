"""Callers who wait for the road, by correlation id; bounded."""

import asyncio
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from contracts.ledger import Reply
from gateway.domain import problems
from gateway.domain.problems import Code
from kit import telemetry
from kit.telemetry import Metric


@dataclass(slots=True)
class Waiting:
    """Who waits. Ids are of this process alone: replies to one that is gone are late."""

    most: int
    _run: bytes = field(default_factory=lambda: secrets.token_hex(4).encode())
    _last: int = 0
    _askers: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    _futures: dict[bytes, asyncio.Future[Reply | None]] = field(
        default_factory=dict[bytes, "asyncio.Future[Reply | None]"]
    )
    _late: dict[bytes, Callable[[Reply], None]] = field(
        default_factory=dict[bytes, Callable[[Reply], None]]
    )

    def enter(self, asker: Hashable, share: int) -> tuple[bytes, asyncio.Future[Reply | None]]:
        """A correlation id and the future of its reply. asker: whose share of the road it takes.

        Raises GATEWAY_BUSY when full, RATE_LIMITED when so many of the asker's wait already.
        """
        flying = self._askers.get(asker, 0)
        if flying >= share:
            telemetry.count(Metric.LIMITED, "pending-each")
            raise problems.refusal(Code.RATE_LIMITED, "too many unanswered under this key")
        if len(self._futures) >= self.most:
            telemetry.count(Metric.LIMITED, "pending")
            raise problems.refusal(Code.GATEWAY_BUSY)
        self._askers[asker] = flying + 1
        self._last += 1
        correlation = b"%s-%d" % (self._run, self._last)
        future: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._futures[correlation] = future
        return correlation, future

    def leave(self, correlation: bytes, asker: Hashable) -> None:
        """Wait no more."""
        self._futures.pop(correlation, None)
        left = self._askers[asker] - 1
        if left:
            self._askers[asker] = left
        else:
            del self._askers[asker]

    def follow(self, correlation: bytes, heard: Callable[[Reply], None]) -> None:
        """Hand a reply that comes late to heard; of too many the oldest is given up."""
        if len(self._late) >= self.most:
            del self._late[next(iter(self._late))]
        self._late[correlation] = heard

    def awaited(self, correlation: bytes) -> bool:
        """Whether anybody wants the reply; counts a late one."""
        if correlation in self._futures:
            return True
        telemetry.count(Metric.REPLIES_LATE)
        return correlation in self._late

    def answer(self, correlation: bytes, reply: Reply) -> None:
        """Hand a reply to whoever waits for it."""
        heard = self._late.pop(correlation, None)
        if heard is not None:
            heard(reply)
        future = self._futures.get(correlation)
        if future is not None and not future.done():
            future.set_result(reply)

    @property
    def followed(self) -> int:
        """How many replies are heard although nobody waits any more."""
        return len(self._late)

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._futures)
