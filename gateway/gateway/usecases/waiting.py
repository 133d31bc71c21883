"""Callers who wait for the road, by correlation id; bounded."""

import asyncio
import secrets
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
    _futures: dict[bytes, asyncio.Future[Reply | None]] = field(
        default_factory=dict[bytes, "asyncio.Future[Reply | None]"]
    )

    def enter(self) -> tuple[bytes, asyncio.Future[Reply | None]]:
        """A correlation id and the future of its reply. Raises GATEWAY_BUSY when full."""
        if len(self._futures) >= self.most:
            telemetry.count(Metric.LIMITED, "pending")
            raise problems.refusal(Code.GATEWAY_BUSY)
        self._last += 1
        correlation = b"%s-%d" % (self._run, self._last)
        future: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._futures[correlation] = future
        return correlation, future

    def leave(self, correlation: bytes) -> None:
        """Wait no more."""
        self._futures.pop(correlation, None)

    def awaited(self, correlation: bytes) -> bool:
        """Whether somebody still waits; counts a late reply when not."""
        if correlation in self._futures:
            return True
        telemetry.count(Metric.REPLIES_LATE)
        return False

    def answer(self, correlation: bytes, reply: Reply) -> None:
        """Hand a reply to whoever waits for it."""
        future = self._futures.get(correlation)
        if future is not None and not future.done():
            future.set_result(reply)

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._futures)
