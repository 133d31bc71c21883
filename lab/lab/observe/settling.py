"""Waiting until what one room was told is known wherever it decides something."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from cluster import connections, plan, processes
from contracts.topics import Topic
from kit.base import clock
from kit.stream import kafka

WAIT_S: Final = 120.0
POLL_S: Final = 0.25
LOOK_S: Final = 1.0  # the gateway looks at the age of its tables every half second
TABLE_AGE: Final = "peyvand_table_age_seconds"


async def known(cluster: plan.Cluster, room: str, topics: Sequence[Topic]) -> None:
    """Return once all that a room has committed by now, said on these state topics, is known.

    Known: sent by the room's relay, read by every group of consumers, and in the gateway's tables,
    which follow heartbeats that go the same way. Raises TimeoutError saying what is behind.
    """
    deadline = time.monotonic() + WAIT_S
    await _sent(cluster, room, deadline)
    sent_at = clock.wall().timestamp()
    ends = await kafka.end_offsets(cluster.servers.bootstrap, [topic.name for topic in topics])
    await _read(cluster, ends, deadline)
    await _in_tables(cluster, {topic.name for topic in topics}, sent_at, deadline)


async def _sent(cluster: plan.Cluster, room: str, deadline: float) -> None:
    """Until the relay has sent every message that is in its outbox now."""
    db = await connections.connect(cluster.servers.dsn(room, f"{room}_owner"))
    try:
        last = await db.fetchval("select coalesce(max(id), 0) from outbox_messages")
        while await db.fetchval("select exists (select from outbox_messages where id <= $1)", last):
            await _pause(deadline, f"the outbox of {room} is not empty")
        last = await db.fetchval("select coalesce(max(id), 0) from outbox_batches")
        while await db.fetchval("select exists (select from outbox_batches where id <= $1)", last):
            await _pause(deadline, f"the outbox of {room} is not sent")
    finally:
        await db.close()


async def _read(cluster: plan.Cluster, ends: dict[kafka.Place, int], deadline: float) -> None:
    """Until every group that reads these places has read them up to ends."""
    while True:
        groups = await connections.committed_offsets(cluster.servers.bootstrap)
        behind = [
            group
            for group, offsets in groups.items()
            if any(offset < ends.get(place, 0) for place, offset in offsets.items())
        ]
        if not behind:
            return
        await _pause(deadline, f"behind: {', '.join(sorted(behind))}")


async def _in_tables(
    cluster: plan.Cluster, names: set[str], sent_at: float, deadline: float
) -> None:
    """Until the gateway has heard a heartbeat of each topic that was sent after a time."""
    while True:
        began = clock.wall().timestamp()
        ages = await asyncio.to_thread(_table_ages, cluster)
        behind = [name for name in names if name in ages and began - ages[name] < sent_at + LOOK_S]
        if ages and not behind:
            return
        await _pause(deadline, f"the gateway's tables are behind: {', '.join(sorted(behind))}")


def _table_ages(cluster: plan.Cluster) -> dict[str, float]:
    status, body = processes.get(cluster.inner_port(plan.GATEWAY), "/metrics")
    if status != 200:
        return {}
    return {
        sample.labels["table"]: sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name == TABLE_AGE
    }


async def _pause(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"after {WAIT_S:.0f} s {what}")
    await asyncio.sleep(POLL_S)
