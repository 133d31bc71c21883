"""The driver of a sandbox cluster: its time, and waiting until nothing is under way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from cluster import connections, lifecycle, plan, processes, readiness
from contracts import envelope, topics
from contracts.platform import ClockAdvanced
from kit.stream import kafka, outbox

QUIET_S: Final = 1.5  # broker offsets follow the stored ones by about a second
POLL_S: Final = 0.25
LOOK_S: Final = 2.0
DRAIN_S: Final = 90.0
ROAD: Final = ("pos.transactions", "fraud.screened", "ledger.commands", "ledger.entries")
T = TypeVar("T")


class Driver:
    """The only one that advances the cluster's clock."""

    def __init__(self, producer: kafka.Producer) -> None:
        self._producer = producer
        self.now: datetime | None = None

    @classmethod
    async def open(cls, bootstrap: str) -> "Driver":
        """Connect to the cluster's broker."""
        return cls(await kafka.Producer.open(bootstrap, client_id="sandbox-driver"))

    async def advance(self, now: datetime) -> None:
        """Set the cluster's time; it never falls. Returns when the broker has it."""
        if self.now is not None and now <= self.now:
            return
        self.now = now
        event = envelope.Envelope(
            id=envelope.derive_id("platform.clock", now.isoformat()),
            type="clock-advanced.v1",
            key="platform",
            occurred_at=now,
            accepted_at=now,
            data=ClockAdvanced(now=now),
        )
        await self._producer.send([outbox.message(topics.PLATFORM_CLOCK, event)])

    async def close(self) -> None:
        """Disconnect."""
        await self._producer.close()


def raise_sandbox(
    folder: Path, start: datetime, *, step: lifecycle.Step | None = None
) -> plan.Cluster:
    """A new sandbox cluster whose time begins at start; whatever the folder held is gone."""
    lifecycle.clean(folder)
    return lifecycle.up(folder, sandbox=True, starts_at=start, step=step)


async def drained(
    cluster: plan.Cluster, *, tell: Callable[[int], None] = lambda _: None, wait_s: float = DRAIN_S
) -> None:
    """Wait until every group has read the road to its end, and that end rests for a while.

    Raises TimeoutError naming what is behind.
    """
    deadline = time.monotonic() + wait_s
    rested_since = time.monotonic()
    before: dict[kafka.Place, int] = {}
    while time.monotonic() - rested_since < QUIET_S:
        ends = await kafka.end_offsets(cluster.servers.bootstrap, ROAD)
        behind = await _behind(cluster.servers.bootstrap, ends)
        tell(behind)
        if behind or ends != before:
            rested_since = time.monotonic()
        before = ends
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {wait_s:.0f} s {behind} records of the road are unread")
        await asyncio.sleep(POLL_S)


async def while_all_run(cluster: plan.Cluster, coroutine: Coroutine[Any, Any, T]) -> T:
    """Do work that waits for the cluster's programs; gives up when one of them is gone for good.

    Raises readiness.NotReady with its last words. Who kills one on purpose starts it again at once.
    """
    task = asyncio.create_task(coroutine)
    before: set[str] = set()
    try:
        while not (await asyncio.wait([task], timeout=LOOK_S))[0]:
            ended = set(await asyncio.to_thread(processes.ended, cluster))
            if lost := sorted(ended & before):
                raise readiness.NotReady(processes.last_words(cluster, lost))
            before = ended
    finally:
        task.cancel()
        await asyncio.wait([task])
    return task.result()


async def _behind(bootstrap: str, ends: dict[kafka.Place, int]) -> int:
    committed = await connections.committed_offsets(bootstrap)
    return sum(
        max(0, ends[place] - offset)
        for offsets in committed.values()
        for place, offset in offsets.items()
        if place in ends
    )


async def until_none(count: Callable[[], Awaitable[int]], *, wait_s: float = DRAIN_S) -> None:
    """Poll a count until it is 0. Raises TimeoutError with what is left."""
    deadline = time.monotonic() + wait_s
    while left := await count():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{left} are left after {wait_s:.0f} s")
        await asyncio.sleep(POLL_S)


def as_json(report: object) -> bytes:
    """A report as readable JSON bytes."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2)
