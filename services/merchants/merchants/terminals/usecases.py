"""Registering and activating terminals; every change is published in its transaction."""

import uuid
from datetime import datetime, timedelta

from contracts import envelope, topics
from contracts.merchants import Terminal, TerminalKey
from kit.base.db import Tx
from kit.stream import outbox
from merchants import errors, settings
from merchants.parties import usecases as parties
from merchants.terminals import domain, store
from merchants.terminals.domain import Activation, IssuedKey


async def register_terminal(
    tx: Tx, merchant: int, terminal: int, *, branch: int, now: datetime, online: bool = False
) -> tuple[Terminal, bool]:
    """The terminal as it is kept, and whether it is new: not active, epoch 0, without keys.

    online: it names the merchant's orders, which one terminal does. Raises Unknown (merchant,
    branch), Differs (also when it is another merchant's), OnlineTaken.
    """
    owner = await parties.get_merchant(tx, merchant)
    await parties.get_branch(tx, merchant, branch)
    fresh = Terminal(
        terminal=terminal,
        version=1,
        epoch=0,
        merchant=merchant,
        party=owner.party,
        branch=branch,
        active=False,
        online=online,
    )
    named_by = await store.find_online(tx, merchant) if online else None
    if named_by not in (None, terminal):
        raise domain.OnlineTaken(f"terminal {named_by} names the orders of merchant {merchant}")
    if await store.insert_terminal(tx, fresh):
        _publish(tx, fresh, now)
        return fresh, True
    kept = await get_terminal(tx, terminal)
    if (kept.merchant, kept.branch, kept.online) != (merchant, branch, online):
        raise errors.Differs(
            f"terminal {terminal} stands at another merchant or branch, or one of them is online"
        )
    return kept, False


async def get_terminal(tx: Tx, terminal: int) -> Terminal:
    """The terminal with all its keys. Raises Unknown."""
    kept = await store.find_terminal(tx, terminal)
    if kept is None:
        raise errors.Unknown(f"terminal {terminal} is not registered")
    return kept


async def get_terminal_of(tx: Tx, merchant: int, terminal: int) -> Terminal:
    """The terminal, if it is this merchant's. Raises Unknown."""
    kept = await get_terminal(tx, terminal)
    if kept.merchant != merchant:
        raise errors.Unknown(f"merchant {merchant} has no terminal {terminal}")
    return kept


async def list_terminals(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Terminal]:
    """Terminals of a merchant in number order, above after. Raises Unknown (merchant)."""
    await parties.get_merchant(tx, merchant)
    return await store.list_terminals(tx, merchant, after=after, limit=limit)


async def activate_terminal(
    tx: Tx,
    terminal: int,
    activation: uuid.UUID,
    *,
    secret: str,
    now: datetime,
    overlap_s: int = 0,
) -> tuple[IssuedKey, bool]:
    """Issue the next epoch and its first key, made of secret; whether it was new.

    Keys before it end now, or overlap_s later. The same activation again gives the same epoch and
    no key: it was shown once. Raises Unknown, Differs (an activation of another terminal, or with
    another overlap).
    """
    current = await lock_terminal(tx, terminal)
    kept = await store.find_activation(tx, str(activation))
    if kept is not None:
        if (kept.terminal, kept.overlap_s) != (terminal, overlap_s):
            raise errors.Differs("this activation was of another kind; make a new UUID")
        return IssuedKey(terminal, kept.epoch, kept.key_id, None), False
    fresh = domain.activated(current)
    key_id = domain.key_id_of(str(activation))
    key, text = _make_key(fresh, key_id, secret, now)
    new_activation = Activation(str(activation), terminal, fresh.epoch, key_id, overlap_s)
    await store.update_ends(tx, terminal, ends_at=now + timedelta(seconds=overlap_s))
    await store.insert_key(tx, terminal, key)
    await store.insert_activation(tx, new_activation, key)
    await _keep_change(tx, fresh, now=now)
    return IssuedKey(terminal, fresh.epoch, key_id, text), True


async def rotate_key(
    tx: Tx, terminal: int, key_id: str, *, secret: str, now: datetime
) -> tuple[IssuedKey, bool]:
    """Issue a further key under the caller's id, in the same epoch; whether it was new.

    Older keys stay good until revoked. A repeat gives no key. Raises Unknown, TooManyKeys.
    """
    current = await lock_terminal(tx, terminal)
    kept = await store.find_key(tx, terminal, key_id)
    if kept is not None:
        return IssuedKey(terminal, kept.epoch, key_id, None), False
    domain.refuse_too_many(current, active_max=settings.KEYS_ACTIVE_MAX)
    key, text = _make_key(current, key_id, secret, now)
    await store.insert_key(tx, terminal, key)
    await _keep_change(tx, domain.changed(current), now=now)
    return IssuedKey(terminal, current.epoch, key_id, text), True


async def revoke_key(tx: Tx, terminal: int, key_id: str, *, now: datetime) -> TerminalKey:
    """The key with the time it was revoked; a second time changes nothing. Raises Unknown."""
    current = await lock_terminal(tx, terminal)
    if await store.update_ends(tx, terminal, ends_at=now, key_id=key_id):
        await _keep_change(tx, domain.changed(current), now=now)
    key = await store.find_key(tx, terminal, key_id)
    if key is None:
        raise errors.Unknown(f"terminal {terminal} has no key {key_id}")
    return key


async def stop_terminal(tx: Tx, terminal: int, *, stopped: bool, now: datetime) -> None:
    """Stop a terminal, whatever keys it has, or open it again. Raises Unknown."""
    current = await lock_terminal(tx, terminal)
    await _keep_change(tx, domain.changed(current, stopped=stopped), now=now)


async def _keep_change(tx: Tx, changed: Terminal, *, now: datetime) -> None:
    """Write a terminal's next version and say the whole of it, as the database has it."""
    await store.update_terminal(tx, changed)
    _publish(tx, await get_terminal(tx, changed.terminal), now)


async def lock_terminal(tx: Tx, terminal: int) -> Terminal:
    """The terminal, held until the transaction ends. Raises Unknown."""
    kept = await store.lock_terminal(tx, terminal)
    if kept is None:
        raise errors.Unknown(f"terminal {terminal} is not registered")
    return kept


def _make_key(
    terminal: Terminal, key_id: str, secret: str, now: datetime
) -> tuple[TerminalKey, str]:
    text = domain.key_text(terminal.terminal, key_id, secret)
    digest = domain.key_digest(text)
    key = TerminalKey(key_id=key_id, sha256=digest, created_at=now, epoch=terminal.epoch)
    return key, text


def _publish(tx: Tx, terminal: Terminal, now: datetime) -> None:
    key = f"{terminal.terminal}@{terminal.version}"
    event = envelope.Envelope(
        id=envelope.derive_id(key, "terminal-changed.v1"),
        type="terminal-changed.v1",
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=terminal,
    )
    outbox.add(tx, [outbox.message(topics.MERCHANTS_TERMINALS, event)])
