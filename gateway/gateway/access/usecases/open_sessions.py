"""Sessions of people who signed in, verified against the table; and which of them are in use."""

import hmac
import logging
from dataclasses import dataclass, field

from gateway import problems
from gateway.access import domain as keys
from gateway.access.domain import OperatorCaller
from gateway.clients import Services, services_of
from gateway.problems import Code
from gateway.tables.usecases import Lookups, Readiness, lookups_of, readiness_of
from kit.base import clock, errors
from kit.base.auth import PERSON
from kit.room import Resources

log = logging.getLogger(__name__)


@dataclass(slots=True)
class OpenSessions:
    """Verifies tokens of sessions. Nothing is remembered of one, so that its end counts at once."""

    lookups: Lookups
    readiness: Readiness
    services: Services
    clock: clock.Clock
    _used: set[str] = field(default_factory=set[str])

    async def caller(self, token: str, address: str) -> OperatorCaller:
        """Whose session it is.

        Raises SESSION_UNKNOWN, SESSION_ENDED; SESSIONS_UNAVAILABLE where the table is not fresh,
        LOOKUP_UNAVAILABLE where it lacks the session and identity does not answer.
        """
        parsed = keys.parse_session_token(token)
        if parsed is None:
            raise problems.refusal(Code.SESSION_UNKNOWN)
        if not self.readiness.sessions_fresh():
            raise problems.refusal(Code.SESSIONS_UNAVAILABLE)
        name, secret = parsed
        session = self.lookups.known_session(name)
        if session is None:  # perhaps it was opened a moment ago
            session = await self.lookups.strange_session(name, address)
        if session is None or not hmac.compare_digest(session.sha256, keys.digest(secret)):
            raise problems.refusal(Code.SESSION_UNKNOWN)
        now = self.clock.now()
        if not keys.is_open(session, now):
            raise problems.refusal(Code.SESSION_ENDED)
        if keys.use_is_due(session, now):
            self._used.add(name)
        roles, withheld = frozenset({*session.roles, PERSON}), frozenset(session.withheld)
        return OperatorCaller(session.user, roles, session=name, withheld=withheld)

    async def report_uses(self) -> None:
        """Tell identity of the sessions in use, which end later by that; tried again if it is away.

        Never within a request: nobody waits for it.
        """
        used, self._used = self._used, set()
        if not used:
            return
        try:
            await self.services.report_uses("sessions", sorted(used))
        except errors.Unavailable as error:
            self._used |= used
            log.warning("uses of sessions are not reported yet: %s", error)


def open_sessions_of(opened: Resources) -> OpenSessions:
    """The sessions of this process; `opened.shared(open_sessions_of)` makes them once."""
    return OpenSessions(
        lookups=opened.shared(lookups_of),
        readiness=opened.shared(readiness_of),
        services=opened.shared(services_of),
        clock=opened.clock,
    )
