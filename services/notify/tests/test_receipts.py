"""Deliveries: called back or asked for, forward only."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kit import errors
from kit.db import Database
from notify import consumer, settings
from notify.clients import Report
from notify.usecases import messages, receipts
from notify.usecases.lane import Lane
from notify.usecases.receipts import Asker

from .conftest import RING

PRICE = 1_180


async def _send(pool: Database, lane: Lane, world: Any, make: Any, members: range) -> list[int]:
    async with pool.transaction() as tx:
        contacts = [make.contact_event(world.contact(member)) for member in members]
        await consumer.on_members_contacts(tx, contacts)
        outcomes = [make.entry_event(world.outcome(member)) for member in members]
        await consumer.on_ledger_entries(tx, outcomes, part_price_rial=PRICE)
    await lane.run()
    return [view.provider_id or 0 for view in await _views(pool)]


async def _views(pool: Database) -> list[messages.View]:
    async with pool.read() as tx:
        return await messages.list_messages(tx, member=None, after=0, limit=200, ring=RING)


async def _states(pool: Database) -> list[str]:
    return [view.state for view in await _views(pool)]


@pytest.fixture
def quiet(provider_side: Any) -> None:
    """Nothing becomes final by itself."""
    provider_side.exchange.controls.delivery_delay_s = 3_600.0


async def test_receipts_move_forward_only(
    quiet: None, pool: Database, lane: Lane, world: Any, make: Any
) -> None:
    (ours,) = await _send(pool, lane, world, make, range(1, 2))
    for status, state in ((5, "sent"), (1, "sent"), (100, "sent"), (77, "sent"), (10, "delivered")):
        async with pool.transaction() as tx:
            assert await receipts.record_receipts(tx, [Report(ours, status)]) == {ours}
        assert await _states(pool) == [state]
    for status in (11, 5, 6, 10):
        async with pool.transaction() as tx:
            await receipts.record_receipts(tx, [Report(ours, status)])
        assert await _states(pool) == ["delivered"]


async def test_many_receipts_of_one_message_in_one_commit(
    quiet: None, pool: Database, lane: Lane, world: Any, make: Any
) -> None:
    one, two = await _send(pool, lane, world, make, range(1, 3))
    async with pool.transaction() as tx:
        heard = [Report(one, 5), Report(two, 11), Report(one, 10), Report(two, 10), Report(9, 10)]
        assert await receipts.record_receipts(tx, heard) == {one, two}
    assert await _states(pool) == ["delivered", "undelivered"]


async def test_callbacks_arrive_through_the_door(
    quiet: None, pool: Database, lane: Lane, world: Any, make: Any, door: Any
) -> None:
    ids = await _send(pool, lane, world, make, range(1, 11))
    url = f"/internal/receipts/{door.secret}"
    answers = await asyncio.gather(
        *(door.client.post(url, data={"messageid": str(i), "status": "10"}) for i in ids[1:]),
        door.client.get(url, params={"messageid": str(ids[0]), "status": "14"}),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await _states(pool) == ["suppressed"] + ["delivered"] * 9
    stranger = await door.client.post(url, data={"messageid": "5", "status": "10"})
    assert stranger.status_code == 404
    bad = await door.client.post(url, data={"messageid": "x"})
    assert bad.status_code == 422
    wrong = await door.client.post("/internal/receipts/guess", data={"messageid": "5"})
    assert wrong.status_code == 404


async def test_without_callbacks_the_provider_is_asked(
    pool: Database, lane: Lane, asker: Asker, world: Any, make: Any, provider_side: Any, wall: Any
) -> None:
    provider_side.exchange.change({"callbacks": False, "outcomes": {"09100000002": 11}})
    await _send(pool, lane, world, make, range(1, 4))
    await provider_side.until("delivered", 2)
    assert await asker.run() == 0  # too early: a callback may still come
    wall.ahead = settings.ASK_AGE_MIN
    assert await asker.run() == 3
    assert await _states(pool) == ["delivered", "undelivered", "delivered"]
    assert await asker.run() == 0


async def test_one_that_is_under_way_is_asked_about_again_later(
    quiet: None,
    pool: Database,
    lane: Lane,
    asker: Asker,
    world: Any,
    make: Any,
    wall: Any,
) -> None:
    await _send(pool, lane, world, make, range(1, 3))
    wall.ahead = settings.ASK_AGE_MIN
    assert await asker.run() == 2
    assert await asker.run() == 0
    wall.ahead += settings.ASK_AGAIN
    assert await asker.run() == 2
    assert await _states(pool) == ["accepted", "accepted"]


async def test_what_the_provider_has_forgotten_ends_as_unknown(
    pool: Database, lane: Lane, asker: Asker, world: Any, make: Any, provider_side: Any, wall: Any
) -> None:
    provider_side.exchange.change({"callbacks": False, "delivery_delay_s": 3_600.0})
    await _send(pool, lane, world, make, range(1, 2))
    provider_side.exchange._messages.clear()
    wall.ahead = timedelta(hours=1)
    await asker.run()
    assert await _states(pool) == ["accepted"]
    wall.ahead = settings.STATUS_HORIZON + timedelta(minutes=1)
    await asker.run()
    (view,) = await _views(pool)
    assert (view.state, view.reason) == ("unknown", "provider-forgot")


async def test_a_provider_that_does_not_answer_is_asked_later(
    pool: Database, lane: Lane, asker: Asker, world: Any, make: Any, wall: Any
) -> None:
    await _send(pool, lane, world, make, range(1, 2))
    wall.ahead = timedelta(minutes=1)
    away = receipts.Asker(
        database=pool,
        provider=type(asker.provider)(url="http://127.0.0.1:9", key="k", sender="1", timeout_s=0.5),
        wall=wall,
    )
    assert await away.run() == 0
    assert await _states(pool) == ["accepted"]


async def test_a_receipt_that_cannot_be_written_is_not_taken(dsn: str) -> None:
    lost = await Database.open(dsn, size=1)
    await lost.close()
    desk = receipts.Desk(lost)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(desk.run())
        with pytest.raises(errors.Unavailable):
            await desk.record(Report(1, 10))
        running.cancel()
