"""Clock door of sessions: attempts that count no more are forgotten."""

from functools import partial

from identity import settings
from identity.sessions import usecases
from identity.settings import Settings
from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job


async def forget_attempts(database: Database, clock: Clock, config: Settings) -> None:
    """Delete attempts to sign in that are older than the window in which they count."""
    async with database.transaction() as tx:
        await usecases.forget_attempts(tx, clock.now(), config)


def jobs(database: Database, clock: Clock, config: Settings) -> tuple[Job, ...]:
    """What time passing makes sessions do."""
    run = partial(forget_attempts, database, clock, config)
    return (Job(name="forget-attempts", every_s=settings.FORGET_EVERY_S, run=run),)
