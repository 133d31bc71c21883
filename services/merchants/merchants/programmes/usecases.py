"""Operators publish programmes and terms; each version is announced in the same transaction."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import structs

from contracts import envelope, topics
from contracts.merchants import Programme, Terms
from kit.base import versions
from kit.base.db import Tx
from kit.stream import outbox
from merchants import errors, settings
from merchants.parties import usecases as parties
from merchants.programmes import store

_PROPAGATION: Final = timedelta(seconds=settings.PROPAGATION_S)


async def publish_programme(
    tx: Tx, draft: Programme, *, backdated: bool, now: datetime
) -> tuple[Programme, bool]:
    """The version as it is kept, and whether it is new; draft.party is set to the merchant's own.

    Raises Unknown (merchant), AlreadyExistsDifferently, VersionNotNext, EffectiveTooSoon.
    """
    merchant = await parties.lock_merchant(tx, draft.merchant)
    programme = structs.replace(draft, party=merchant.party)
    existing = await store.find_programme(tx, programme.merchant, programme.version)
    newest = await store.find_newest_programme(tx, programme.merchant)
    earliest = now + _PROPAGATION
    if not versions.is_new(programme, existing, newest, earliest=earliest, backdated=backdated):
        return programme, False
    await store.insert_programme(tx, programme, now)
    key = f"{programme.merchant}@{programme.version}"
    topic = topics.MERCHANTS_PROGRAMMES
    _publish(tx, topic, "programme-published.v1", programme, key=key, now=now)
    return programme, True


async def get_programme(tx: Tx, merchant: int, version: int) -> Programme:
    """One version. Raises Unknown."""
    programme = await store.find_programme(tx, merchant, version)
    if programme is None:
        raise errors.Unknown(f"merchant {merchant} has no programme version {version}")
    return programme


async def list_programmes(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Programme]:
    """A merchant's versions in order, above after. Raises Unknown (merchant)."""
    await parties.get_merchant(tx, merchant)
    return await store.list_programmes(tx, merchant, after=after, limit=limit)


async def publish_terms(
    tx: Tx, terms: Terms, *, backdated: bool, now: datetime
) -> tuple[Terms, bool]:
    """The version as it is kept, and whether it is new.

    Raises AlreadyExistsDifferently, VersionNotNext, EffectiveTooSoon.
    """
    await parties.lock_network(tx)
    existing = await store.find_terms(tx, terms.version)
    newest = await store.find_newest_terms(tx)
    earliest = now + _PROPAGATION
    if not versions.is_new(terms, existing, newest, earliest=earliest, backdated=backdated):
        return terms, False
    await store.insert_terms(tx, terms, now)
    key = f"network@{terms.version}"
    _publish(tx, topics.MERCHANTS_TERMS, "terms-published.v1", terms, key=key, now=now)
    return terms, True


async def get_terms(tx: Tx, version: int) -> Terms:
    """One version. Raises Unknown."""
    terms = await store.find_terms(tx, version)
    if terms is None:
        raise errors.Unknown(f"there is no version {version} of the network's terms")
    return terms


async def find_terms_in_force(tx: Tx, at: datetime) -> Terms | None:
    """The network's terms in force at a time; None: there are none yet."""
    return await store.find_terms_in_force(tx, at)


async def list_terms(tx: Tx, *, after: int, limit: int) -> list[Terms]:
    """Versions of the network's terms in order, above after."""
    return await store.list_terms(tx, after=after, limit=limit)


def _publish(
    tx: Tx, topic: topics.Topic, kind: str, data: Programme | Terms, *, key: str, now: datetime
) -> None:
    event = envelope.Envelope(
        id=envelope.derive_id(key, kind),
        type=kind,
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=data,
    )
    outbox.add(tx, [outbox.message(topic, event)])
