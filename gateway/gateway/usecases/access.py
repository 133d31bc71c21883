"""Who calls: keys verified against the tables, and remembered until a terminal changes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain import keys, problems
from gateway.domain.keys import Caller, OperatorCaller, TerminalCaller
from gateway.domain.problems import Code
from gateway.usecases.lookups import Lookups
from gateway.usecases.shares import Shares
from kit import clock, errors
from kit.connections import network_of

REMEMBERED_MAX: Final = 100_000


def address_of(scope: Mapping[str, Any]) -> str:
    """Where a request comes from, as the connection says: no header is believed.

    Of IPv6 the /64: whoever has one address of it has all (kit.connections.network_of).
    """
    client = scope.get("client")
    return network_of(client[0]) if client else ""


@dataclass(slots=True)
class Access:
    """Verified keys by their hash, so that a till's next request costs one hash."""

    lookups: Lookups
    operators: keys.Operators
    clock: clock.Clock
    shares: Shares
    _verified: dict[bytes, TerminalCaller] = field(default_factory=dict[bytes, TerminalCaller])
    _seen: int = -1

    async def caller(self, authorization: str | None, address: str) -> Caller:
        """Whoever holds the key of an Authorization header. Raises KEY_MISSING, KEY_UNKNOWN.

        A revoked key is still somebody's: what it may do is decided by who asks. address: whose
        limit it is while nobody knows the key; past it RATE_LIMITED.
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
        return await self._terminal(key, address)

    def _note_stranger(self, error: errors.Problem, address: str) -> None:
        """Count the refusal of who is nobody here to his address. Raises RATE_LIMITED.

        So is one whose key could not be looked up: told at once, he would ask again at once.
        """
        if error.status in (401, 403) or error.code == Code.LOOKUP_UNAVAILABLE.code:
            self.shares.stranger(address)

    async def terminal(self, authorization: str | None, address: str) -> TerminalCaller:
        """The terminal of a header, with a key that may post.

        Raises KEY_MISSING, KEY_UNKNOWN, KEY_REVOKED, TERMINAL_INACTIVE, MERCHANT_STOPPED.
        """
        try:
            return await self._posting(authorization, address)
        except errors.Problem as error:
            self._note_stranger(error, address)
            raise

    async def _posting(self, authorization: str | None, address: str) -> TerminalCaller:
        caller = await self._caller(authorization, address)
        if isinstance(caller, OperatorCaller):
            raise problems.refusal(Code.ROLE_MISSING, "transactions are sent with a terminal's key")
        ends = caller.key.revoked_at is not None
        if ends and not keys.may_post(caller, self.clock.now()):
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

        Raises KEY_MISSING, KEY_UNKNOWN, OPERATOR_KEY_UNKNOWN, ROLE_MISSING.
        """
        caller = await self.caller(authorization, address)
        if isinstance(caller, TerminalCaller) or (roles and caller.roles.isdisjoint(roles)):
            needed = " or ".join(roles) or "an operator's key"
            self.shares.stranger(address)
            raise problems.refusal(Code.ROLE_MISSING, f"needs {needed}")
        return caller

    def _operator(self, key: str) -> OperatorCaller:
        found = self.operators.find(key)
        if found is None:
            raise problems.refusal(Code.OPERATOR_KEY_UNKNOWN)
        return found

    async def _terminal(self, key: str, address: str) -> TerminalCaller:
        tables = self.lookups.tables
        if tables.terminals_changed != self._seen or len(self._verified) > REMEMBERED_MAX:
            self._verified.clear()
            self._seen = tables.terminals_changed
        whole = hashlib.sha256(key.encode()).digest()
        found = self._verified.get(whole)
        if found is None:
            changed = tables.terminals_changed
            found = await self._verify(key, address)
            known = tables.find_terminal(found.terminal.terminal) is not None
            if known and changed == tables.terminals_changed:  # else it may be stopped meanwhile
                self._verified[whole] = found
        return found

    async def _verify(self, key: str, address: str) -> TerminalCaller:
        parsed = keys.parse_terminal_key(key)
        if parsed is None:
            raise problems.refusal(Code.KEY_UNKNOWN)
        number, key_id, secret = parsed
        sha256 = keys.digest(secret)
        terminal = self.lookups.known_terminal(number)
        found = None if terminal is None else keys.find_key(terminal, key_id, sha256)
        if terminal is None or (found is None and not _has(terminal.keys, key_id)):
            terminal = await self.lookups.strange_terminal(
                number, address
            )  # activated a second ago
            found = None if terminal is None else keys.find_key(terminal, key_id, sha256)
        if terminal is None or found is None:
            raise problems.refusal(Code.KEY_UNKNOWN)
        return TerminalCaller(terminal, found)


def _has(known: tuple[keys.TerminalKey, ...], key_id: str) -> bool:
    return any(key.key_id == key_id for key in known)
