"""A service's local tables emptied and filled again from their topics: `rebuild-tables`."""

from collections.abc import Sequence

from kit.base import errors
from kit.base.db import Tx
from kit.room import Part, Resources, group_of
from kit.stream import reread
from kit.stream.event import Subscription
from kit.stream.kafka import Place


async def rebuild_tables(service: str, parts: Sequence[Part], opened: Resources) -> dict[str, int]:
    """Each topic's tables in one transaction, so that nobody sees them empty; records by topic.

    opened: with the database as the owner of the tables. Their group waits meanwhile. Raises Alarm
    where a topic does not hold all that was read; then its tables are as they were.
    """
    done: dict[str, int] = {}
    for group, subscription in tables_of(service, parts):
        done[subscription.topic.name] = 0
        async with opened.database.transaction() as tx:
            ends = await _ends(tx, group, subscription.topic.name, opened.cluster)
            for table in subscription.tables:
                await tx.execute(f"delete from {table.name}")  # noqa: S608 - a literal
            async for events in reread.polls(opened.settings.kafka_bootstrap, ends, subscription):
                await reread.apply(tx, subscription, events)
                done[subscription.topic.name] += len(events)
    return done


def tables_of(service: str, parts: Sequence[Part]) -> list[tuple[str, Subscription]]:
    """What fills local tables of a service, each with the group that it is of."""
    return [(group_of(service, part), s) for part in parts for s in part.hears if s.tables]


async def _ends(tx: Tx, group: str, topic: str, cluster: str) -> dict[Place, int]:
    """Up to where the group has read the topic; it reads nothing more of it until tx ends."""
    rows = await tx.fetch(
        "select partition, next, cluster from consumer_offsets"
        " where consumer = $1 and topic = $2 order by partition for update",
        group,
        topic,
    )
    if any(row["cluster"] != cluster for row in rows):
        raise errors.Alarm(f"{topic} was read on another cluster")
    return {(topic, row["partition"]): row["next"] for row in rows if row["next"] > 0}
