"""What operators do with programmes and terms; every version is said in the same transaction."""

from datetime import datetime

from msgspec import structs

from contracts import envelope, topics
from contracts.merchants import Programme, Terms
from kit import outbox
from kit.db import Tx
from merchants import errors as words
from merchants import settings
from merchants.parties import usecases as partners
from merchants.programmes import domain, store


async def publish_programme(
    tx: Tx, draft: Programme, *, backdated: bool, now: datetime
) -> tuple[Programme, bool]:
    """The version as it is kept, and whether it is new; draft.party is set to the merchant's own.

    Raises Unknown (merchant), Differs, NotNext, TooSoon.
    """
    merchant = await partners.lock_merchant(tx, draft.merchant)
    programme = structs.replace(draft, party=merchant.party)
    kept = await store.find_programme(tx, programme.merchant, programme.version)
    if kept is not None:
        if kept != programme:
            raise words.Differs(f"version {programme.version} is published with other details")
        return kept, False
    last = await store.find_last_programme(tx, programme.merchant)
    domain.check_version(
        programme, last, now=now, propagation_s=settings.PROPAGATION_S, backdated=backdated
    )
    await store.insert_programme(tx, programme, now)
    key = f"{programme.merchant}@{programme.version}"
    topic = topics.MERCHANTS_PROGRAMMES
    _say(tx, topic, "programme-published.v1", programme, key=key, now=now)
    return programme, True


async def get_programme(tx: Tx, merchant: int, version: int) -> Programme:
    """One version. Raises Unknown."""
    found = await store.find_programme(tx, merchant, version)
    if found is None:
        raise words.Unknown(f"merchant {merchant} has no programme version {version}")
    return found


async def list_programmes(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Programme]:
    """A merchant's versions in order, above after. Raises Unknown (merchant)."""
    await partners.get_merchant(tx, merchant)
    return await store.list_programmes(tx, merchant, after=after, limit=limit)


async def publish_terms(
    tx: Tx, terms: Terms, *, backdated: bool, now: datetime
) -> tuple[Terms, bool]:
    """The version as it is kept, and whether it is new. Raises Differs, NotNext, TooSoon."""
    await partners.lock_network(tx)
    kept = await store.find_terms(tx, terms.version)
    if kept is not None:
        if kept != terms:
            raise words.Differs(f"version {terms.version} is published with other details")
        return kept, False
    last = await store.find_last_terms(tx)
    domain.check_version(
        terms, last, now=now, propagation_s=settings.PROPAGATION_S, backdated=backdated
    )
    await store.insert_terms(tx, terms, now)
    key = f"network@{terms.version}"
    _say(tx, topics.MERCHANTS_TERMS, "terms-published.v1", terms, key=key, now=now)
    return terms, True


async def get_terms(tx: Tx, version: int) -> Terms:
    """One version. Raises Unknown."""
    found = await store.find_terms(tx, version)
    if found is None:
        raise words.Unknown(f"there is no version {version} of the network's terms")
    return found


async def list_terms(tx: Tx, *, after: int, limit: int) -> list[Terms]:
    """Versions of the network's terms in order, above after."""
    return await store.list_terms(tx, after=after, limit=limit)


def _say(
    tx: Tx, topic: topics.Topic, kind: str, data: Programme | Terms, *, key: str, now: datetime
) -> None:
    said = envelope.Envelope(
        id=envelope.follow(key, kind),
        type=kind,
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=data,
    )
    outbox.add(tx, [outbox.message(topic, said)])
