"""Keys of partners' programs, verified against the table; and when each was used last."""

import hmac
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway import problems
from gateway.access import domain as keys
from gateway.access.domain import OperatorCaller
from gateway.clients import Services, services_of
from gateway.problems import Code
from gateway.tables.usecases import Lookups, Readiness, lookups_of, readiness_of
from kit.base import clock, errors
from kit.room import Resources

log = logging.getLogger(__name__)

REPORT_EVERY: Final = timedelta(hours=1)  # of one key
REPORTED_MAX: Final = 100_000


@dataclass(slots=True)
class ProgramKeys:
    """Verifies keys of programs. Nothing is remembered of one, so that its end counts at once."""

    lookups: Lookups
    readiness: Readiness
    services: Services
    clock: clock.Clock
    _used: set[str] = field(default_factory=set[str])
    _reported: dict[str, datetime] = field(default_factory=dict[str, datetime])

    async def caller(self, text: str, address: str) -> OperatorCaller:
        """Whose key it is: the program's name and rights.

        Raises API_KEY_UNKNOWN, API_KEY_ENDED; SESSIONS_UNAVAILABLE where the table is not fresh,
        LOOKUP_UNAVAILABLE where it lacks the key and identity does not answer.
        """
        parsed = keys.parse_api_key(text)
        if parsed is None:
            raise problems.refusal(Code.API_KEY_UNKNOWN)
        if not self.readiness.sessions_fresh():
            raise problems.refusal(Code.SESSIONS_UNAVAILABLE)
        name, secret = parsed
        key = self.lookups.known_api_key(name)
        if key is None:  # perhaps it was issued a moment ago
            key = await self.lookups.strange_api_key(name, address)
        if key is None or not hmac.compare_digest(key.sha256, keys.digest(secret)):
            raise problems.refusal(Code.API_KEY_UNKNOWN)
        now = self.clock.now()
        if now >= key.ends_at:
            raise problems.refusal(Code.API_KEY_ENDED)
        reported = self._reported.get(name)
        if reported is None or now >= reported + REPORT_EVERY:
            self._used.add(name)
        return OperatorCaller(key.program, frozenset(key.roles), keys.party_of(key.roles))

    async def report_uses(self) -> None:
        """Tell identity of the keys in use, each once in an hour; tried again if it is away."""
        used, self._used = self._used, set()
        if not used:
            return
        if len(self._reported) > REPORTED_MAX:
            self._reported.clear()
        # before it is sent: a use beside the sending is not told again
        self._reported |= dict.fromkeys(used, self.clock.now())
        try:
            await self.services.report_uses("api-keys", sorted(used))
        except errors.Unavailable as error:
            self._used |= used
            for name in used:
                self._reported.pop(name, None)
            log.warning("uses of keys are not reported yet: %s", error)


def program_keys_of(opened: Resources) -> ProgramKeys:
    """The keys of this process; `opened.shared(program_keys_of)` makes them once."""
    return ProgramKeys(
        lookups=opened.shared(lookups_of),
        readiness=opened.shared(readiness_of),
        services=opened.shared(services_of),
        clock=opened.clock,
    )
