"""A stage killed or paused at every point, then restarted: each effect once, in order."""

import asyncio
import signal
import time
from collections.abc import Sequence

import psutil
import pytest

from kit.base import errors
from kit.base.db import Tx
from kit.stream.consumer import CrashPoint, Event
from kit.stream.kafka import Producer

from .child import passing_on
from .conftest import Make, Stage, child, ended, running, until

TOGETHER = 3  # of the points, at one time
PAUSED_FOR_S = 9  # past the session (6 s) and the idle-in-transaction limit (3 s)


@pytest.mark.parametrize("first", range(0, len(CrashPoint), TOGETHER))
async def test_killed_at_any_point_and_restarted(
    new_stage: Make, producer: Producer, first: int
) -> None:
    """Each point on topics of its own; a few at a time, since a process mostly starts and waits."""
    points = list(CrashPoint)[first : first + TOGETHER]
    stages = [await new_stage() for _ in points]
    async with asyncio.TaskGroup() as tasks:
        for stage, point in zip(stages, points, strict=True):
            tasks.create_task(killed(stage, producer, point), name=point.name)


async def killed(stage: Stage, producer: Producer, point: CrashPoint) -> None:
    """The successor has the same instance id, as under a supervisor: no session to wait for."""
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
    assert await stage.rows("select id from outbox_batches") == [], point


async def test_a_writer_paused_before_inside_or_after_its_transaction_is_fenced(
    new_stage: Make, producer: Producer
) -> None:
    """It sleeps while another takes over and works on, wakes up, and doubles nothing."""
    points = (CrashPoint.AFTER_POLL, CrashPoint.AFTER_OFFSETS, CrashPoint.AFTER_COMMIT)
    stages = [await new_stage() for _ in points]
    async with asyncio.TaskGroup() as tasks:
        for stage, point in zip(stages, points, strict=True):
            tasks.create_task(pause(stage, producer, point), name=point.name)


async def pause(stage: Stage, producer: Producer, point: CrashPoint) -> None:
    """One of the three, on its own topics; they sleep at the same time."""
    await stage.feed(producer, range(20))
    with child(stage, point=point.name, hits=1, pause=True) as process:

        async def asleep() -> bool:
            return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED

        await until(asleep, 60)  # its start too, on a machine that others keep busy
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


async def test_a_commit_whose_answer_was_lost_is_not_done_again(
    new_stage: Make, producer: Producer
) -> None:
    """The connection breaks after the commit: the retry is fenced by its own offset and reloads."""
    stage = await new_stage()
    await stage.feed(producer, range(20))
    left = 2

    def lose_the_answer(point: CrashPoint) -> None:
        nonlocal left
        if point is CrashPoint.AFTER_COMMIT and left > 0:
            left -= 1
            raise errors.Unavailable("connection lost")

    async with running(stage, producer, crash=lose_the_answer):
        await stage.wrote(20)
        await stage.feed(producer, range(20, 40))
        await stage.wrote(40)
    await stage.check(40)
    assert left == 0


async def test_a_writer_that_lost_its_rows_writes_nothing_and_stops(
    new_stage: Make, producer: Producer
) -> None:
    """Another has claimed its partitions, and no rebalance explains it within a session."""
    stage = await new_stage()
    await stage.feed(producer, range(8))
    async with running(stage, producer) as task:
        await stage.wrote(8)
        await stage.rows("update consumer_offsets set epoch = epoch + 1")
        await stage.feed(producer, range(8, 16))
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 30)
    assert isinstance(stopped.value.exceptions[0], errors.Fenced)
    assert sorted(await stage.effects()) == list(range(8))


async def test_an_unforeseen_error_is_retried_a_bounded_number_of_times(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, [0, 4])
    tries: list[int] = []

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        numbers = [e.data.number for e in batch]
        if 4 in numbers:
            tries.append(len(batch))
            raise ZeroDivisionError
        await passing_on(stage.sink)(tx, batch)

    async with running(stage, producer, handle=handle):
        await stage.wrote(1)

        async def set_aside() -> bool:
            return len(await stage.rows("select from dead_letters")) == 1

        await until(set_aside)
    assert tries.count(1) == 3
    assert await stage.effects() == [0]


async def test_a_hole_in_the_log_stops_the_process(new_stage: Make, producer: Producer) -> None:
    """The stored offset is no longer there (retention, another topic): it is never skipped."""
    stage = await new_stage()
    await stage.feed(producer, range(8))
    async with running(stage, producer):
        await stage.wrote(8)
    await stage.rows("update consumer_offsets set next = 99 where partition = 1")
    await stage.feed(producer, range(8, 16))
    async with running(stage, producer) as task:
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 15)
    assert "expected offset 99" in str(stopped.value.exceptions[0])
