"""Clock door of sums: old days are forgotten."""

from functools import partial
from typing import Final

from fraud.sums import usecases
from kit.clock import Clock
from kit.db import Database
from kit.room import Job

PRUNE_EVERY_S: Final = 600.0
PRUNE_ROWS: Final = 5_000  # a transaction
PRUNE_ROUNDS_MAX: Final = 200  # a run


async def prune_sums(database: Database, clock: Clock, days: int) -> None:
    """Forget days longer ago than so many."""
    for _ in range(PRUNE_ROUNDS_MAX):
        async with database.transaction() as tx:
            gone = await usecases.prune_sums(tx, now=clock.now(), days=days, limit=PRUNE_ROWS)
        if gone < PRUNE_ROWS:
            return


def jobs(database: Database, clock: Clock, days: int) -> list[Job]:
    """What time passing makes sums do."""
    run = partial(prune_sums, database, clock, days)
    return [Job(name="prune-sums", every_s=PRUNE_EVERY_S, run=run)]
