"""Delivery reports, called back or polled, move messages forward only."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kit.base import errors
from kit.base.db import Database
from notify import settings
from notify.contacts import consumer as contacts_consumer
from notify.receipts.usecases import DeliveryPoller, ReceiptBuffer
from notify.sending.usecases import SmsSender
from notify.sms_provider import DeliveryReport
from notify.sms_queue import consumer, usecases

from .conftest import RING

pytestmark = pytest.mark.NH16

PRICE = 1_180


async def _send(
    pool: Database, sender: SmsSender, samples: Any, make: Any, members: range
) -> list[int]:
    async with pool.transaction() as tx:
        contacts = [make.contact_event(samples.contact(member)) for member in members]
        await contacts_consumer.on_members_contacts(tx, contacts)
        outcomes = [make.entry_event(samples.outcome(member)) for member in members]
        await consumer.on_ledger_entries(tx, outcomes, segment_price_rial=PRICE)
    await sender.run()
    return [view.provider_id or 0 for view in await _views(pool)]


async def _views(pool: Database) -> list[usecases.MessageView]:
    async with pool.read() as tx:
        return await usecases.list_messages(tx, member=None, after=0, limit=200, ring=RING)


async def _states(pool: Database) -> list[str]:
    return [view.state for view in await _views(pool)]


@pytest.fixture
def no_delivery(provider_side: Any) -> None:
    """Nothing becomes final by itself."""
    provider_side.exchange.controls.delivery_delay_s = 3_600.0


async def test_receipts_move_forward_only(
    no_delivery: None, pool: Database, sender: SmsSender, samples: Any, make: Any
) -> None:
    (ours,) = await _send(pool, sender, samples, make, range(1, 2))
    for status, state in ((5, "sent"), (1, "sent"), (100, "sent"), (77, "sent"), (10, "delivered")):
        async with pool.transaction() as tx:
            assert await usecases.record_delivery(tx, [DeliveryReport(ours, status)]) == {ours}
        assert await _states(pool) == [state]
    for status in (11, 5, 6, 10):
        async with pool.transaction() as tx:
            await usecases.record_delivery(tx, [DeliveryReport(ours, status)])
        assert await _states(pool) == ["delivered"]


async def test_many_receipts_of_one_message_in_one_commit(
    no_delivery: None, pool: Database, sender: SmsSender, samples: Any, make: Any
) -> None:
    one, two = await _send(pool, sender, samples, make, range(1, 3))
    async with pool.transaction() as tx:
        reports = [
            DeliveryReport(one, 5),
            DeliveryReport(two, 11),
            DeliveryReport(one, 10),
            DeliveryReport(two, 10),
            DeliveryReport(9, 10),
        ]
        assert await usecases.record_delivery(tx, reports) == {one, two}
    assert await _states(pool) == ["delivered", "undelivered"]


async def test_callbacks_arrive_through_the_door(
    no_delivery: None, pool: Database, sender: SmsSender, samples: Any, make: Any, client: Any
) -> None:
    ids = await _send(pool, sender, samples, make, range(1, 11))
    url = f"/internal/receipts/{client.secret}"
    answers = await asyncio.gather(
        *(client.http.post(url, data={"messageid": str(i), "status": "10"}) for i in ids[1:]),
        client.http.get(url, params={"messageid": str(ids[0]), "status": "14"}),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await _states(pool) == ["suppressed"] + ["delivered"] * 9
    stranger = await client.http.post(url, data={"messageid": "5", "status": "10"})
    assert stranger.status_code == 404
    bad = await client.http.post(url, data={"messageid": "x"})
    assert bad.status_code == 422
    wrong = await client.http.post("/internal/receipts/guess", data={"messageid": "5"})
    assert wrong.status_code == 404


async def test_without_callbacks_the_provider_is_polled(
    pool: Database,
    sender: SmsSender,
    poller: DeliveryPoller,
    samples: Any,
    make: Any,
    provider_side: Any,
    wall: Any,
) -> None:
    provider_side.exchange.change({"callbacks": False, "outcomes": {"09100000002": 11}})
    await _send(pool, sender, samples, make, range(1, 4))
    await provider_side.until("delivered", 2)
    assert await poller.run() == 0  # too early: a callback may still come
    wall.ahead = settings.POLL_AGE_MIN
    assert await poller.run() == 3
    assert await _states(pool) == ["delivered", "undelivered", "delivered"]
    assert await poller.run() == 0


async def test_a_message_that_is_under_way_is_polled_again_later(
    no_delivery: None,
    pool: Database,
    sender: SmsSender,
    poller: DeliveryPoller,
    samples: Any,
    make: Any,
    wall: Any,
) -> None:
    await _send(pool, sender, samples, make, range(1, 3))
    wall.ahead = settings.POLL_AGE_MIN
    assert await poller.run() == 2
    assert await poller.run() == 0
    wall.ahead += settings.POLL_AGAIN_AFTER
    assert await poller.run() == 2
    assert await _states(pool) == ["accepted", "accepted"]


async def test_a_message_that_the_provider_has_forgotten_ends_as_unknown(
    pool: Database,
    sender: SmsSender,
    poller: DeliveryPoller,
    samples: Any,
    make: Any,
    provider_side: Any,
    wall: Any,
) -> None:
    provider_side.exchange.change({"callbacks": False, "delivery_delay_s": 3_600.0})
    await _send(pool, sender, samples, make, range(1, 2))
    provider_side.exchange._messages.clear()
    wall.ahead = timedelta(hours=1)
    await poller.run()
    assert await _states(pool) == ["accepted"]
    wall.ahead = settings.STATUS_HORIZON + timedelta(minutes=1)
    await poller.run()
    (view,) = await _views(pool)
    assert (view.state, view.reason) == ("unknown", "provider-forgot")


async def test_a_provider_that_does_not_answer_is_polled_later(
    pool: Database, sender: SmsSender, poller: DeliveryPoller, samples: Any, make: Any, wall: Any
) -> None:
    await _send(pool, sender, samples, make, range(1, 2))
    wall.ahead = timedelta(minutes=1)
    away = DeliveryPoller(
        database=pool,
        provider=type(poller.provider)(
            url="http://127.0.0.1:9", key="k", sender="1", timeout_s=0.5
        ),
        wall=wall,
    )
    assert await away.run() == 0
    assert await _states(pool) == ["accepted"]


async def test_a_receipt_that_cannot_be_written_is_not_acknowledged(dsn: str) -> None:
    lost = await Database.open(dsn, size=1)
    await lost.close()
    buffer = ReceiptBuffer(lost)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(buffer.run())
        with pytest.raises(errors.Unavailable):
            await buffer.record(DeliveryReport(1, 10))
        running.cancel()
