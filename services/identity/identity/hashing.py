"""Slow hashes of passwords: argon2id, in threads, as many at a time as there are cores."""

import asyncio
import os
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from identity.settings import Settings
from kit.room import Resources

# OWASP's profile of two passes over 19 MiB in one lane (platform reference 9)
_HASHER: Final = PasswordHasher(
    time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)
# of nobody's password: what an unknown login is compared with, so that it takes as long
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$kYy9LGRq1hd/iyZQez19kg"
    "$G71CKg/tYksoCTHqImjomGwWumFWUDFK0MNHfdB07HY"
)


class Hashing:
    """Hashes and verifies. The work is done beside the event loop, which it never holds up."""

    def __init__(self, threads: int) -> None:
        self._slots = asyncio.Semaphore(threads or os.cpu_count() or 1)

    async def hash(self, password: str) -> str:
        """The hash of a password with its own salt and parameters, in the PHC form."""
        async with self._slots:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether a password is that of a hash; None, of nobody, is never, and takes as long."""
        async with self._slots:
            same = await asyncio.to_thread(_verify, kept or _NOBODYS, password)
        return same and kept is not None


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def hashing_of(opened: Resources) -> Hashing:
    """The hashing of this process; `opened.shared(hashing_of)` makes it once."""
    settings: Settings = opened.settings
    return Hashing(settings.hashing_threads)
