"""Sending to a provider that listens: each message once, whatever happens on the way."""

import logging
import time
from datetime import timedelta
from typing import Any

import pytest

from kit.base.db import Database
from notify import settings, sms_provider
from notify.contacts import consumer as contacts_consumer
from notify.contacts import domain as contacts
from notify.sending.usecases import CrashPoint, SmsSender
from notify.sms_provider import NoAnswer, OutgoingSms, RefusalKind, Refused, SmsProvider
from notify.sms_queue import consumer, usecases

from .conftest import RING

pytestmark = pytest.mark.NH16

PRICE = 1_180
API_KEY = "4B65793A"


class Crashed(BaseException):
    """The process is gone."""


async def _queue(pool: Database, samples: Any, make: Any, members: range, **fields: Any) -> None:
    async with pool.transaction() as tx:
        contacts = [make.contact_event(samples.contact(member)) for member in members]
        await contacts_consumer.on_members_contacts(tx, contacts)
        outcomes = [
            make.entry_event(samples.outcome(m, lots=(make.lot(15),), **fields)) for m in members
        ]
        await consumer.on_ledger_entries(tx, outcomes, segment_price_rial=PRICE)


async def _counts(pool: Database) -> dict[str, int]:
    async with pool.read() as tx:
        return await usecases.count_messages(tx)


async def _views(pool: Database) -> list[usecases.MessageView]:
    async with pool.read() as tx:
        return await usecases.list_messages(tx, member=None, after=0, limit=200, ring=RING)


def _end_pause(sender: SmsSender) -> None:
    sender.resume_at_s = 0.0


async def test_a_message_reaches_the_phone_once(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    await _queue(pool, samples, make, range(1, 4))
    assert await sender.run() == 3
    assert await sender.run() == 0
    await provider_side.until("delivered", 3)
    (first, *_) = await _views(pool)
    assert (first.state, first.attempts, first.reason) == ("accepted", 1, "")
    assert first.provider_id is not None
    assert first.cost_rial == first.price_rial == PRICE
    (on_phone,) = provider_side.exchange.phone("09100000001")
    assert on_phone.text == first.text
    assert on_phone.sender == "10008663"
    assert on_phone.local_id == str(first.id)


async def test_two_thousand_pass_in_ten_calls(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    await _queue(pool, samples, make, range(1, 2001))
    assert await sender.run() == 2000
    assert provider_side.exchange.counters.calls == 10
    assert await _counts(pool) == {"accepted": 2000}


async def test_without_an_answer_the_provider_is_queried_before_anything_is_sent(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    provider_side.exchange.change({"hang_next": 1, "hang_s": 3.0})
    await _queue(pool, samples, make, range(1, 4))
    await sender.run()
    assert await _counts(pool) == {"sending": 3}
    assert await sender.run() == 0  # it pauses
    _end_pause(sender)
    await sender.run()
    await provider_side.until("delivered", 3)
    counters = provider_side.exchange.counters
    assert (counters.calls, counters.received, counters.duplicates) == (1, 3, 0)
    assert {view.state for view in await _views(pool)} <= {"accepted", "delivered"}


async def test_half_a_batch_is_completed_and_no_message_is_sent_twice(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    provider_side.exchange.change({"half_next": 1})
    await _queue(pool, samples, make, range(1, 11))
    await sender.run()
    _end_pause(sender)
    assert await sender.run() == 5
    await provider_side.until("delivered", 10)
    counters = provider_side.exchange.counters
    assert (counters.accepted, counters.received, counters.duplicates) == (10, 10, 0)
    assert "sending" not in await _counts(pool)


@pytest.mark.parametrize("code", [402, 409, 429, 451, 418, 403])
async def test_refused_for_now_is_tried_again_after_a_growing_pause(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any, code: int
) -> None:
    provider_side.exchange.change({"fail_next": 2, "fail_status": code})
    await _queue(pool, samples, make, range(1, 3))
    pauses: list[float] = []
    for _ in range(2):
        await sender.run()
        pauses.append(sender.resume_at_s - time.monotonic())
        _end_pause(sender)
    assert 0 < pauses[0] < pauses[1] < settings.PAUSE_MAX_S
    assert await sender.run() == 2
    assert sender.failures == 0
    await provider_side.until("delivered", 2)
    assert provider_side.exchange.counters.duplicates == 0
    assert [view.attempts for view in await _views(pool)] == [3, 3]


@pytest.mark.parametrize("point", list(CrashPoint))
async def test_a_crash_between_sending_and_recording_sends_nothing_twice(
    pool: Database,
    sender: SmsSender,
    samples: Any,
    make: Any,
    provider_side: Any,
    point: CrashPoint,
) -> None:
    def crash(reached: CrashPoint) -> None:
        if reached is point:
            raise Crashed

    await _queue(pool, samples, make, range(1, 6))
    sender.crash = crash
    with pytest.raises(Crashed):
        await sender.run()
    assert await _counts(pool) == {"sending": 5}
    reborn = SmsSender(
        database=pool, provider=sender.provider, clock=sender.clock, wall=sender.wall, ring=RING
    )
    await reborn.run()
    await provider_side.until("delivered", 5)
    counters = provider_side.exchange.counters
    assert (counters.accepted, counters.received, counters.duplicates) == (5, 5, 0)
    assert "sending" not in await _counts(pool)


async def test_a_replay_of_the_book_sends_nothing(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    outcomes = [make.entry_event(samples.outcome(member)) for member in range(1, 6)]
    async with pool.transaction() as tx:
        contacts = [make.contact_event(samples.contact(member)) for member in range(1, 6)]
        await contacts_consumer.on_members_contacts(tx, contacts)
    for _ in range(2):
        async with pool.transaction() as tx:
            await consumer.on_ledger_entries(tx, outcomes, segment_price_rial=PRICE)
        await sender.run()
    await provider_side.until("delivered", 5)
    assert provider_side.exchange.counters.received == 5


async def test_one_bad_number_does_not_stop_the_others(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    await _queue(pool, samples, make, range(1, 8))
    bad = samples.contact(4, version=2, sealed=make.sealed(4, "+982188776655"))
    foreign = samples.contact(6, version=2, sealed=make.sealed(5, make.mobile(6)))
    async with pool.transaction() as tx:
        batch = [make.contact_event(bad), make.contact_event(foreign), make.tombstone(7)]
        await contacts_consumer.on_members_contacts(tx, batch)
    await sender.run()
    await provider_side.until("delivered", 4)
    ends = {view.member: (view.state, view.reason) for view in await _views(pool)}
    assert ends[4] == ("failed", "provider-411")
    assert ends[6] == ("failed", "contact-unreadable")
    assert ends[7] == ("no-contact", "erased")
    assert [ends[member][0] for member in (1, 2, 3, 5)] == ["accepted"] * 4


async def test_messages_under_a_missing_key_wait_for_it_and_hold_up_no_other(
    pool: Database, sender: SmsSender, samples: Any, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """More of them than one call takes, and all of them older than the message that can go."""
    other = contacts.ring_of(["A" * 43 + "="])
    last = settings.BATCH_MAX + 2
    await _queue(pool, samples, make, range(1, last + 1))
    locked = [
        samples.contact(m, version=2, sealed=make.sealed(m, make.mobile(m), ring=other))
        for m in range(1, last)
    ]
    async with pool.transaction() as tx:
        await contacts_consumer.on_members_contacts(tx, [make.contact_event(one) for one in locked])
    assert await sender.run() == 1
    assert await _counts(pool) == {"queued": last - 1, "accepted": 1}
    assert f"key {other[0].key_id} is missing" in caplog.text
    sender.ring = (*RING, *other)  # started again with the key
    assert await sender.run() == last - 1
    assert await _counts(pool) == {"accepted": last}


async def test_expired_messages_are_not_sent(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any, at: Any
) -> None:
    await _queue(pool, samples, make, range(1, 3))
    at.at += settings.RECEIPT_LIFE
    assert await sender.run() == 0
    assert provider_side.exchange.counters.calls == 0


async def test_a_message_that_the_provider_may_have_forgotten_is_not_sent_again(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any, wall: Any
) -> None:
    provider_side.exchange.change({"fail_next": 1, "fail_status": 409})
    await _queue(pool, samples, make, range(1, 3))
    await sender.run()
    wall.ahead = settings.LOCAL_HORIZON + timedelta(minutes=1)
    _end_pause(sender)
    assert await sender.run() == 0
    views = await _views(pool)
    assert [(view.state, view.reason) for view in views] == [("unknown", "provider-forgot")] * 2
    assert provider_side.exchange.counters.received == 0


async def test_a_run_with_nothing_to_send_forgets_old_failures(
    pool: Database, sender: SmsSender, samples: Any, make: Any, provider_side: Any
) -> None:
    """The message ended otherwise: the next failure pauses as the first one does."""
    provider_side.exchange.change({"fail_next": 1, "fail_status": 409})
    await _queue(pool, samples, make, range(1, 2))
    await sender.run()
    assert sender.failures == 1
    async with pool.transaction() as tx:
        await tx.execute("update messages set state = 'expired'")
    _end_pause(sender)
    assert await sender.run() == 0
    assert sender.failures == 0


async def test_a_provider_that_is_away_costs_a_pause_and_no_secret(
    pool: Database, samples: Any, make: Any, at: Any, wall: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with SmsProvider(
        url="http://127.0.0.1:9", key=API_KEY, sender="1", timeout_s=0.5
    ) as provider:
        sender = SmsSender(database=pool, provider=provider, clock=at, wall=wall, ring=RING)
        await _queue(pool, samples, make, range(1, 3))
        await sender.run()
        assert await _counts(pool) == {"sending": 2}
        with pytest.raises(NoAnswer) as raised:
            await provider.send([OutgoingSms(1, "+989121234567", "سلام")])
    assert sender.resume_at_s > time.monotonic()
    assert API_KEY not in caplog.text
    error: BaseException | None = raised.value
    while error is not None:
        assert API_KEY not in f"{error} {error!r}"
        error = error.__cause__


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (409, RefusalKind.RETRY),
        (418, RefusalKind.ACCOUNT),
        (411, RefusalKind.CONTENT),
        (420, RefusalKind.CONTENT),
        (500, RefusalKind.CONTENT),
    ],
)
def test_codes_need_different_things(code: int, kind: RefusalKind) -> None:
    assert Refused(code).kind is kind


async def test_an_unreadable_answer_is_no_answer(provider: SmsProvider, provider_side: Any) -> None:
    provider_side.exchange.change({"fail_next": 1, "fail_status": 429})
    with pytest.raises(Refused):
        await provider.send([OutgoingSms(1, "+989121234567", "سلام")])
    strange = SmsProvider(url=provider_side.url + "/counters?", key="k", sender="1", timeout_s=0.5)
    with pytest.raises(NoAnswer):
        await strange.send([OutgoingSms(1, "+989121234567", "سلام")])  # not open
    async with strange:
        with pytest.raises(NoAnswer):
            await strange.send([OutgoingSms(1, "+989121234567", "سلام")])


def test_only_delivery_callbacks_are_parsed_as_reports() -> None:
    assert sms_provider.parse_callback(
        {"messageid": "5", "status": "10"}
    ) == sms_provider.DeliveryReport(5, 10)
    for form in ({}, {"messageid": "x", "status": "10"}, {"messageid": "5"}):
        assert sms_provider.parse_callback(form) is None
