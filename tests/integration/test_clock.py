"""A sandbox cluster's clock on a real broker, and readers without a group."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from cluster.servers import Servers
from contracts import topics
from contracts.envelope import Envelope
from contracts.platform import ClockAdvanced
from kit.stream import kafka, outbox, sandbox_clock
from kit.stream.kafka import Assigned, OffsetGone, Producer

from .child import NOW
from .conftest import Make, until


async def test_a_sandbox_takes_the_last_value_and_follows(
    servers: Servers, producer: Producer
) -> None:
    await kafka.ensure_topics(servers.bootstrap, [topics.PLATFORM_CLOCK], shards=4)

    async def say(minutes: int) -> None:
        now = NOW + timedelta(minutes=minutes)
        data = ClockAdvanced(now=now)
        said = Envelope(
            id=str(minutes),
            type="clock-advanced.v1",
            key="platform",
            occurred_at=now,
            accepted_at=now,
            data=data,
        )
        await producer.send([outbox.message(topics.PLATFORM_CLOCK, said)])

    for minutes in (1, 2, 3):
        await say(minutes)
    clock = sandbox_clock.SandboxClock()
    task = asyncio.ensure_future(clock.run(servers.bootstrap))

    async def at(minutes: int) -> None:
        async def there() -> bool:
            return clock.ready and clock.now() >= NOW + timedelta(minutes=minutes)

        await until(there)

    await at(3)
    await say(9)
    await at(9)
    spoilt = outbox.Message(topics.PLATFORM_CLOCK.name, 0, b"platform", b"{")
    await producer.send([spoilt])
    await say(11)
    await at(11)  # one that does not read ends nothing
    assert not task.done()
    await producer.send([spoilt])
    again = sandbox_clock.SandboxClock()
    starting = asyncio.ensure_future(again.run(servers.bootstrap))

    async def known() -> bool:
        return again.ready

    await until(known)  # nor does it as the last that was said before a start
    for one in (task, starting):
        one.cancel()
        with suppress(asyncio.CancelledError):
            await one


async def test_an_assigned_reader_starts_where_it_is_told(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(16))
    name = stage.source.name
    start = {(name, 0): 2, (name, 1): None}
    reader = await Assigned.open(stage.bootstrap, client_id="r", start=start, last=1)
    seen: list[tuple[int, int]] = []
    while len(seen) < 3:
        seen += [(r.partition, r.offset) for r in await reader.poll()]
    assert seen == [(0, 2), (0, 3), (1, 3)]
    assert await reader.end_offsets() == {(name, 0): 4, (name, 1): 4}
    assert await reader.beginnings() == {(name, 0): 0, (name, 1): 0}
    assert await reader.position(name, 0) == 4
    await reader.close()
    assert (await kafka.end_offsets(stage.bootstrap, [name]))[name, 3] == 4


async def test_an_offset_that_is_gone_is_told(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(4))
    start = {(stage.source.name, 0): 99}
    reader = await Assigned.open(stage.bootstrap, client_id="r", start=start)
    with pytest.raises(OffsetGone):
        for _ in range(20):
            await reader.poll()
    await reader.close()
