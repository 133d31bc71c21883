"""Clock door of disputes: deadlines that pass."""

from functools import partial
from typing import Final

from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job, Resources
from merchants.disputes.usecases import disputes

EXPIRE_EVERY_S: Final = 60.0


async def expire_due(database: Database, clock: Clock) -> None:
    """Make what deadlines that passed make of disputes."""
    await disputes.expire_due(database, clock.now())


def jobs(opened: Resources) -> list[Job]:
    """The jobs of disputes."""
    run = partial(expire_due, opened.database, opened.clock)
    return [Job(name="expire-disputes", every_s=EXPIRE_EVERY_S, run=run)]
