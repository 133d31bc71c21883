"""Quotas of each caller, by cost; and refusals that are answered late."""

import asyncio
import time
from collections.abc import Generator, Hashable
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from gateway import problems
from gateway.clients import Purpose
from gateway.limits import ConcurrencyLimit, Note, RateLimiter
from gateway.problems import Code
from gateway.settings import Settings
from kit.base import errors, telemetry
from kit.base.telemetry import Metric
from kit.room import Resources

TILL_BYTES: Final = 2_048  # of a till's body for one token: 500 lines cost as some 20 sales
UPLOAD_BYTES: Final = 65_536
BODIES_MAX: Final = 4_000  # as many as there are connections: each key has its own bound
DELAYED_EACH_MAX, DELAYED_MAX = 64, 512  # late refusals at a time, of one address and of all
ALL_OPERATORS: Final = "readings"  # the one bucket of readings over a whole book
_notes: Final[ContextVar[list[Note] | None]] = ContextVar("limits_met", default=None)


def noting() -> list[Note]:
    """Begin a request: the list that tells at its end which limits it met, and how they stand."""
    notes: list[Note] = []
    _notes.set(notes)
    return notes


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits of every kind of caller.

    A limit is checked before the work that it limits: a till's before its body is read, a
    stranger's before its key is looked up.
    """

    transactions: RateLimiter
    merchants: RateLimiter  # of all transactions of one merchant
    history: RateLimiter
    statuses: RateLimiter
    operations: RateLimiter  # of administration
    tenants: RateLimiter  # of administration: all who come for one merchant or party
    readings: RateLimiter
    strangers: RateLimiter
    bodies: ConcurrencyLimit  # of transactions, while they are read
    concurrent_statuses: ConcurrencyLimit
    concurrent_operations: ConcurrencyLimit
    concurrent_tenants: ConcurrencyLimit
    delayed_refusals: ConcurrencyLimit
    delay_s: float

    @classmethod
    def of(cls, settings: Settings) -> "Quotas":
        """As the settings have them."""
        s = settings
        return cls(
            transactions=RateLimiter(s.terminal_rate_per_s, s.terminal_burst, "terminal"),
            merchants=RateLimiter(s.merchant_rate_per_s, s.merchant_burst, "merchant"),
            history=RateLimiter(s.history_rate_per_s, s.history_burst, "history"),
            statuses=RateLimiter(s.status_rate_per_s, s.status_burst, "status"),
            operations=RateLimiter(
                s.administration_rate_per_s, s.administration_burst, "administration"
            ),
            tenants=RateLimiter(s.tenant_rate_per_s, s.tenant_burst, "tenant"),
            readings=RateLimiter(s.reading_rate_per_s, s.reading_burst, "readings"),
            strangers=RateLimiter(s.stranger_rate_per_s, s.stranger_burst, "address"),
            bodies=ConcurrencyLimit(s.pending_each, BODIES_MAX, "bodies"),
            concurrent_statuses=ConcurrencyLimit(
                s.status_each, s.status_connections * 4, "status-places"
            ),
            concurrent_operations=ConcurrencyLimit(
                s.administration_each, s.administration_connections * 8, "administration-places"
            ),
            concurrent_tenants=ConcurrencyLimit(
                s.tenant_each, s.administration_connections * 8, "tenant-places"
            ),
            delayed_refusals=ConcurrencyLimit(DELAYED_EACH_MAX, DELAYED_MAX),
            delay_s=s.refusal_delay_ms / 1000,
        )

    def take_transaction(self, key: Hashable, merchant: int) -> None:
        """One more request under a terminal's key, of this merchant. Raises RATE_LIMITED.

        The key's own limit comes first: what one key sends beyond it costs its sisters nothing.
        """
        _take(self.transactions, key, "terminal")
        _take(self.merchants, merchant, "merchant")

    def take_transaction_bytes(self, key: Hashable, size: int) -> None:
        """The rest of a body's cost, by its size in bytes. Raises RATE_LIMITED."""
        if size > TILL_BYTES:
            _take(self.transactions, key, "terminal-bytes", size // TILL_BYTES)

    def take_history(self, key: Hashable) -> None:
        """One more imported purchase. Raises RATE_LIMITED."""
        _take(self.history, key, "history")

    def take_stranger(self, address: str) -> None:
        """One more request of an address without a known key. Raises RATE_LIMITED."""
        _take(self.strangers, address, "strangers")

    def take_operation_bytes(self, caller: str, size: int) -> None:
        """The cost of a body that is forwarded, by its size in bytes. Raises RATE_LIMITED."""
        if size > UPLOAD_BYTES:
            _take(self.operations, caller, "administration-bytes", size // UPLOAD_BYTES)

    @contextmanager
    def status_query(self, key: Hashable) -> Generator[None]:
        """One query for the status of a transaction. Raises RATE_LIMITED."""
        _take(self.statuses, key, "status")
        with _slot(self.concurrent_statuses, key, "status-places"):
            yield

    @contextmanager
    def operation(self, caller: str, purpose: Purpose, tenant: str = "") -> Generator[None]:
        """One request of administration. Raises RATE_LIMITED.

        tenant: the merchant or party that the caller comes for, who may have many keys and people.
        """
        _take(self.operations, caller, "administration")
        if tenant:
            _take(self.tenants, tenant, "tenant")
        if purpose is Purpose.READING:
            _take(self.readings, ALL_OPERATORS, "readings")
        with ExitStack() as places:
            if tenant:
                places.enter_context(_slot(self.concurrent_tenants, tenant, "tenant-places"))
            places.enter_context(_slot(self.concurrent_operations, caller, "administration-places"))
            yield

    @contextmanager
    def reading_body(self, key: Hashable) -> Generator[None]:
        """A transaction's body while it is read; a key may have as many as requests on the road.

        Without that bound a few keys that send slowly hold all connections. Raises RATE_LIMITED.
        """
        with _slot(self.bodies, key, "bodies"):
            yield

    async def delay_refusal(self, error: errors.Problem, address: str) -> None:
        """Answer RATE_LIMITED late: an answer at once would only bring the next request.

        The connection ends with the answer, so that requests sent ahead on it gain nothing either.
        Where too many wait the answer comes at once, so that refusals hold no more connections
        than these.
        """
        if error.code != Code.RATE_LIMITED.code or not self.delay_s:
            return
        error.closes = True
        if self.delayed_refusals.enter(address):
            try:
                await asyncio.sleep(self.delay_s)
            finally:
                self.delayed_refusals.leave(address)


def quotas_of(opened: Resources) -> Quotas:
    """Quotas of this process; `opened.shared(quotas_of)` makes them once."""
    return Quotas.of(opened.settings)


def _take(limiter: RateLimiter, key: Hashable, limit: str, cost: float = 1.0) -> None:
    left = limiter.draw(key, time.monotonic(), cost)
    notes = _notes.get()
    if notes is not None:
        notes.append((limiter, left))
    if left < 0:
        telemetry.count(Metric.LIMITED, limit)
        refused = problems.refusal(Code.RATE_LIMITED)
        refused.retry_after_s = limiter.wait_s(left)
        raise refused


@contextmanager
def _slot(concurrency: ConcurrencyLimit, key: Hashable, limit: str) -> Generator[None]:
    if not concurrency.enter(key):
        telemetry.count(Metric.LIMITED, limit)
        notes = _notes.get()
        if notes is not None:
            notes.append((concurrency, -1.0))
        raise problems.refusal(Code.RATE_LIMITED, "too many at a time under this key")
    try:
        yield
    finally:
        concurrency.leave(key)
