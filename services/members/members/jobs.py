"""Clock door: heartbeats, by which gateways know that their tables are fresh; newer keys."""

import logging
from datetime import datetime
from functools import partial
from typing import Final

from contracts import envelope, topics
from contracts.merchants import Heartbeat
from kit import outbox
from kit.clock import Clock
from kit.db import Database, Tx
from kit.run import Job
from members import settings
from members.domain.words import Vault
from members.usecases import people

ROOM: Final = "members"
log = logging.getLogger(__name__)
STATE_TOPICS: Final = (
    topics.MEMBERS_IDENTIFIERS,
)  # contacts have no heartbeat: nobody waits for them


def beat(tx: Tx, *, now: datetime) -> None:
    """Say a heartbeat on every partition of every state topic, behind all that was said before."""
    for topic in STATE_TOPICS:
        for partition in range(topics.partitions(topic, shards=1, gateways=1)):
            key = f"heartbeat@{partition}"
            said = envelope.Envelope(
                id=envelope.follow(f"{ROOM}.{topic.name}.{now.isoformat()}", key),
                type="heartbeat.v1",
                key=key,
                occurred_at=now,
                accepted_at=now,
                data=Heartbeat(room=ROOM, at=now),
            )
            outbox.add(tx, [outbox.message(topic, said, partition=partition)])


async def send_heartbeats(database: Database, clock: Clock) -> None:
    """One heartbeat round."""
    async with database.transaction() as tx:
        beat(tx, now=clock.now())


async def reseal(database: Database, clock: Clock, vault: Vault) -> None:
    """One round of bringing what is under an earlier key under the newest."""
    async with database.transaction() as tx:
        found, done = await people.reseal_people(tx, vault=vault, now=clock.now())
    if done:
        more = "there are more" if found == people.RESEALED_MAX else "none is left"
        log.info("%d members sealed anew under the newest keys; %s", done, more)


def jobs(database: Database, clock: Clock, vault: Vault) -> tuple[Job, ...]:
    """What time passing makes members do; where there are no earlier keys, nothing is sealed."""
    earlier = len(vault.data_keys) > 1 or len(vault.contacts) > 1
    sealing = Job(
        name="reseal",
        every_s=settings.RESEAL_EVERY_S,
        run=partial(reseal, database, clock, vault),
    )
    return (
        *((sealing,) if earlier else ()),
        Job(
            name="heartbeat",
            every_s=settings.HEARTBEAT_EVERY_S,
            run=partial(send_heartbeats, database, clock),
        ),
    )
