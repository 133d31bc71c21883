"""Keys verified against the tables, and remembered until a terminal changes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.merchants import Terminal
from gateway import problems
from gateway.access import domain as keys
from gateway.access.domain import Caller, OperatorCaller, TerminalCaller
from gateway.access.usecases.open_sessions import OpenSessions, open_sessions_of
from gateway.access.usecases.program_keys import ProgramKeys, program_keys_of
from gateway.access.usecases.quotas import Quotas, quotas_of
from gateway.problems import Code
from gateway.settings import Settings
from gateway.tables.usecases import Lookups, lookups_of
from kit.base import clock, errors
from kit.room import Resources
from kit.server.connections import network_of

VERIFIED_MAX: Final = 100_000


def address_of(scope: Mapping[str, Any]) -> str:
    """Where a request comes from, as the connection says: no header is believed.

    Of IPv6 the /64: whoever has one address of it has all (kit.server.connections.network_of).
    """
    client = scope.get("client")
    return network_of(client[0]) if client else ""


@dataclass(slots=True)
class Access:
    """Verified keys by their hash, so that a till's next request costs one hash."""

    lookups: Lookups
    operators: keys.Operators
    clock: clock.Clock
    quotas: Quotas
    sessions: OpenSessions
    programs: ProgramKeys
    _verified: dict[bytes, TerminalCaller] = field(default_factory=dict[bytes, TerminalCaller])
    _terminals_version: int = -1

    async def caller(self, authorization: str | None, address: str) -> Caller:
        """The caller whose key an Authorization header holds. Raises KEY_MISSING, KEY_UNKNOWN.

        A revoked key still has its caller: each use decides what it may do. address: whose limit
        counts while the key is not known; past it RATE_LIMITED.
        """
        try:
            return await self._caller(authorization, address)
        except errors.Problem as error:
            self._note_stranger(error, address)
            raise

    async def _caller(self, authorization: str | None, address: str) -> Caller:
        key = keys.bearer(authorization)
        if key is None:
            raise problems.refusal(Code.KEY_MISSING)
        if key.startswith(keys.OPERATOR_PREFIX):
            return self._operator(key)
        if key.startswith(keys.SESSION_PREFIX):
            return await self.sessions.caller(key, address)
        if key.startswith(keys.API_KEY_PREFIX):
            return await self.programs.caller(key, address)
        return await self._terminal(key, address)

    def _note_stranger(self, error: errors.Problem, address: str) -> None:
        """Count the refusal of an unknown caller towards its address. Raises RATE_LIMITED.

        A key that could not be looked up counts too, or its caller would retry at once.
        """
        if error.status in (401, 403) or error.code == Code.LOOKUP_UNAVAILABLE.code:
            self.quotas.take_stranger(address)

    async def terminal(self, authorization: str | None, address: str) -> TerminalCaller:
        """The terminal of a header, with a key that may post.

        Raises KEY_MISSING, KEY_UNKNOWN, KEY_REVOKED, TERMINAL_INACTIVE, MERCHANT_STOPPED.
        """
        try:
            return await self._may_post(authorization, address)
        except errors.Problem as error:
            self._note_stranger(error, address)
            raise

    async def _may_post(self, authorization: str | None, address: str) -> TerminalCaller:
        caller = await self._caller(authorization, address)
        if isinstance(caller, OperatorCaller):
            raise problems.refusal(Code.ROLE_MISSING, "transactions are sent with a terminal's key")
        revoked = caller.key.revoked_at is not None
        if revoked and not keys.may_post(caller, self.clock.now()):
            raise problems.refusal(Code.KEY_REVOKED)
        if not caller.terminal.active or caller.terminal.stopped:
            raise problems.refusal(Code.TERMINAL_INACTIVE)
        if caller.terminal.merchant in self.lookups.tables.merchants_stopped:
            raise problems.refusal(Code.MERCHANT_STOPPED)
        return caller

    async def operator(
        self, authorization: str | None, address: str, *roles: str
    ) -> OperatorCaller:
        """An operator who has one of roles; none named: any.

        Raises KEY_MISSING, KEY_UNKNOWN, OPERATOR_KEY_UNKNOWN, SESSION_UNKNOWN, SESSION_ENDED,
        ROLE_MISSING, SECOND_FACTOR_NEEDED.
        """
        caller = await self.caller(authorization, address)
        if isinstance(caller, TerminalCaller) or (roles and caller.roles.isdisjoint(roles)):
            if isinstance(caller, OperatorCaller) and not caller.withheld.isdisjoint(roles):
                raise problems.refusal(Code.SECOND_FACTOR_NEEDED)
            needed = " or ".join(roles) or "an operator's key"
            self.quotas.take_stranger(address)
            raise problems.refusal(Code.ROLE_MISSING, f"needs {needed}")
        return caller

    def _operator(self, key: str) -> OperatorCaller:
        caller = self.operators.find(key)
        if caller is None:
            raise problems.refusal(Code.OPERATOR_KEY_UNKNOWN)
        return caller

    async def _terminal(self, key: str, address: str) -> TerminalCaller:
        tables = self.lookups.tables
        if (
            tables.terminals_changed != self._terminals_version
            or len(self._verified) > VERIFIED_MAX
        ):
            self._verified.clear()
            self._terminals_version = tables.terminals_changed
        key_hash = hashlib.sha256(key.encode()).digest()
        caller = self._verified.get(key_hash)
        if caller is None:
            before = tables.terminals_changed
            caller = await self._verify(key, address)
            stored = tables.find_terminal(caller.terminal.terminal) is not None
            if stored and before == tables.terminals_changed:  # else it may be stopped meanwhile
                self._verified[key_hash] = caller
        return caller

    async def _verify(self, key: str, address: str) -> TerminalCaller:
        parsed = keys.parse_terminal_key(key)
        if parsed is None:
            raise problems.refusal(Code.KEY_UNKNOWN)
        number, key_id, secret = parsed
        sha256 = keys.digest(secret)
        terminal = self.lookups.known_terminal(number)
        terminal_key = None if terminal is None else keys.find_key(terminal, key_id, sha256)
        if terminal is None or (terminal_key is None and not _has_key(terminal, key_id)):
            # perhaps it was activated a second ago
            terminal = await self.lookups.strange_terminal(number, address)
            terminal_key = None if terminal is None else keys.find_key(terminal, key_id, sha256)
        if terminal is None or terminal_key is None:
            raise problems.refusal(Code.KEY_UNKNOWN)
        return TerminalCaller(terminal, terminal_key)


def _has_key(terminal: Terminal, key_id: str) -> bool:
    return any(key.key_id == key_id for key in terminal.keys)


def access_of(opened: Resources) -> Access:
    """Access of this process; `opened.shared(access_of)` makes it once. Raises ValueError."""
    settings: Settings = opened.settings
    return Access(
        lookups=opened.shared(lookups_of),
        operators=keys.parse_operators(settings.operators),
        clock=opened.clock,
        quotas=opened.shared(quotas_of),
        sessions=opened.shared(open_sessions_of),
        programs=opened.shared(program_keys_of),
    )
