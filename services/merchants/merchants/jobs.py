"""Clock door: the heartbeat by which gateways know that their tables are fresh."""

from datetime import datetime
from functools import partial
from typing import Final

from contracts import envelope, topics
from contracts.merchants import Heartbeat
from kit import outbox
from kit.clock import Clock
from kit.db import Database, Tx
from kit.run import Job
from merchants import settings

ROOM: Final = "merchants"
STATE_TOPICS: Final = (
    topics.MERCHANTS_MERCHANTS,
    topics.MERCHANTS_TERMINALS,
    topics.MERCHANTS_PROGRAMMES,
    topics.MERCHANTS_TERMS,
)


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


def jobs(database: Database, clock: Clock) -> tuple[Job, ...]:
    """What time passing makes merchants do."""
    return (
        Job(
            name="heartbeat",
            every_s=settings.HEARTBEAT_EVERY_S,
            run=partial(send_heartbeats, database, clock),
        ),
    )
