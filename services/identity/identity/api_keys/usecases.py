"""Issuing keys of programs, putting others in their place, and ending them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts import envelope, topics
from identity import errors
from identity.api_keys import domain, store
from identity.api_keys.domain import ApiKey, KeyEnded
from kit.base.db import Tx
from kit.stream import outbox


async def issue(tx: Tx, fresh: ApiKey) -> tuple[ApiKey, bool]:
    """Issue a key under the caller's id; as kept, and whether it is new.

    Raises Differs, BadKeyEnd.
    """
    kept = await store.find_key(tx, fresh.key)
    if kept is not None:
        if not kept.is_repeat(fresh):
            raise errors.Differs("another key has this id; make a new UUID")
        return kept, False
    domain.checked_end(fresh.ends_at, fresh.issued_at)
    await store.insert_key(tx, fresh)
    _publish(tx, fresh, fresh.issued_at)
    return fresh, True


async def succeed(tx: Tx, key: str, fresh: ApiKey, *, overlap_s: int) -> tuple[ApiKey, bool]:
    """Issue a key in place of another, which ends overlap_s seconds later; whether it is new.

    fresh: its name and roles are those of the one before. Raises Unknown, Differs, KeyEnded.
    """
    old = await store.lock_key(tx, key)
    if old is None:
        raise errors.Unknown(f"there is no key {key}; list the keys")
    fresh = replace(fresh, name=old.name, roles=old.roles)
    if old.successor == fresh.key:
        return await issue(tx, fresh)
    now = fresh.issued_at
    if old.successor is not None or old.ends_at <= now:
        raise KeyEnded("this key has ended, or has a successor; issue another one")
    kept, created = await issue(tx, fresh)
    if not created:
        raise errors.Differs("another key has this id; make a new UUID")
    ends_at = min(old.ends_at, now + timedelta(seconds=overlap_s))
    old = replace(old, version=old.version + 1, ends_at=ends_at, successor=kept.key)
    await store.update_end(tx, old)
    _publish(tx, old, now)
    return kept, True


async def end(tx: Tx, key: str, now: datetime) -> ApiKey:
    """End a key now; repeated, the first end stands. Raises Unknown."""
    kept = await store.lock_key(tx, key)
    if kept is None:
        raise errors.Unknown(f"there is no key {key}; list the keys")
    if kept.ends_at <= now:
        return kept
    ended = replace(kept, version=kept.version + 1, ends_at=now)
    await store.update_end(tx, ended)
    _publish(tx, ended, now)
    return ended


async def get_key(tx: Tx, key: str) -> ApiKey:
    """A key. Raises Unknown."""
    kept = await store.find_key(tx, key)
    if kept is None:
        raise errors.Unknown(f"there is no key {key}; list the keys")
    return kept


async def list_keys(tx: Tx, *, after: str, limit: int) -> list[ApiKey]:
    """Keys in the order of their ids, ended ones too."""
    return await store.list_keys(tx, after=after, limit=limit)


async def note_uses(tx: Tx, keys: Sequence[str], now: datetime) -> None:
    """Keep when keys were used last; unknown ones are none."""
    await store.update_used(tx, keys, now)


def _publish(tx: Tx, key: ApiKey, now: datetime) -> None:
    """Have gateways know the newest version of a key."""
    data = key.published()
    event = envelope.Envelope(
        id=envelope.derive_id(f"{data.key}@{data.version}", "api-key-changed.v1"),
        type="api-key-changed.v1",
        key=f"key/{data.key}",
        occurred_at=now,
        accepted_at=now,
        data=data,
    )
    outbox.add(tx, [outbox.message(topics.IDENTITY_SESSIONS, event)])
