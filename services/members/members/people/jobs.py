"""Clock door: people and contacts come under newer keys."""

import logging
from functools import partial

from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job
from members import settings
from members.crypto import Vault
from members.people import usecases

log = logging.getLogger(__name__)


async def reseal(database: Database, clock: Clock, vault: Vault) -> None:
    """One round of bringing what is under an earlier key under the newest."""
    async with database.transaction() as tx:
        found, done = await usecases.reseal_people(tx, vault=vault, now=clock.now())
    if done:
        more = "there are more" if found == usecases.RESEALED_MAX else "none is left"
        log.info("%d members sealed anew under the newest keys; %s", done, more)


def jobs(database: Database, clock: Clock, vault: Vault) -> tuple[Job, ...]:
    """What time passing makes people do; where there are no earlier keys, nothing is sealed."""
    if len(vault.data_keys) == 1 and len(vault.contacts) == 1:
        return ()
    run = partial(reseal, database, clock, vault)
    return (Job(name="reseal", every_s=settings.RESEAL_EVERY_S, run=run),)
