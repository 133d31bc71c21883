"""Making and changing endpoints, and putting another secret in a secret's place."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.keys import Ring
from kit.base import errors
from kit.base.db import Tx
from kit.room import Resources
from notify import settings
from notify.titles import usecases as titles
from notify.webhook_endpoints import domain, store
from notify.webhook_endpoints.domain import (
    DisabledReason,
    Endpoint,
    SealedSecret,
    TooManyEndpoints,
)


class Differs(errors.Invalid):
    """The caller's id was used for another endpoint or secret."""

    code = "already-exists-differently"
    fa = "چیز دیگری با همین شناسه ثبت شده است؛ شناسهٔ تازه‌ای بسازید."


def secret_ring(opened: Resources) -> Ring:
    """The keys that seal secrets; `opened.shared(secret_ring)` reads them once."""
    return domain.ring_of(opened.settings.contact_keys)


async def keep(tx: Tx, endpoint: Endpoint, ring: Ring) -> tuple[Endpoint, Endpoint | None, str]:
    """Make an endpoint or change it: as kept, as before, and the secret's text of a new one.

    Raises NotFound (no such merchant), Differs, TooManyEndpoints.
    """
    kept = await store.lock_endpoint(tx, endpoint.endpoint)
    if kept is None:
        return endpoint, None, await _make(tx, endpoint, ring)
    if kept.merchant != endpoint.merchant:
        raise Differs("another endpoint has this id; make a new UUID")
    if kept.has_terms_of(endpoint):
        return kept, kept, ""
    reason = "" if endpoint.enabled else kept.disabled_reason
    changed = replace(
        endpoint,
        created_at=kept.created_at,
        delivered_at=kept.delivered_at,
        disabled_reason=reason,
    )
    await store.update_endpoint(tx, changed)
    return changed, kept, ""


async def _make(tx: Tx, endpoint: Endpoint, ring: Ring) -> str:
    if not await titles.find_of_merchants(tx, [endpoint.merchant]):
        raise errors.NotFound(f"there is no merchant {endpoint.merchant}; list the merchants")
    others = await store.list_endpoints(tx, endpoint.merchant)
    if len(others) >= settings.ENDPOINTS_MAX:
        raise TooManyEndpoints(f"a merchant has {settings.ENDPOINTS_MAX} at most; change one")
    await store.insert_endpoint(tx, endpoint)
    return await _add_secret(tx, endpoint.endpoint, endpoint, ring)


async def rotate(
    tx: Tx, endpoint: Endpoint, secret: str, *, overlap_s: int, now: datetime, ring: Ring
) -> str:
    """Give an endpoint a new secret under the caller's id; its text, "" when repeated.

    Those before sign along for overlap_s seconds. Raises Differs.
    """
    kept = await store.find_secret(tx, secret)
    if kept is not None:
        if kept.endpoint != endpoint.endpoint:
            raise Differs("another secret has this id; make a new UUID")
        return ""
    await store.update_ends(tx, endpoint.endpoint, now + timedelta(seconds=overlap_s))
    return await _add_secret(tx, secret, replace(endpoint, changed_at=now), ring)


async def _add_secret(tx: Tx, name: str, endpoint: Endpoint, ring: Ring) -> str:
    secret = secrets.token_bytes(domain.SECRET_BYTES)
    sealed = domain.seal(
        secret, endpoint=endpoint.endpoint, nonce=secrets.token_bytes(12), ring=ring
    )
    row = SealedSecret(name, endpoint.endpoint, sealed, endpoint.changed_at)
    await store.insert_secret(tx, row)
    return domain.secret_text(secret)


async def get_endpoint(tx: Tx, merchant: int, endpoint: uuid.UUID | str) -> Endpoint:
    """A merchant's endpoint. Raises NotFound, for another merchant's too."""
    kept = await store.find_endpoint(tx, str(endpoint))
    if kept is None or kept.merchant != merchant:
        raise errors.NotFound("this merchant has no such endpoint; list its endpoints")
    return kept


async def lock_endpoint(tx: Tx, merchant: int, endpoint: uuid.UUID | str) -> Endpoint:
    """As get_endpoint; nobody else changes it until this transaction ends."""
    await store.lock_endpoint(tx, str(endpoint))
    return await get_endpoint(tx, merchant, endpoint)


async def list_endpoints(tx: Tx, merchant: int) -> list[Endpoint]:
    """All endpoints of a merchant, in the order in which they were made."""
    return await store.list_endpoints(tx, merchant)


async def list_of_merchants(tx: Tx, merchants: Sequence[int]) -> list[Endpoint]:
    """All endpoints of these merchants, disabled ones too."""
    return await store.list_of_merchants(tx, merchants) if merchants else []


async def find_signing(
    tx: Tx, endpoint: str, *, now: datetime, ring: Ring
) -> tuple[Endpoint, list[bytes]] | None:
    """An enabled endpoint and the secrets that sign now, the newest first; else None.

    Raises contracts.keys.MissingKey, Unsealable.
    """
    kept = await store.find_endpoint(tx, endpoint)
    if kept is None or not kept.enabled:
        return None
    rows = await store.list_secrets(tx, endpoint, now)
    return kept, [domain.unseal(row.sealed, endpoint=endpoint, ring=ring) for row in rows]


async def note_delivered(tx: Tx, endpoint: str, at: datetime) -> None:
    """Keep that an endpoint took something."""
    await store.update_delivered(tx, endpoint, at)


async def disable(
    tx: Tx, endpoint: str, reason: DisabledReason, *, since: datetime, now: datetime
) -> bool:
    """Stop sending to an endpoint that took nothing since then; whether it was stopped now."""
    kept = await store.lock_endpoint(tx, endpoint)
    if kept is None or not kept.enabled:
        return False
    if kept.delivered_at is not None and kept.delivered_at >= since:
        return False
    stopped = replace(kept, enabled=False, disabled_reason=reason.value, changed_at=now)
    await store.update_endpoint(tx, stopped)
    return True
