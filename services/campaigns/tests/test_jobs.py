"""What is pruned as time passes."""

from datetime import timedelta
from typing import Any

from campaigns.awards import jobs, store


async def test_decisions_are_kept_for_four_hundred_days(
    pool: Any, make: Any, now: Any, clean: None
) -> None:
    del clean
    async with pool.transaction() as tx:
        await store.insert_decisions(tx, [(1, "t.1.1.1", b"a", make.now)])
    for days, left in ((400, 1), (401, 0), (401, 0)):
        now.at = make.now + timedelta(days=days)
        await jobs.prune_decisions(pool, now)
        async with pool.read() as tx:
            assert await tx.fetchval("select count(*) from decisions") == left
