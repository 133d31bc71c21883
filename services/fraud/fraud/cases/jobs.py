"""Clock door of cases: those past their due time lapse."""

from functools import partial
from typing import Final

from fraud.cases import usecases
from kit.clock import Clock
from kit.db import Database
from kit.run import Job

LAPSE_EVERY_S: Final = 5.0  # a sandbox house's days pass in seconds


async def lapse_cases(database: Database, clock: Clock) -> None:
    """Close what nobody decided in time."""
    async with database.transaction() as tx:
        await usecases.lapse_cases(tx, now=clock.now())


def jobs(database: Database, clock: Clock) -> list[Job]:
    """What time passing makes cases do."""
    return [
        Job(name="lapse-cases", every_s=LAPSE_EVERY_S, run=partial(lapse_cases, database, clock))
    ]
