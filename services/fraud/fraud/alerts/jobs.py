"""Clock door of alerts and of days: old ones are forgotten."""

from functools import partial
from typing import Final

from fraud.alerts import usecases
from fraud.sums import usecases as sums
from kit.clock import Clock
from kit.db import Database
from kit.run import Job

PRUNE_EVERY_S: Final = 600.0
PRUNE_ROWS: Final = 5_000  # a transaction
PRUNE_ROUNDS_MAX: Final = 200  # a run


async def prune_sightings(database: Database, clock: Clock, days: int) -> None:
    """Forget names seen longer ago than so many days."""
    for _ in range(PRUNE_ROUNDS_MAX):
        async with database.transaction() as tx:
            gone = await usecases.prune_sightings(tx, now=clock.now(), days=days, limit=PRUNE_ROWS)
        if gone < PRUNE_ROWS:
            return


async def prune_sums(database: Database, clock: Clock, days: int) -> None:
    """Forget days longer ago than so many."""
    for _ in range(PRUNE_ROUNDS_MAX):
        async with database.transaction() as tx:
            gone = await sums.prune_sums(tx, now=clock.now(), days=days, limit=PRUNE_ROWS)
        if gone < PRUNE_ROWS:
            return


def jobs(database: Database, clock: Clock, days: int) -> list[Job]:
    """What time passing makes alerts and days do."""
    return [
        Job(name=name, every_s=PRUNE_EVERY_S, run=partial(prune, database, clock, days))
        for name, prune in (("prune-sightings", prune_sightings), ("prune-sums", prune_sums))
    ]
