"""Keys of terminals and operators: their text, and what each may do."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.identity import Session
from contracts.merchants import Terminal, TerminalKey
from kit.base.auth import MERCHANT, PARTY, PERSON, Role

OPERATOR_PREFIX: Final = "pvo_"
SESSION_PREFIX: Final = "pvs_"
API_KEY_PREFIX: Final = "pvk_"
KEY_LENGTH_MAX: Final = 200
REVOKED_STATUS: Final = timedelta(hours=24)  # how long a revoked key may ask for its own names
TERMINAL_MAX: Final = 2**31 - 1
ENROL_FOR: Final = "enrol:"  # and the party's number: a partner's key, for that party's members
_SCOPED: Final = re.compile(f"({MERCHANT}|{PARTY}|{ENROL_FOR})([1-9][0-9]{{0,9}})")
_SESSION: Final = re.compile("pvs_([0-9a-f]{32})_(.+)")
_API_KEY: Final = re.compile("pvk_([0-9a-f]{32})_(.+)")
_HASH: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TerminalCaller:
    """A terminal whose key was verified against this version of its record."""

    terminal: Terminal
    key: TerminalKey

    @property
    def quota_key(self) -> tuple[int, str]:
        """Whose limits these are: the key's, of which a terminal may have several."""
        return (self.terminal.terminal, self.key.key_id)


@dataclass(frozen=True, slots=True)
class OperatorCaller:
    """A person who signed in, or a program with an operator's key. name: the user's id, or its own.

    session: of a person. withheld: what a second factor would add to roles.
    """

    name: str
    roles: frozenset[str]
    party: int | None = None  # of a partner's key: whose members it enrols, and no other's
    session: str = ""
    withheld: frozenset[str] = frozenset()

    @property
    def quota_key(self) -> str:
        """Whose limits these are."""
        return self.name

    @property
    def tenant(self) -> str:
        """The role with a number, where it is all that the caller has; empty for the network's."""
        numbered = [role for role in self.roles if role != PERSON]
        return numbered[0] if len(numbered) == 1 and _SCOPED.fullmatch(numbered[0]) else ""


Caller = TerminalCaller | OperatorCaller


def digest(secret: str) -> str:
    """SHA-256 of a key's secret part, hex; long random text needs no slow hash (platform 9)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def bearer(header: str | None) -> str | None:
    """The key of an Authorization header; None without one or when it is no plain key."""
    if header is None or header[:7].lower() != "bearer ":
        return None
    key = header[7:].strip()
    return key if key.isascii() and 0 < len(key) <= KEY_LENGTH_MAX else None


def parse_terminal_key(key: str) -> tuple[int, str, str] | None:
    """(terminal, key_id, secret) of `pvt_<terminal>_<key_id>_<secret>`; None when it is no such."""
    parts = key.split("_", 3)
    if len(parts) != 4 or parts[0] != "pvt" or not all(parts):
        return None
    if not parts[1].isdigit() or len(parts[1]) > 10 or not 1 <= int(parts[1]) <= TERMINAL_MAX:
        return None
    return int(parts[1]), parts[2], parts[3]


def parse_operator_key(key: str) -> tuple[str, str] | None:
    """(name, secret) of `pvo_<name>_<secret>`; None when it is not one."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "pvo" or not all(parts):
        return None
    return parts[1], parts[2]


def parse_session_token(token: str) -> tuple[str, str] | None:
    """(session, secret) of `pvs_<session>_<secret>`; None when it is no such."""
    match = _SESSION.fullmatch(token)
    return None if match is None else (match[1], match[2])


def parse_api_key(text: str) -> tuple[str, str] | None:
    """(key, secret) of `pvk_<key>_<secret>`; None when it is no such."""
    match = _API_KEY.fullmatch(text)
    return None if match is None else (match[1], match[2])


def party_of(roles: Iterable[str]) -> int | None:
    """The party for whose members a key enrols; None where it is no partner's."""
    parties = [int(role.removeprefix(ENROL_FOR)) for role in roles if role.startswith(ENROL_FOR)]
    return parties[0] if parties else None


def is_open(session: Session, now: datetime) -> bool:
    """Whether a session may be used."""
    return not session.ended and now < min(session.idle_ends_at, session.ends_at)


def use_is_due(session: Session, now: datetime) -> bool:
    """Whether a use is worth reporting: a quarter of the idle time passed since the last one.

    Nothing is gained by a report where the session ends by then anyway.
    """
    quarter = timedelta(seconds=session.idle_s) / 4
    since = session.idle_ends_at - timedelta(seconds=session.idle_s)
    return session.idle_ends_at < session.ends_at and now >= since + quarter


def find_key(terminal: Terminal, key_id: str, sha256: str) -> TerminalKey | None:
    """The terminal's key of that id whose hash is this one, compared in constant time."""
    for key in terminal.keys:
        if key.key_id == key_id and hmac.compare_digest(key.sha256, sha256):
            return key
    return None


@dataclass(frozen=True, slots=True)
class Operators:
    """Operators by name, each with the hash of the secret."""

    by_name: dict[str, tuple[str, OperatorCaller]]

    def find(self, key: str) -> OperatorCaller | None:
        """Whose key this is."""
        parsed = parse_operator_key(key)
        if parsed is None or parsed[0] not in self.by_name:
            return None
        sha256, caller = self.by_name[parsed[0]]
        return caller if hmac.compare_digest(sha256, digest(parsed[1])) else None


def parse_operators(entries: Sequence[str]) -> Operators:
    """Operators of `name:role+role:sha256hex` entries; the hash is of the key's secret part.

    A role is one of kit.auth.Role; or `merchant:<number>`, who reads that merchant's own and
    nothing else; or `party:<number>`, who conducts that party's disputes and does nothing else; or
    `enrol:<party>`, who enrols members of that party and does nothing else.
    Raises ValueError naming the entry that does not read.
    """
    by_name: dict[str, tuple[str, OperatorCaller]] = {}
    for entry in entries:
        name, _, rest = entry.partition(":")
        roles, _, sha256 = rest.rpartition(":")
        granted = frozenset(_role(role) for role in roles.split("+"))
        if not name or "_" in name or _HASH.fullmatch(sha256) is None:
            raise ValueError(f"operator {name!r}: write name:role+role:sha256hex")
        if sum(role.startswith(ENROL_FOR) for role in granted) > 1:
            raise ValueError(f"operator {name!r}: a key enrols for one party")
        by_name[name] = (sha256, OperatorCaller(name, granted, party_of(granted)))
    return Operators(by_name)


def _role(text: str) -> str:
    scoped = _SCOPED.fullmatch(text)
    if scoped is not None and int(scoped[2]) <= TERMINAL_MAX:
        return text
    return Role(text).value


def may_post(caller: TerminalCaller, now: datetime) -> bool:
    """Whether a key may post: until it is revoked, which may lie in the future."""
    return caller.key.revoked_at is None or now < caller.key.revoked_at


def may_ask_status(caller: TerminalCaller, terminal: int, now: datetime) -> bool:
    """Whether a key, perhaps revoked, may see the status of this terminal's names.

    A revoked key, or one of a stopped terminal, sees the names of its own terminal only; a revoked
    one for a day. The caller compares merchants, as it knows the other terminal's.
    """
    if may_post(caller, now) and not caller.terminal.stopped:
        return True
    revoked_at = caller.key.revoked_at
    in_time = revoked_at is None or now < revoked_at + REVOKED_STATUS
    return in_time and terminal == caller.terminal.terminal
