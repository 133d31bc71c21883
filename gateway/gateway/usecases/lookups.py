"""Finding what the local tables know, and asking the owner once where they do not."""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.members import Identifier
from contracts.merchants import Terminal
from gateway.clients import Purpose, Services
from gateway.domain import limits, problems
from gateway.domain.problems import Code
from gateway.store import Tables
from kit import errors, telemetry
from kit.telemetry import Metric

KEPT_S: Final = 30.0  # by then the topic has brought it, or it is asked for again
KEPT_MAX: Final = 10_000


@dataclass(slots=True)
class Lookups:
    """The tables, and behind them the services, within a limit for each terminal.

    What a service answers is kept for seconds in memory; the tables are the topics' alone.
    """

    tables: Tables
    services: Services
    limiter: limits.Limiter
    strangers: limits.Limiter  # of an address, before anybody is known
    _kept: dict[Hashable, tuple[float, Any]] = field(default_factory=dict[Hashable, Any])

    def known(self, digests: tuple[str, ...]) -> str:
        """Of one identifier's digests the one that is known here; if none is, the newest key's.

        What is known here only under an earlier key was issued before the newest came.
        """
        for digest in digests[1:]:
            if self.tables.find_identifier(digest) is not None:
                return digest
        return digests[0]

    async def identifier(self, digest: str, asker: int) -> Identifier | None:
        """An identifier by digest; None when nobody has it. asker: the terminal whose limit it is.

        Raises LOOKUP_UNAVAILABLE when members does not answer or the limit is reached: that the
        member is unknown is then not known either.
        """
        found = self.tables.find_identifier(digest)
        if found is not None:
            return found
        kept: Identifier | None = self._recall(digest)
        if kept is not None:
            return kept
        self._limit(self.limiter, asker)
        telemetry.count(Metric.LOOKUP_MISSES, "identifiers")
        try:
            asked = await self.services.find_identifier(digest)
        except errors.Unavailable as error:
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE) from error
        self._keep(digest, asked)
        return asked

    def known_terminal(self, number: int) -> Terminal | None:
        """A terminal as the tables have it, or as merchants said in the last seconds."""
        found = self.tables.find_terminal(number)
        kept: Terminal | None = self._recall(number)
        if found is None or (kept is not None and kept.version > found.version):
            return kept
        return found

    async def fresh_terminal(self, number: int, asker: int) -> Terminal | None:
        """A terminal as merchants has it now; None when there is none. Raises as identifier."""
        self._limit(self.limiter, asker)
        return await self._ask_terminal(number, Purpose.LOOK_UP)

    async def strange_terminal(self, number: int, address: str) -> Terminal | None:
        """As fresh_terminal, for a key that nobody knows: within its address's own limit.

        So forged keys of one address leave what newly activated terminals of others need.
        """
        self._limit(self.strangers, address)
        return await self._ask_terminal(number, Purpose.STRANGER)

    async def _ask_terminal(self, number: int, purpose: Purpose) -> Terminal | None:
        telemetry.count(Metric.LOOKUP_MISSES, "terminals")
        try:
            asked = await self.services.find_terminal(number, purpose)
        except errors.Unavailable as error:
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE) from error
        self._keep(number, asked)
        return asked

    async def terminal(self, number: int, asker: int) -> Terminal | None:
        """A terminal; None when there is none. Raises as identifier."""
        return self.known_terminal(number) or await self.fresh_terminal(number, asker)

    def _limit(self, limiter: limits.Limiter, asker: Hashable) -> None:
        if not limiter.take(asker, time.monotonic()):
            telemetry.count(Metric.LIMITED, "lookups")
            raise problems.refusal(Code.LOOKUP_UNAVAILABLE, "too many unknown numbers of late")

    def _recall(self, key: Hashable) -> Any:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] < time.monotonic():
            del self._kept[key]
            return None
        return kept[1]

    def _keep(self, key: Hashable, value: Any) -> None:
        if value is None:
            return  # a member enrolled a second later must be found
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + KEPT_S, value)
