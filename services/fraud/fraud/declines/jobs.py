"""Clock door of declines: withdrawals that no window can hold any more are forgotten."""

from functools import partial
from typing import Final

from fraud.declines import usecases
from fraud.settings import Settings
from kit.clock import Clock
from kit.db import Database
from kit.room import Job

PRUNE_EVERY_S: Final = 600.0
PRUNE_ROWS: Final = 5_000  # a transaction
PRUNE_ROUNDS_MAX: Final = 200  # a run


async def prune_withdrawals(database: Database, clock: Clock, given: Settings) -> None:
    """Forget withdrawals that no window can hold any more."""
    for _ in range(PRUNE_ROUNDS_MAX):
        async with database.transaction() as tx:
            gone = await usecases.prune_withdrawals(
                tx, now=clock.now(), hours=given.windows_idle_h, limit=PRUNE_ROWS
            )
        if gone < PRUNE_ROWS:
            return


def jobs(database: Database, clock: Clock, given: Settings) -> list[Job]:
    """What time passing makes declines do."""
    run = partial(prune_withdrawals, database, clock, given)
    return [Job(name="prune-withdrawals", every_s=PRUNE_EVERY_S, run=run)]
