"""A disk that is full: the batch is refused whole, and posts once there is room again."""

from typing import LiteralString

import pytest

from kit.base import errors
from kit.base.db import Database

from . import generators, invariants, postgres

STAGES = ("outcomes", "entries", "consumptions", "lots", "accounts", "leaves", "shards")
FULL = """
create function full_disk() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
end $$
"""


@pytest.fixture
async def spoil(dsn, owner_dsn):
    """`await spoil(table, part)`: writes to it find no room; `await spoil(None)` mends all."""
    owner = await Database.open(owner_dsn(dsn), size=1, command_timeout_s=30)
    async with owner.transaction() as tx:
        await tx.execute(FULL)
    spoilt: list[LiteralString] = []

    async def change(table: LiteralString | None):
        async with owner.transaction() as tx:
            if table is not None:
                spoilt.append(table)
                await tx.execute(
                    f"create trigger full_disk before insert or update on {table}"
                    " for each statement execute function full_disk()"
                )
            while table is None and spoilt:
                await tx.execute(f"drop trigger full_disk on {spoilt.pop()}")

    yield change
    await change(None)
    async with owner.transaction() as tx:
        await tx.execute("drop function full_disk()")
    await owner.close()


async def test_a_full_disk_refuses_the_batch_whole_wherever_it_shows(database, shards, spoil):
    """Transient for kit, which tries again for a while and then stops the process."""
    whole = None
    for table in STAGES:
        shard = next(shards)
        heard = postgres.events(shard, generators.Story(21).batch(60))
        await postgres.post(database, heard[:20])
        before = await postgres.tables(database, shard)
        await spoil(table)
        with pytest.raises(errors.Unavailable, match="No space left"):
            await postgres.post(database, heard[20:])
        assert await postgres.tables(database, shard) == before
        await spoil(None)
        await postgres.post(database, heard[20:])
        await invariants.check_book(database, shard)
        found = await postgres.balances_of(database, shard)
        whole = found if whole is None else whole
        assert found == whole
