"""Clock door of the road: names and idle keys are forgotten."""

from functools import partial

from fraud import pruning
from fraud.screening import usecases
from fraud.settings import Settings
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job


async def prune_names(database: Database, clock: Clock, settings: Settings) -> None:
    """Forget decisions past their days."""
    await pruning.in_rounds(
        database, usecases.prune_names, now=clock.now(), days=settings.names_days
    )


async def prune_windows(database: Database, clock: Clock, settings: Settings) -> None:
    """Forget keys that nothing touched for long."""
    await pruning.in_rounds(
        database, usecases.prune_windows, now=clock.now(), hours=settings.windows_idle_h
    )


def jobs(database: Database, clock: Clock, settings: Settings) -> list[Job]:
    """The jobs of screening."""
    return [
        Job(
            name="prune-names",
            every_s=pruning.EVERY_S,
            run=partial(prune_names, database, clock, settings),
        ),
        Job(
            name="prune-windows",
            every_s=pruning.EVERY_S,
            run=partial(prune_windows, database, clock, settings),
        ),
    ]
