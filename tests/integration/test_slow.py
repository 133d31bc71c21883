"""One record whose statements run out of time stops nobody; a slow database refuses nobody."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from kit.base import errors
from kit.base.db import Tx, connect
from kit.stream import isolation
from kit.stream.consumer import Event
from kit.stream.kafka import Producer

from .child import passing_on
from .conftest import Make, Stage, running, until
from .test_isolation import Handle, aside

BOUND_S = 0.2  # of a statement, in these tests
SLOW = 5


@asynccontextmanager
async def holding(stage: Stage, sql: str) -> AsyncGenerator[None]:
    """Another session that holds a lock, for as long as it likes."""
    session = await connect(stage.dsn)
    try:
        await session.execute("set idle_in_transaction_session_timeout = 0")
        async with session.transaction():
            await session.execute(sql)
            yield
    finally:
        await session.close()


def slow(stage: Stage, sql: str, tries: list[int]) -> Handle:
    """Passes on; for one record it runs a statement that does not end. tries: of that one alone."""
    pass_on = passing_on(stage.sink)

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        if any(event.data.number == SLOW for event in batch):
            tries.extend([1] * (len(batch) == 1))
            await tx.execute(sql)  # pyright: ignore[reportArgumentType]
        await pass_on(tx, batch)

    return handle


@pytest.mark.parametrize("sql", ["select pg_sleep(60)", "select pg_advisory_xact_lock(7)"])
@pytest.mark.parametrize("road", [True, False])
async def test_one_whose_statements_take_too_long_is_set_aside_and_the_next_are_handled(
    new_stage: Make, producer: Producer, sql: str, road: bool
) -> None:
    stage = await new_stage()
    refused: list[int] = []

    async def refuse(tx: Tx, event: Event, why: str) -> None:
        refused.append(event.data.number)
        assert why.startswith("overlong: ")

    await stage.feed(producer, range(16))
    given = {"handle": slow(stage, sql, []), "refuse": refuse if road else None}
    async with (
        holding(stage, "select pg_advisory_xact_lock(7)"),
        running(stage, producer, bound_s=BOUND_S, **given),
    ):
        await stage.wrote(15, 60)
    assert sorted(await stage.effects()) == [n for n in range(16) if n != SLOW]
    assert refused == [SLOW] * road
    assert await aside(stage) == [("overlong", SLOW, not road)]


async def test_where_refusing_takes_too_long_as_well_it_becomes_a_dead_letter_alone(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    seen: list[bool] = []

    async def refuse(tx: Tx, event: Event, why: str) -> None:
        assert why
        seen.append(event.envelope is None)
        await tx.execute("select pg_sleep(60)")

    await stage.feed(producer, range(16))
    given = {"handle": slow(stage, "select pg_sleep(60)", []), "refuse": refuse}
    async with running(stage, producer, bound_s=BOUND_S, **given):
        await stage.wrote(15, 60)
    assert set(seen) == {False, True}
    assert await aside(stage) == [("overlong", SLOW, True)]


async def test_while_every_record_waits_none_is_set_aside(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    await stage.feed(producer, range(8))
    pass_on = passing_on(stage.sink)
    alone: list[int] = []

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        alone.extend([batch[0].data.number] * (len(batch) == 1))
        await pass_on(tx, batch)

    async def tried_often() -> bool:
        return any(alone.count(n) > 2 * isolation.UNFORESEEN_MAX for n in alone)

    locked = AsyncExitStack()
    await locked.enter_async_context(holding(stage, "lock table effects in access exclusive mode"))
    async with running(stage, producer, handle=handle, bound_s=BOUND_S) as task:
        await until(tried_often, 60)
        await locked.aclose()
        await stage.wrote(8, 60)
        assert not task.done()
    await stage.check(8)
    assert await aside(stage) == []


async def test_a_database_that_stays_slow_ends_the_process_and_loses_nothing(
    new_stage: Make, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "RETRY_BOUND_S", 3.0)
    stage = await new_stage()
    await stage.feed(producer, range(8))
    async with (
        holding(stage, "lock table effects in access exclusive mode"),
        running(stage, producer, bound_s=BOUND_S) as task,
    ):
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 60)
    assert isinstance(stopped.value.exceptions[0], errors.TimedOut)
    async with running(stage, producer):
        await stage.wrote(8)
    await stage.check(8)
    assert await aside(stage) == []


async def test_one_with_none_beside_it_waits_until_one_has_come(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    tries: list[int] = []
    await stage.feed(producer, [SLOW])
    handle = slow(stage, "select pg_sleep(60)", tries)

    async def tried_often() -> bool:
        return len(tries) > 2 * isolation.UNFORESEEN_MAX

    async with running(stage, producer, handle=handle, bound_s=BOUND_S) as task:
        await until(tried_often, 60)
        assert not task.done()
        assert await aside(stage) == []
        await stage.feed(producer, [SLOW + 4, SLOW + 8])  # behind it, on its own partition
        await stage.wrote(2, 60)
    assert await stage.effects() == [SLOW + 4, SLOW + 8]
    assert [(code, counted) for code, _, counted in await aside(stage)] == [("overlong", True)]
