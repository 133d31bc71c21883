"""The relay on a real broker and database: what HTTP and jobs say, in order, by one process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from kit.base.db import Database
from kit.stream import outbox
from kit.stream.kafka import Producer
from kit.stream.publish import Relay

from .child import note
from .conftest import Make, Stage, until


@asynccontextmanager
async def relaying(stage: Stage, producer: Producer) -> AsyncGenerator[tuple[Relay, Database]]:
    """A relay at work with a pool of its own, cut off abruptly at the end."""
    database = await Database.open(stage.dsn, size=4)
    relay = Relay(stage.dsn, database, producer, "test", 1)
    task = asyncio.ensure_future(relay.run())
    try:
        yield relay, database
    finally:
        task.cancel()
        with suppress(BaseException):
            await task
        await database.close()


async def say(database: Database, stage: Stage, numbers: range) -> None:
    """One transaction that says these notes, number n to partition n % 4."""
    async with database.transaction() as tx:
        outbox.add(tx, [outbox.message(stage.sink, note(n), partition=n % 4) for n in numbers])


async def used(stage: Stage) -> int:
    """How many notes a consumer of the sink has by now."""
    return sum(map(len, (await stage.onward()).values()))


async def test_what_http_says_leaves_in_order_and_numbered(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    async with relaying(stage, producer) as (relay, database):
        for start in range(0, 60, 6):
            await say(database, stage, range(start, start + 6))

        async def all_out() -> bool:
            return await used(stage) == 60

        await until(all_out)
        await relay.flushed()
    onward = await stage.onward()
    assert all(onward[p] == list(range(p, 60, 4)) for p in range(4))
    streams = {dict(r.headers)["stream"] for r in await stage.records(stage.sink)}
    assert streams == {b"test/relay/1/%d" % p for p in range(4)}
    assert await stage.rows("select id from outbox_messages") == []
    assert await stage.rows("select id from outbox_batches") == []


async def test_what_is_rolled_back_is_never_said(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    async with relaying(stage, producer) as (_, database):
        with suppress(ZeroDivisionError):
            async with database.transaction() as tx:
                outbox.add(tx, [outbox.message(stage.sink, note(0), partition=0)])
                raise ZeroDivisionError
        await say(database, stage, range(1, 2))

        async def out() -> bool:
            return await used(stage) == 1

        await until(out)
    assert (await stage.onward())[1] == [1]


async def test_one_relay_at_a_time_and_the_next_takes_over(
    new_stage: Make, producer: Producer
) -> None:
    stage = await new_stage()
    async with relaying(stage, producer) as (second, other):
        async with relaying(stage, producer) as (first, database):

            async def one() -> bool:
                return first.elected or second.elected

            await until(one)
            for start in range(0, 40, 4):
                await say(database, stage, range(start, start + 4))
                await say(other, stage, range(start + 100, start + 104))
                assert not (first.elected and second.elected)

        async def taken_over() -> bool:
            return second.elected and await used(stage) == 80

        await until(taken_over)
    onward = await stage.onward()
    for partition in range(4):
        mine = [n for n in onward[partition] if n < 100]
        assert mine == list(range(partition, 40, 4))


async def test_a_relay_that_lost_its_session_is_fenced(new_stage: Make, producer: Producer) -> None:
    stage = await new_stage()
    async with relaying(stage, producer) as (relay, database):

        async def elected() -> bool:
            return relay.elected

        await until(elected)
        await say(database, stage, range(4))
        await stage.rows(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
            " and granted and database = (select oid from pg_database"
            " where datname = current_database())"
        )
        await say(database, stage, range(4, 8))

        async def out() -> bool:
            return relay.elected and await used(stage) == 8

        await until(out)
    rows = await stage.rows("select epoch from consumer_offsets where consumer = 'relay'")
    assert rows[0]["epoch"] == 2
