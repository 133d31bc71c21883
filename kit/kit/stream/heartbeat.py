"""The heartbeat of a service's state topics, by which gateways know that their tables are fresh."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts import envelope, topics
from contracts.merchants import Heartbeat
from kit.base.clock import Clock
from kit.base.db import Database, Tx
from kit.stream import outbox

EVERY_S: Final = 5.0


def beating(service: str) -> Sequence[topics.Topic]:
    """The topics of a service that carry heartbeats, by the table of topics."""
    return [t for t in topics.TOPICS if t.owner == service and "heartbeat.v1" in t.events]


def beat(tx: Tx, service: str, *, now: datetime) -> None:
    """Send a heartbeat on every partition of its topics, after all earlier messages."""
    for topic in beating(service):
        for partition in range(topics.partitions(topic, shards=1, gateways=1)):
            key = f"heartbeat@{partition}"
            event = envelope.Envelope(
                id=envelope.derive_id(f"{service}.{topic.name}.{now.isoformat()}", key),
                type="heartbeat.v1",
                key=key,
                occurred_at=now,
                accepted_at=now,
                data=Heartbeat(room=service, at=now),
            )
            outbox.add(tx, [outbox.message(topic, event, partition=partition)])


async def send(service: str, database: Database, clock: Clock) -> None:
    """Send one heartbeat on all state topics of a service."""
    async with database.transaction() as tx:
        beat(tx, service, now=clock.now())
