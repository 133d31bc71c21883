"""A stage killed or paused at every point, then restarted: each effect once, in order."""

import asyncio
import signal
import time
from collections.abc import Sequence

import psutil
import pytest

from kit.consumer import CrashPoint, Event
from kit.db import Tx
from kit.kafka import Producer

from .child import passing_on
from .conftest import Make, child, ended, running, until

PAUSED_FOR_S = 9  # past the session (6 s) and the idle-in-transaction limit (3 s)


@pytest.mark.parametrize("point", list(CrashPoint), ids=lambda p: p.name.lower())
async def test_killed_at_any_point_and_restarted(
    new_stage: Make, producer: Producer, point: CrashPoint
) -> None:
    """The successor has the same instance id, as under a supervisor: no session to wait for."""
    stage = await new_stage()
    room = stage.room(static_member=True)
    fed, began = 0, time.monotonic()
    with child(stage, room=room, point=point.name, hits=2) as process:
        while process.poll() is None and time.monotonic() < began + 40:
            await stage.feed(producer, range(fed, fed + 8))
            fed += 8
            await asyncio.sleep(0.2)
        assert await ended(process) == 9
    await stage.feed(producer, range(fed, fed + 8))
    fed += 8
    async with running(stage, producer, room=room):
        await stage.wrote(fed)
        await asyncio.sleep(0.1)
    await stage.check(fed)
    assert await stage.rows("select id from outbox_batches") == []


@pytest.mark.parametrize(
    "point",
    [CrashPoint.AFTER_POLL, CrashPoint.AFTER_OFFSETS, CrashPoint.AFTER_COMMIT],
    ids=["before", "inside", "after"],
)
async def test_a_writer_paused_around_its_transaction_is_fenced(
    new_stage: Make, producer: Producer, point: CrashPoint
) -> None:
    """It sleeps while another takes over and works on, wakes up, and doubles nothing."""
    stage = await new_stage()
    await stage.feed(producer, range(20))
    with child(stage, point=point.name, hits=1, pause=True) as process:

        async def asleep() -> bool:
            return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED

        await until(asleep, 20)
        async with running(stage, producer):
            await stage.wrote(20, PAUSED_FOR_S + 10)
            await stage.feed(producer, range(20, 60))
            await stage.wrote(60)
            process.send_signal(signal.SIGCONT)
            for start in range(60, 120, 10):
                await stage.feed(producer, range(start, start + 10))
                await asyncio.sleep(0.3)
            await stage.wrote(120, 30)
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0
    await stage.check(120)


async def test_what_a_crash_left_unsent_goes_out_before_the_first_poll(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    room = stage.room(static_member=True)
    await stage.feed(producer, range(8))
    with child(stage, room=room, point=CrashPoint.AFTER_COMMIT.name) as process:
        assert await ended(process) == 9
    done = len(await stage.effects())
    assert done > 0
    assert await stage.records(stage.sink) == []
    left = await stage.rows("select partition, first_n from outbox_batches order by id")
    assert left

    pass_on = passing_on(stage.sink)
    sent_before_first_poll: list[int] = []

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        if not sent_before_first_poll:
            sent_before_first_poll.append(len(await stage.records(stage.sink)))
        await pass_on(tx, batch)

    await stage.feed(producer, range(8, 16))
    async with running(stage, producer, room=room, handle=handle):
        await stage.wrote(16)
    assert sent_before_first_poll == [done]
    await stage.check(16)
