"""Clock door of alerts: old names are forgotten."""

from functools import partial
from typing import Final

from fraud.alerts import usecases
from kit.clock import Clock
from kit.db import Database
from kit.room import Job

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


def jobs(database: Database, clock: Clock, days: int) -> list[Job]:
    """What time passing makes alerts do."""
    run = partial(prune_sightings, database, clock, days)
    return [Job(name="prune-sightings", every_s=PRUNE_EVERY_S, run=run)]
