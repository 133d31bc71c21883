"""Clock door: what is pruned as time passes."""

from datetime import timedelta

from campaigns import settings
from campaigns.awards import usecases
from kit.base.clock import Clock
from kit.base.db import Database


async def prune_decisions(database: Database, clock: Clock) -> None:
    """Forget decisions older than 400 days; the ledger answers a name that is repeated later."""
    before = clock.now() - timedelta(days=settings.DECISIONS_KEPT_DAYS)
    async with database.transaction() as tx:
        await usecases.prune_decisions(tx, before=before)
