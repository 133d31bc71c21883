"""Clock door: people and contacts come under newer keys."""

import logging
from functools import partial

from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job
from members import settings
from members.crypto import Keys
from members.people import usecases

log = logging.getLogger(__name__)


async def reseal(database: Database, clock: Clock, key_set: Keys) -> None:
    """Seal up to RESEALED_MAX members, who are under an earlier key, under the newest."""
    async with database.transaction() as tx:
        locked, sealed = await usecases.reseal_people(tx, key_set=key_set, now=clock.now())
    if sealed:
        more = "there are more" if locked == usecases.RESEALED_MAX else "none is left"
        log.info("%d members sealed anew under the newest keys; %s", sealed, more)


def jobs(database: Database, clock: Clock, key_set: Keys) -> tuple[Job, ...]:
    """What time passing makes people do; where there are no earlier keys, nothing is sealed."""
    if len(key_set.data_keys) == 1 and len(key_set.contacts) == 1:
        return ()
    run = partial(reseal, database, clock, key_set)
    return (Job(name="reseal", every_s=settings.RESEAL_EVERY_S, run=run),)
