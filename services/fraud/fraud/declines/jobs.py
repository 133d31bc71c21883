"""Clock door of declines: withdrawals that no window can hold any more are forgotten."""

from functools import partial

from fraud import pruning
from fraud.declines import usecases
from fraud.settings import Settings
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job


async def prune_withdrawals(database: Database, clock: Clock, settings: Settings) -> None:
    """Forget withdrawals that no window can hold any more."""
    await pruning.in_rounds(
        database, usecases.prune_withdrawals, now=clock.now(), hours=settings.windows_idle_h
    )


def jobs(database: Database, clock: Clock, settings: Settings) -> list[Job]:
    """The jobs of declines."""
    run = partial(prune_withdrawals, database, clock, settings)
    return [Job(name="prune-withdrawals", every_s=pruning.EVERY_S, run=run)]
