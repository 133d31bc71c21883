"""Clock door of the road: names and idle keys are forgotten."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from fraud.screening import usecases
from fraud.settings import Settings
from kit.clock import Clock
from kit.db import Database
from kit.room import Job

PRUNE_EVERY_S: Final = 600.0
PRUNE_ROWS: Final = 5_000  # a transaction
PRUNE_ROUNDS_MAX: Final = 200  # a run


async def prune_names(database: Database, clock: Clock, given: Settings) -> None:
    """Forget decisions past their days."""

    async def round_() -> int:
        async with database.transaction() as tx:
            return await usecases.prune_names(
                tx, now=clock.now(), days=given.names_days, limit=PRUNE_ROWS
            )

    await repeated(round_, PRUNE_ROWS)


async def prune_windows(database: Database, clock: Clock, given: Settings) -> None:
    """Forget keys that nothing touched for long."""

    async def round_() -> int:
        async with database.transaction() as tx:
            return await usecases.prune_windows(
                tx, now=clock.now(), hours=given.windows_idle_h, limit=PRUNE_ROWS
            )

    await repeated(round_, PRUNE_ROWS)


async def repeated(round_: Callable[[], Awaitable[int]], full: int) -> None:
    """Work in short transactions until one is not full, within a bound."""
    for _ in range(PRUNE_ROUNDS_MAX):
        if await round_() < full:
            return


def jobs(database: Database, clock: Clock, given: Settings) -> list[Job]:
    """What time passing makes the road do."""
    return [
        Job(
            name="prune-names",
            every_s=PRUNE_EVERY_S,
            run=partial(prune_names, database, clock, given),
        ),
        Job(
            name="prune-windows",
            every_s=PRUNE_EVERY_S,
            run=partial(prune_windows, database, clock, given),
        ),
    ]
