"""All the SQL of identifiers and bindings."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.members import Binding, Identifier, IdentifierKind
from kit.base.db import Record, Tx
from members.identifiers.domain import Fresh

_IDENTIFIERS: Final = (
    "identifier_id",
    "digest",
    "kind",
    "last4",
    "version",
    "sealed",
    "issued_at",
)
_BINDINGS: Final = ("identifier_id", "from_at", "member", "account", "shard", "written_at")


async def insert_identifiers(tx: Tx, fresh: Sequence[Fresh], now: datetime) -> None:
    """Add identifiers with their first bindings; a digest that exists is a DataError 23505."""
    rows = [(uuid.UUID(f.identifier.identifier_id), f) for f in fresh]
    await tx.copy(
        "identifiers",
        _IDENTIFIERS,
        [
            (
                key,
                bytes.fromhex(f.identifier.digest),
                f.identifier.kind.value,
                f.identifier.last4,
                f.identifier.version,
                f.sealed,
                now,
            )
            for key, f in rows
        ],
    )
    await tx.copy(
        "bindings",
        _BINDINGS,
        [
            (key, b.from_at, b.member, b.account, b.shard, now)
            for key, f in rows
            for b in f.identifier.bindings
        ],
    )


_FIND: Final = (
    "select i.identifier_id::text, i.digest, i.kind, i.last4, i.version, i.blocked_at,"
    " b.from_at, b.member, b.account, b.shard"
    " from identifiers i join bindings b using (identifier_id)"
)

_IN_ORDER: Final = " order by i.identifier_id, b.from_at"
_OF_MEMBER: Final = (
    "select identifier_id from bindings where member = $1 order by identifier_id limit $2"
)


async def find_digests(tx: Tx, digests: Sequence[str]) -> dict[str, Identifier]:
    """Identifiers by digest, those that exist."""
    rows = await tx.fetch(
        _FIND + " where i.digest = any($1::bytea[])" + _IN_ORDER,
        [bytes.fromhex(d) for d in digests],
    )
    return {one.digest: one for one in _gather(rows)}


async def find_identifier(tx: Tx, identifier_id: uuid.UUID) -> Identifier | None:
    """The identifier, or None."""
    rows = await tx.fetch(_FIND + " where i.identifier_id = $1 order by b.from_at", identifier_id)
    return next(iter(_gather(rows)), None)


async def lock_identifier(tx: Tx, identifier_id: uuid.UUID) -> Identifier | None:
    """The identifier, locked until the transaction ends, or None."""
    await tx.execute(
        "select identifier_id from identifiers where identifier_id = $1 for no key update",
        identifier_id,
    )
    return await find_identifier(tx, identifier_id)


async def list_of_member(tx: Tx, member: int, *, limit: int) -> list[Identifier]:
    """Identifiers that mean or ever meant a member, with all their bindings, in id order."""
    rows = await tx.fetch(
        _FIND
        + " where i.identifier_id in ("
        + _OF_MEMBER
        + ") order by i.identifier_id, b.from_at",
        member,
        limit,
    )
    return _gather(rows)


async def find_sealed(tx: Tx, identifier_id: str) -> bytes | None:
    """The sealed text of an identifier that may be shown again, or None."""
    return await tx.fetchval(
        "select sealed from identifiers where identifier_id = $1::uuid", uuid.UUID(identifier_id)
    )


async def update_identifier(tx: Tx, identifier: Identifier) -> None:
    """Write version and block."""
    await tx.execute(
        "update identifiers set version = $2, blocked_at = $3 where identifier_id = $1",
        uuid.UUID(identifier.identifier_id),
        identifier.version,
        identifier.blocked_at,
    )


async def insert_binding(
    tx: Tx, identifier_id: uuid.UUID, binding: Binding, *, binding_id: uuid.UUID, now: datetime
) -> None:
    """Add a binding under the caller's id."""
    await tx.execute(
        "insert into bindings (identifier_id, from_at, member, account, shard, binding_id,"
        " written_at) values ($1, $2, $3, $4, $5, $6, $7)",
        identifier_id,
        binding.from_at,
        binding.member,
        binding.account,
        binding.shard,
        binding_id,
        now,
    )


async def find_binding(tx: Tx, binding_id: uuid.UUID) -> tuple[str, Binding] | None:
    """Identifier and binding that a request wrote, or None."""
    row = await tx.fetchrow(
        "select identifier_id::text, from_at, member, account, shard from bindings"
        " where binding_id = $1",
        binding_id,
    )
    return None if row is None else (row["identifier_id"], _binding(row))


def _gather(rows: Sequence[Record]) -> list[Identifier]:
    """One identifier for the rows of its bindings, which follow one another."""
    first: dict[str, Record] = {}
    bindings: dict[str, list[Binding]] = {}
    for row in rows:
        first.setdefault(row["identifier_id"], row)
        bindings.setdefault(row["identifier_id"], []).append(_binding(row))
    return [
        Identifier(
            identifier_id=key,
            version=row["version"],
            digest=row["digest"].hex(),
            kind=IdentifierKind(row["kind"]),
            last4=row["last4"],
            bindings=tuple(bindings[key]),
            blocked_at=row["blocked_at"],
        )
        for key, row in first.items()
    ]


def _binding(row: Record) -> Binding:
    return Binding(
        from_at=row["from_at"], member=row["member"], account=row["account"], shard=row["shard"]
    )
