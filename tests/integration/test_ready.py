"""A consumer is ready while it finishes polls as a member of its group, and not a moment longer."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import generate_latest

from kit.base import telemetry
from kit.base.db import Database, Tx
from kit.stream import consumer as consuming
from kit.stream.consumer import Consumer, Event, Subscription
from kit.stream.kafka import Producer

from .child import passing_on
from .conftest import Make, Stage, until


@asynccontextmanager
async def at_work(stage: Stage, producer: Producer, handle: Any) -> AsyncGenerator[Consumer]:
    """A consumer that can be asked."""
    database = await Database.open(stage.dsn, size=4)
    subscriptions = [Subscription(topic=stage.source, handle=handle)]
    made = Consumer(stage.group, subscriptions, database, producer, stage.room())
    task = asyncio.ensure_future(made.run())
    try:
        yield made
        made.stop()
        await asyncio.wait_for(task, 15)
    finally:
        task.cancel()
        with suppress(BaseException):
            await task
        await database.close()


def answers(made: Consumer, ready: bool) -> Any:
    """A question whether a consumer says so."""

    async def asked() -> bool:
        return made.ready is ready

    return asked


async def test_who_is_stuck_in_a_poll_is_not_ready_until_it_is_through(
    new_stage: Make, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "POLL_AGE_MAX_S", 1.0)
    stage = await new_stage()
    pass_on, stuck, let_go = passing_on(stage.sink), asyncio.Event(), asyncio.Event()

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        stuck.set()
        await let_go.wait()
        await pass_on(tx, batch)

    async with at_work(stage, producer, handle) as made:
        assert not made.ready  # no partitions yet
        await until(answers(made, ready=True))
        await stage.feed(producer, range(4))
        await stuck.wait()
        await until(answers(made, ready=False))
        age = f'peyvand_poll_age_seconds{{consumer="{stage.group}"}}'

        async def told() -> bool:
            shown = generate_latest(telemetry.REGISTRY).decode().splitlines()
            return any(line.startswith(age) and float(line.split()[-1]) > 1 for line in shown)

        await until(told)
        let_go.set()
        await until(answers(made, ready=True))
        await stage.wrote(4)
    await stage.check(4)


async def test_a_long_poll_that_gets_on_counts_by_its_parts(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    pass_on, parts = passing_on(stage.sink), list[float]()
    await stage.feed(producer, range(6))

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        if len(batch) > 1:
            raise TypeError("one of them")
        parts.append(made.finished_at)
        await pass_on(tx, batch)

    async with at_work(stage, producer, handle) as made:
        await stage.wrote(6)
    assert len(parts) == 6
    assert all(after > before for before, after in pairwise(parts))


async def test_who_is_out_of_its_group_is_not_ready(
    new_stage: Make, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "POLL_AGE_MAX_S", 1.0)
    stage = await new_stage()
    async with at_work(stage, producer, passing_on(stage.sink)) as made:
        await until(answers(made, ready=True))
        assert made._reader is not None
        coordinator = made._reader._inner._coordinator

        async def out() -> bool:
            coordinator.reset_generation()  # as on a heartbeat's answer that knows it no more
            return not made.ready

        await until(out)
        await until(answers(made, ready=True))
