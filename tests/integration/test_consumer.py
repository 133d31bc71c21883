"""kit.consumer on a real broker and database: one poll, one transaction, each effect once."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from kit import db, outbox
from kit.consumer import Consumer, Event, Subscription
from kit.db import Database, Tx
from kit.kafka import Producer

from .conftest import PARTITIONS, Stage, note

Make = Callable[..., Awaitable[Stage]]


def writer(stage: Stage) -> Callable[[Tx, Sequence[Event]], Awaitable[None]]:
    """A handler with one row and one message onward for each event."""

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        rows = [(e.data.number, e.data.text) for e in batch if e.envelope is not None]
        await tx.copy("effects", ["number", "text"], rows)
        outbox.add(
            tx,
            [
                outbox.message(
                    stage.sink, note(e.data.number), partition=e.partition, headers=e.onward
                )
                for e in batch
                if e.envelope is not None
            ],
        )

    return handle


@asynccontextmanager
async def running(stage: Stage, producer: Producer, **changes: Any) -> AsyncGenerator[Consumer]:
    """A consumer at work in this process; stopped in good order at the end."""
    database = await Database.open(stage.dsn, size=4)
    given: dict[str, Any] = {"topic": stage.source, "handle": writer(stage), **changes}
    consumer = Consumer(stage.group, [Subscription(**given)], database, producer, stage.room)
    task = asyncio.ensure_future(consumer.run())
    try:
        yield consumer
        consumer.stop()
        await asyncio.wait_for(task, 10)
    finally:
        task.cancel()
        with suppress(BaseException):
            await task
        await database.close()


async def effects(stage: Stage) -> list[int]:
    """Numbers written, in the order of writing."""
    session = await db.connect(stage.dsn)
    try:
        return [r["number"] for r in await session.fetch("select number from effects order by at")]
    finally:
        await session.close()


async def until(check: Callable[[], Awaitable[bool]], bound_s: float = 10) -> None:
    """Wait until check holds."""
    deadline = time.monotonic() + bound_s
    while not await check():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.02)


async def wrote(stage: Stage, count: int) -> None:
    """Wait for so many effects."""

    async def enough() -> bool:
        return len(await effects(stage)) >= count

    await until(enough)


async def test_every_record_once_and_numbers_without_a_gap(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(40))
    async with running(stage, producer):
        await wrote(stage, 40)
        await stage.feed(producer, range(40, 80))
        await wrote(stage, 80)
    assert sorted(await effects(stage)) == list(range(80))
    out = await stage.records(stage.sink)
    for partition in range(PARTITIONS):
        mine = [r for r in out if r.partition == partition]
        assert [int(dict(r.headers)["n"]) for r in mine] == list(range(1, 21))
        assert {dict(r.headers)["stream"] for r in mine} == {
            f"test/{stage.group}:{stage.source.name}:{partition}/1/{partition}".encode()
        }
        assert [int(r.key or b"") for r in mine] == list(range(partition, 80, 4))
