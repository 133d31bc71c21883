"""Rules of terminals: epochs, keys, versions."""

import hashlib
from dataclasses import dataclass

from contracts.merchants import Terminal
from kit.base import errors


class TooManyKeys(errors.Conflict):
    """A terminal has as many keys as it may have."""

    code = "too-many-keys"
    fa = "شمار کلیدهای پایانه به اندازهٔ مجاز رسیده است؛ نخست کلیدی را باطل کنید."


class OnlineTaken(errors.Conflict):
    """A merchant's orders are named by another terminal."""

    code = "online-terminal-exists"
    fa = "این فروشگاه پایانهٔ آنلاین دارد؛ برای سرور تازه، کلید دیگری برای همان پایانه بسازید."


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation: the epoch it issued and the first key of that epoch.

    overlap_s: how long the keys before it stay in force, in seconds.
    """

    activation: str
    terminal: int
    epoch: int
    key_id: str
    overlap_s: int = 0


@dataclass(frozen=True, slots=True)
class IssuedKey:
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


def activated(terminal: Terminal) -> Terminal:
    """The next version of a terminal: epoch + 1, and switched on; its keys as they were.

    It opens no terminal that was stopped.
    """
    return _next(terminal, epoch=terminal.epoch + 1, active=True)


def changed(terminal: Terminal, *, stopped: bool | None = None) -> Terminal:
    """The next version of a terminal of which something else changed."""
    return _next(terminal, stopped=terminal.stopped if stopped is None else stopped)


def refuse_too_many(terminal: Terminal, *, active_max: int) -> None:
    """Raise TooManyKeys where a further key is one too many of those that have no end yet.

    An activation is never refused for it: it ends them.
    """
    live = sum(1 for k in terminal.keys if k.revoked_at is None)
    if live >= active_max:
        raise TooManyKeys(f"terminal {terminal.terminal} has {live} keys in use; revoke one first")


def _next(
    terminal: Terminal,
    *,
    epoch: int | None = None,
    active: bool | None = None,
    stopped: bool | None = None,
) -> Terminal:
    return Terminal(
        terminal=terminal.terminal,
        version=terminal.version + 1,
        epoch=terminal.epoch if epoch is None else epoch,
        merchant=terminal.merchant,
        party=terminal.party,
        branch=terminal.branch,
        active=terminal.active if active is None else active,
        keys=terminal.keys,
        stopped=terminal.stopped if stopped is None else stopped,
        online=terminal.online,
    )
