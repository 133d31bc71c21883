"""Look-ups in the local tables; what they lack is requested from the owning service."""

import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.identity import ApiKey, Session
from contracts.members import Identifier
from contracts.merchants import Terminal
from gateway import limits, problems
from gateway.clients import Purpose, Services, services_of
from gateway.problems import Code
from gateway.settings import Settings
from gateway.tables.store import Tables
from kit.base import errors, telemetry
from kit.base.telemetry import Metric
from kit.room import Resources

CACHED_S: Final = 30.0  # by then the topic has brought it, or the owner is asked again
CACHED_MAX: Final = 10_000
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Lookups:
    """The tables, and behind them the services, within a limit for each terminal.

    What a service answers is cached for seconds in memory; the tables are the topics' alone.
    """

    tables: Tables
    services: Services
    limiter: limits.RateLimiter
    strangers: limits.RateLimiter  # of an address, before its key is known
    _cache: dict[Hashable, tuple[float, Any]] = field(default_factory=dict[Hashable, Any])

    def stored_digest(self, digests: tuple[str, ...]) -> str:
        """Of one identifier's digests the one in the tables; if none is, the newest key's.

        One that is stored under an earlier key was issued before the newest key came.
        """
        for digest in digests[1:]:
            if self.tables.find_identifier(digest) is not None:
                return digest
        return digests[0]

    async def identifier(self, digest: str, terminal: int) -> Identifier | None:
        """An identifier by digest; None where there is none. terminal: whose limit it is.

        Raises LOOKUP_UNAVAILABLE when members does not answer or the limit is reached: then it is
        not known whether the identifier exists.
        """
        stored = self.tables.find_identifier(digest)
        if stored is not None:
            return stored
        cached: Identifier | None = self._cached(digest)
        if cached is not None:
            return cached
        self._limit(self.limiter, terminal)
        telemetry.count(Metric.LOOKUP_MISSES, "identifiers")
        try:
            answer = await self.services.find_identifier(digest)
        except errors.Unavailable as error:
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE) from error
        self._keep(digest, answer)
        return answer

    def known_terminal(self, number: int) -> Terminal | None:
        """A terminal as the tables have it, or as merchants answered in the last seconds."""
        stored = self.tables.find_terminal(number)
        cached: Terminal | None = self._cached(number)
        if stored is None or (cached is not None and cached.version > stored.version):
            return cached
        return stored

    async def fresh_terminal(self, number: int, terminal: int) -> Terminal | None:
        """A terminal as merchants has it now; None when there is none. Raises as identifier."""
        self._limit(self.limiter, terminal)
        return await self._ask_terminal(number, Purpose.LOOK_UP)

    async def strange_terminal(self, number: int, address: str) -> Terminal | None:
        """As fresh_terminal, for a key that is not known yet: within its address's own limit.

        So forged keys from one address do not use up the look-ups of newly activated terminals.
        """
        self._limit(self.strangers, address)
        return await self._ask_terminal(number, Purpose.STRANGER)

    async def _ask_terminal(self, number: int, purpose: Purpose) -> Terminal | None:
        telemetry.count(Metric.LOOKUP_MISSES, "terminals")
        try:
            answer = await self.services.find_terminal(number, purpose)
        except errors.Unavailable as error:
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE) from error
        self._keep(number, answer)
        return answer

    async def terminal(self, number: int, terminal: int) -> Terminal | None:
        """A terminal by number; None when there is none. Raises as identifier."""
        return self.known_terminal(number) or await self.fresh_terminal(number, terminal)

    def known_session(self, session: str) -> Session | None:
        """A session as the table has it, or as identity answered in the last seconds."""
        stored = self.tables.find_session(session)
        cached: Session | None = self._cached(session)
        if stored is None or (cached is not None and cached.version > stored.version):
            return cached
        return stored

    async def strange_session(self, session: str, address: str) -> Session | None:
        """A session that the table lacks, as identity has it; None where there is none.

        Within its address's own limit, as strange_terminal. Raises as identifier.
        """
        return await self._ask_identity(self.services.find_session, session, address)

    def known_api_key(self, key: str) -> ApiKey | None:
        """A program's key as the table has it, or as identity answered in the last seconds."""
        stored = self.tables.find_api_key(key)
        cached: ApiKey | None = self._cached(f"key/{key}")
        if stored is None or (cached is not None and cached.version > stored.version):
            return cached
        return stored

    async def strange_api_key(self, key: str, address: str) -> ApiKey | None:
        """A program's key that the table lacks, as strange_session."""
        return await self._ask_identity(self.services.find_api_key, key, address, prefix="key/")

    async def _ask_identity(
        self, find: Callable[[str], Awaitable[Any]], name: str, address: str, *, prefix: str = ""
    ) -> Any:
        self._limit(self.strangers, address)
        telemetry.count(Metric.LOOKUP_MISSES, "sessions")
        try:
            answer = await find(name)
        except errors.Unavailable as error:
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE) from error
        self._keep(prefix + name, answer)
        return answer

    def _limit(self, limiter: limits.RateLimiter, key: Hashable) -> None:
        if not limiter.take(key, time.monotonic()):
            telemetry.count(Metric.LIMITED, "lookups")
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE, "too many unknown numbers of late")

    def _cached(self, key: Hashable) -> Any:
        entry = self._cache.get(key)
        if entry is None:
            return None
        if entry[0] < time.monotonic():
            del self._cache[key]
            return None
        return entry[1]

    def _keep(self, key: Hashable, value: Any) -> None:
        if value is None:
            return  # a member enrolled a second later must be found
        if len(self._cache) >= CACHED_MAX:
            self._cache.clear()
        self._cache[key] = (time.monotonic() + CACHED_S, value)


def make_lookups(settings: Settings, tables: Tables, services: Services) -> Lookups:
    """Look-ups within the limits of the settings."""
    return Lookups(
        tables=tables,
        services=services,
        limiter=limits.RateLimiter(settings.lookup_rate_per_s, settings.lookup_burst),
        strangers=limits.RateLimiter(settings.lookup_rate_per_s, settings.lookup_burst),
    )


def lookups_of(opened: Resources) -> Lookups:
    """Look-ups of this process; `opened.shared(lookups_of)` makes them once."""
    return make_lookups(opened.settings, opened.shared(tables_of), opened.shared(services_of))


def tables_of(opened: Resources) -> Tables:
    """This instance's tables; two instances on one machine have a folder each."""
    settings: Settings = opened.settings
    boot = ""
    with suppress(OSError):
        boot = _BOOT.read_text().strip()
    return Tables.open(
        Path(settings.tables_dir) / f"gateway-{settings.instance}",
        cluster=opened.cluster,
        boot=boot,
        map_gib=settings.tables_map_gib,
    )
