"""Slow hashes: the profile, nobody's, and an event loop that goes on meanwhile."""

import asyncio

from identity.hashing import Hashing


async def test_a_hash_carries_its_profile_and_its_own_salt() -> None:
    hashing = Hashing(2)
    first, second = await hashing.hash("four words"), await hashing.hash("four words")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await hashing.verify(first, "four words")
    assert not await hashing.verify(first, "five words")


async def test_nobodys_password_is_never_right_though_it_is_hashed() -> None:
    hashing = Hashing(1)
    assert not await hashing.verify(None, "x" * 12)  # of which the hash of nobody was made
    assert not await hashing.verify("no hash", "x" * 12)


async def test_the_loop_goes_on_while_passwords_are_hashed() -> None:
    """With the loop held up, no turn of it would pass before the hashes are done."""
    hashing = Hashing(1)
    turns = 0
    hashes = asyncio.gather(*(hashing.hash("four words") for _ in range(3)))
    while not hashes.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100
    assert len(set(await hashes)) == 3
