"""All the SQL of passwords."""

from datetime import datetime

from kit.base.db import Tx


async def find_hash(tx: Tx, user: str) -> str | None:
    """The hash of a user's password, None where there is none yet."""
    return await tx.fetchval("select hash from passwords where user_id = $1::uuid", user)


async def upsert_hash(tx: Tx, user: str, hashed: str, now: datetime) -> None:
    """Write the hash of a user's password."""
    await tx.execute(
        "insert into passwords (user_id, hash, changed_at) values ($1::uuid, $2, $3)"
        " on conflict (user_id) do update set hash = $2, changed_at = $3",
        user, hashed, now,
    )  # fmt: skip
