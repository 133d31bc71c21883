"""Reading and setting the hash of a user's password."""

from datetime import datetime

from identity.passwords import store
from kit.base.db import Tx


async def find_hash(tx: Tx, user: str) -> str | None:
    """The hash of a user's password, None where there is none yet."""
    return await store.find_hash(tx, user)


async def set_hash(tx: Tx, user: str, hashed: str, now: datetime) -> None:
    """Keep the hash of a user's new password in place of the one before."""
    await store.upsert_hash(tx, user, hashed, now)
