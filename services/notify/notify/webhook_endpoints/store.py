"""All the SQL of endpoints and their secrets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from notify.webhook_endpoints.domain import Endpoint, EventType, SealedSecret

_SELECT: Final = (
    "select endpoint::text, merchant, url, events, enabled, disabled_reason, created_at,"
    " changed_at, delivered_at from webhook_endpoints"
)


async def insert_endpoint(tx: Tx, endpoint: Endpoint) -> None:
    """Write a new endpoint."""
    await tx.execute(
        "insert into webhook_endpoints"
        " (endpoint, merchant, url, events, enabled, created_at, changed_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        endpoint.endpoint,
        endpoint.merchant,
        endpoint.url,
        list(endpoint.events),
        endpoint.enabled,
        endpoint.created_at,
        endpoint.changed_at,
    )


async def update_endpoint(tx: Tx, endpoint: Endpoint) -> None:
    """Write what goes where, and whether anything does."""
    await tx.execute(
        "update webhook_endpoints set url = $2, events = $3, enabled = $4, disabled_reason = $5,"
        " changed_at = $6 where endpoint = $1",
        endpoint.endpoint,
        endpoint.url,
        list(endpoint.events),
        endpoint.enabled,
        endpoint.disabled_reason,
        endpoint.changed_at,
    )


async def update_delivered(tx: Tx, endpoint: str, at: datetime) -> None:
    """Keep that an endpoint took something."""
    sql = "update webhook_endpoints set delivered_at = $2 where endpoint = $1"
    await tx.execute(sql, endpoint, at)


async def lock_endpoint(tx: Tx, endpoint: str) -> Endpoint | None:
    """An endpoint, which nobody else changes until this transaction ends."""
    row = await tx.fetchrow(_SELECT + " where endpoint = $1 for update", endpoint)
    return None if row is None else _endpoint(row)


async def find_endpoint(tx: Tx, endpoint: str) -> Endpoint | None:
    """An endpoint, or None."""
    row = await tx.fetchrow(_SELECT + " where endpoint = $1", endpoint)
    return None if row is None else _endpoint(row)


async def list_endpoints(tx: Tx, merchant: int) -> list[Endpoint]:
    """All endpoints of a merchant, in the order in which they were made."""
    rows = await tx.fetch(
        _SELECT + " where merchant = $1 order by created_at, endpoint",
        merchant,
    )
    return [_endpoint(row) for row in rows]


async def list_of_merchants(tx: Tx, merchants: Sequence[int]) -> list[Endpoint]:
    """All endpoints of these merchants."""
    rows = await tx.fetch(
        _SELECT + " where merchant = any($1::int[])",
        list(merchants),
    )
    return [_endpoint(row) for row in rows]


async def insert_secret(tx: Tx, secret: SealedSecret) -> None:
    """Write a new secret."""
    await tx.execute(
        "insert into webhook_secrets (secret, endpoint, sealed, created_at)"
        " values ($1, $2, $3, $4)",
        secret.secret,
        secret.endpoint,
        secret.sealed,
        secret.created_at,
    )


async def update_ends(tx: Tx, endpoint: str, ends_at: datetime) -> None:
    """End an endpoint's secrets then, those that do not end before."""
    await tx.execute(
        "update webhook_secrets set ends_at = least(ends_at, $2) where endpoint = $1",
        endpoint,
        ends_at,
    )


async def find_secret(tx: Tx, secret: str) -> SealedSecret | None:
    """A secret by its own id, ended or not."""
    row = await tx.fetchrow(
        "select secret::text, endpoint::text, sealed, created_at, ends_at from webhook_secrets"
        " where secret = $1",
        secret,
    )
    return None if row is None else SealedSecret(**dict(row))


async def list_secrets(tx: Tx, endpoint: str, now: datetime) -> list[SealedSecret]:
    """The secrets of an endpoint that sign now, the newest first."""
    rows = await tx.fetch(
        "select secret::text, endpoint::text, sealed, created_at, ends_at from webhook_secrets"
        " where endpoint = $1 and (ends_at is null or ends_at > $2)"
        " order by created_at desc, secret",
        endpoint,
        now,
    )
    return [SealedSecret(**dict(row)) for row in rows]


def _endpoint(row: Record) -> Endpoint:
    values = dict(row)
    values["events"] = tuple(EventType(text) for text in values["events"])
    return Endpoint(**values)
