"""Clock door of alerts: old names are forgotten."""

from functools import partial

from fraud import pruning
from fraud.alerts import usecases
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job


async def prune_names_seen(database: Database, clock: Clock, days: int) -> None:
    """Forget names seen longer ago than so many days."""
    await pruning.in_rounds(database, usecases.prune_names_seen, now=clock.now(), days=days)


def jobs(database: Database, clock: Clock, days: int) -> list[Job]:
    """The jobs of alerts."""
    run = partial(prune_names_seen, database, clock, days)
    return [Job(name="prune-sightings", every_s=pruning.EVERY_S, run=run)]
