"""Clock door of sums: old days are forgotten."""

from functools import partial

from fraud import pruning
from fraud.sums import usecases
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job


async def prune_sums(database: Database, clock: Clock, days: int) -> None:
    """Forget days longer ago than so many."""
    await pruning.in_rounds(database, usecases.prune_sums, now=clock.now(), days=days)


def jobs(database: Database, clock: Clock, days: int) -> list[Job]:
    """The jobs of sums."""
    run = partial(prune_sums, database, clock, days)
    return [Job(name="prune-sums", every_s=pruning.EVERY_S, run=run)]
