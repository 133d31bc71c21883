"""All the SQL of API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from identity.api_keys.domain import ApiKey
from kit.base.db import Record, Tx

_KEY: Final = (
    "select key::text, name, roles, version, sha256, issued_by, issued_at, ends_at, first_ends_at,"
    " successor::text, used_at from api_keys"
)


async def insert_key(tx: Tx, key: ApiKey) -> None:
    """Add a key; an id that is there is a DataError."""
    await tx.execute(
        "insert into api_keys (key, name, roles, version, sha256, issued_by, issued_at, ends_at,"
        " first_ends_at) values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)",
        key.key, key.name, list(key.roles), key.version, key.sha256, key.issued_by, key.issued_at,
        key.ends_at, key.first_ends_at,
    )  # fmt: skip


async def find_key(tx: Tx, key: str) -> ApiKey | None:
    """A key by id."""
    row = await tx.fetchrow(_KEY + " where key = $1::uuid", key)
    return None if row is None else _api_key(row)


async def lock_key(tx: Tx, key: str) -> ApiKey | None:
    """A key by id, locked until the transaction ends."""
    row = await tx.fetchrow(_KEY + " where key = $1::uuid for update", key)
    return None if row is None else _api_key(row)


async def list_keys(tx: Tx, *, after: str, limit: int) -> list[ApiKey]:
    """Keys in the order of their ids, above after."""
    rows = await tx.fetch(_KEY + " where key > $1::uuid order by key limit $2", after, limit)
    return [_api_key(row) for row in rows]


async def update_end(tx: Tx, key: ApiKey) -> None:
    """Write version, end and successor."""
    await tx.execute(
        "update api_keys set version = $2, ends_at = $3, successor = $4::uuid"
        " where key = $1::uuid",
        key.key, key.version, key.ends_at, key.successor,
    )  # fmt: skip


async def update_used(tx: Tx, keys: Sequence[str], now: datetime) -> None:
    """Write that keys were used."""
    await tx.execute("update api_keys set used_at = $2 where key = any ($1::uuid[])", keys, now)


def _api_key(row: Record) -> ApiKey:
    values = dict(row)
    return ApiKey(roles=tuple(values.pop("roles")), **values)
