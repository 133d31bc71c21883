"""Rules of terminals: epochs, keys, versions."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from contracts.merchants import Terminal, TerminalKey
from kit import errors
from merchants.domain import words


class TooManyKeys(errors.Conflict):
    """A terminal has as many keys as it may have."""

    code = "too-many-keys"
    fa = "شمار کلیدهای پایانه به اندازهٔ مجاز رسیده است؛ نخست کلیدی را باطل کنید."


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation: the epoch it issued and the first key of that epoch."""

    activation: str
    terminal: int
    epoch: int
    key_id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A key as its owner sees it: key is the whole text, shown once; None on a repeat."""

    terminal: int
    epoch: int
    key_id: str
    key: str | None


def key_text(terminal: int, key_id: str, secret: str) -> str:
    """The whole key a till holds; secret: 256 random bits in URL-safe text."""
    return f"pvt_{terminal}_{key_id}_{secret}"


def key_id_of(activation: str) -> str:
    """Id of the key that an activation issues: eight of [a-z0-9], always the same."""
    return hashlib.sha256(activation.encode()).hexdigest()[:8]


def key_digest(key: str) -> str:
    """Hex SHA-256 of a key's whole text: long and random, it needs no slow hash (platform 9)."""
    secret = key.split("_", 3)[3]  # after the prefix, the terminal and the key's id
    return hashlib.sha256(secret.encode()).hexdigest()


def activate(terminal: Terminal, key: TerminalKey, *, active_max: int, all_max: int) -> Terminal:
    """The next version of a terminal: epoch + 1, switched on, with one key more.

    Older keys stay until they are revoked, so that names of older epochs can be retried.
    Raises TooManyKeys.
    """
    grown = add_key(terminal, key, active_max=active_max, all_max=all_max)
    return _next(grown, epoch=terminal.epoch + 1, active=True, version=terminal.version + 1)


def add_key(terminal: Terminal, key: TerminalKey, *, active_max: int, all_max: int) -> Terminal:
    """The next version of a terminal with one key more. Raises TooManyKeys."""
    live = sum(1 for k in terminal.keys if k.revoked_at is None)
    if live >= active_max or len(terminal.keys) >= all_max:
        raise TooManyKeys(f"terminal {terminal.terminal} has {live} keys in use; revoke one first")
    # one order everywhere: what the database gives is what was said
    keys = tuple(sorted((*terminal.keys, key), key=lambda k: (k.created_at, k.key_id)))
    return _next(terminal, keys=keys, version=terminal.version + 1)


def revoke_key(terminal: Terminal, key_id: str, *, now: datetime) -> Terminal:
    """The next version of a terminal with that key revoked; the same value if it already was.

    Raises Unknown when the terminal has no such key.
    """
    key = get_key(terminal, key_id)
    if key.revoked_at is not None:
        return terminal
    gone = TerminalKey(
        key_id=key.key_id, sha256=key.sha256, created_at=key.created_at, revoked_at=now
    )
    keys = tuple(gone if k.key_id == key_id else k for k in terminal.keys)
    return _next(terminal, keys=keys, version=terminal.version + 1)


def get_key(terminal: Terminal, key_id: str) -> TerminalKey:
    """The key of that id, revoked or not. Raises Unknown."""
    key = find_key(terminal, key_id)
    if key is None:
        raise words.Unknown(f"terminal {terminal.terminal} has no key {key_id}")
    return key


def find_key(terminal: Terminal, key_id: str) -> TerminalKey | None:
    """The key of that id, revoked or not."""
    return next((k for k in terminal.keys if k.key_id == key_id), None)


def _next(
    terminal: Terminal,
    *,
    version: int,
    epoch: int | None = None,
    active: bool | None = None,
    keys: tuple[TerminalKey, ...] | None = None,
) -> Terminal:
    return Terminal(
        terminal=terminal.terminal,
        version=version,
        epoch=terminal.epoch if epoch is None else epoch,
        merchant=terminal.merchant,
        party=terminal.party,
        branch=terminal.branch,
        active=terminal.active if active is None else active,
        keys=terminal.keys if keys is None else keys,
    )
