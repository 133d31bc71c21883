"""Clock door of cases: those past their due time expire, or their earnings are cancelled."""

from functools import partial
from typing import Final

from fraud import pruning
from fraud.cases import usecases
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job

EXPIRE_EVERY_S: Final = 5.0  # a sandbox's days pass in seconds
CANCEL_ROWS: Final = 500  # a transaction
CANCEL_ROUNDS_MAX: Final = 20  # a run


async def expire_cases(database: Database, clock: Clock) -> None:
    """Close cases that nobody decided in time and whose points became available by themselves."""
    async with database.transaction() as tx:
        await usecases.expire_cases(tx, now=clock.now())


async def cancel_unreviewed(database: Database, clock: Clock) -> None:
    """Cancel earnings that nobody reviewed in time and that are too large to release unreviewed."""
    await pruning.in_rounds(
        database,
        usecases.cancel_unreviewed,
        rows=CANCEL_ROWS,
        rounds_max=CANCEL_ROUNDS_MAX,
        now=clock.now(),
    )


def jobs(database: Database, clock: Clock) -> list[Job]:
    """The jobs of cases."""
    return [
        Job(
            name="expire-cases", every_s=EXPIRE_EVERY_S, run=partial(expire_cases, database, clock)
        ),
        Job(
            name="cancel-unreviewed",
            every_s=EXPIRE_EVERY_S,
            run=partial(cancel_unreviewed, database, clock),
        ),
    ]
