"""Requests that wait for the road's reply, by correlation id; bounded."""

import asyncio
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from contracts.ledger import Reply
from gateway import problems
from gateway.problems import Code
from kit.base import telemetry
from kit.base.telemetry import Metric


@dataclass(slots=True)
class PendingReplies:
    """Requests without a reply yet. Ids are of this process: replies to an earlier one are late."""

    limit: int
    _process: bytes = field(default_factory=lambda: secrets.token_hex(4).encode())
    _last: int = 0
    _by_caller: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    _futures: dict[bytes, asyncio.Future[Reply | None]] = field(
        default_factory=dict[bytes, "asyncio.Future[Reply | None]"]
    )
    _late: dict[bytes, Callable[[Reply], None]] = field(
        default_factory=dict[bytes, Callable[[Reply], None]]
    )

    def register(
        self, caller: Hashable, caller_limit: int
    ) -> tuple[bytes, asyncio.Future[Reply | None]]:
        """A correlation id and the future of its reply.

        Raises GATEWAY_BUSY when full, RATE_LIMITED when caller_limit of the caller's wait already.
        """
        pending = self._by_caller.get(caller, 0)
        if pending >= caller_limit:
            telemetry.count(Metric.LIMITED, "pending-each")
            raise problems.refusal(Code.RATE_LIMITED, "too many unanswered under this key")
        if len(self._futures) >= self.limit:
            telemetry.count(Metric.LIMITED, "pending")
            raise problems.refusal(Code.GATEWAY_BUSY)
        self._by_caller[caller] = pending + 1
        self._last += 1
        correlation = b"%s-%d" % (self._process, self._last)
        future: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._futures[correlation] = future
        return correlation, future

    def discard(self, correlation: bytes, caller: Hashable) -> None:
        """The request waits no more."""
        self._futures.pop(correlation, None)
        left = self._by_caller[caller] - 1
        if left:
            self._by_caller[caller] = left
        else:
            del self._by_caller[caller]

    def on_late_reply(self, correlation: bytes, callback: Callable[[Reply], None]) -> None:
        """Call back when the reply comes late; of too many callbacks the oldest is dropped."""
        if len(self._late) >= self.limit:
            del self._late[next(iter(self._late))]
        self._late[correlation] = callback

    def is_expected(self, correlation: bytes) -> bool:
        """Whether a request or a callback takes the reply; counts a late one."""
        if correlation in self._futures:
            return True
        telemetry.count(Metric.REPLIES_LATE)
        return correlation in self._late

    def resolve(self, correlation: bytes, reply: Reply) -> None:
        """Hand a reply to the request that waits for it, and to the callback of a late one."""
        callback = self._late.pop(correlation, None)
        if callback is not None:
            callback(reply)
        future = self._futures.get(correlation)
        if future is not None and not future.done():
            future.set_result(reply)

    @property
    def late_callbacks(self) -> int:
        """How many replies are taken although their request has ended."""
        return len(self._late)

    @property
    def count(self) -> int:
        """How many requests wait."""
        return len(self._futures)
