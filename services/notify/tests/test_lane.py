"""The lane against a provider that listens: once each, whatever happens on the way."""

import logging
import time
from datetime import timedelta
from typing import Any

import pytest

from kit.db import Database
from notify import clients, consumer, settings
from notify.clients import Handover, Provider, Refused, Silent, Trouble
from notify.domain import contacts
from notify.usecases import messages
from notify.usecases.lane import CrashPoint, Lane

from .conftest import RING

PRICE = 1_180
API_KEY = "4B65793A"


class Crashed(BaseException):
    """The process is gone."""


async def _queue(pool: Database, world: Any, make: Any, members: range, **more: Any) -> None:
    async with pool.transaction() as tx:
        contacts = [make.contact_event(world.contact(member)) for member in members]
        await consumer.on_members_contacts(tx, contacts)
        outcomes = [
            make.entry_event(world.outcome(m, lots=(make.lot(15),), **more)) for m in members
        ]
        await consumer.on_ledger_entries(tx, outcomes, part_price_rial=PRICE)


async def _counts(pool: Database) -> dict[str, int]:
    async with pool.read() as tx:
        return await messages.count_messages(tx)


async def _views(pool: Database) -> list[messages.View]:
    async with pool.read() as tx:
        return await messages.list_messages(tx, member=None, after=0, limit=200, ring=RING)


def _again(lane: Lane) -> None:
    """As after the pause."""
    lane.resume_at_s = 0.0


async def test_a_message_reaches_the_phone_once(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    await _queue(pool, world, make, range(1, 4))
    assert await lane.run() == 3
    assert await lane.run() == 0
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
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    await _queue(pool, world, make, range(1, 2001))
    assert await lane.run() == 2000
    assert provider_side.exchange.counters.calls == 10
    assert await _counts(pool) == {"accepted": 2000}


async def test_after_silence_the_provider_is_asked_before_anything_is_sent(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    provider_side.exchange.change({"hang_next": 1, "hang_s": 3.0})
    await _queue(pool, world, make, range(1, 4))
    await lane.run()
    assert await _counts(pool) == {"sending": 3}
    assert await lane.run() == 0  # it pauses
    _again(lane)
    await lane.run()
    await provider_side.until("delivered", 3)
    counters = provider_side.exchange.counters
    assert (counters.calls, counters.received, counters.duplicates) == (1, 3, 0)
    assert {view.state for view in await _views(pool)} <= {"accepted", "delivered"}


async def test_half_a_batch_is_completed_and_nobody_hears_twice(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    provider_side.exchange.change({"half_next": 1})
    await _queue(pool, world, make, range(1, 11))
    await lane.run()
    _again(lane)
    assert await lane.run() == 5
    await provider_side.until("delivered", 10)
    counters = provider_side.exchange.counters
    assert (counters.accepted, counters.received, counters.duplicates) == (10, 10, 0)
    assert "sending" not in await _counts(pool)


@pytest.mark.parametrize("code", [402, 409, 429, 451, 418, 403])
async def test_refused_for_now_is_tried_again_after_a_growing_pause(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any, code: int
) -> None:
    provider_side.exchange.change({"fail_next": 2, "fail_status": code})
    await _queue(pool, world, make, range(1, 3))
    pauses: list[float] = []
    for _ in range(2):
        await lane.run()
        pauses.append(lane.resume_at_s - time.monotonic())
        _again(lane)
    assert 0 < pauses[0] < pauses[1] < settings.PAUSE_MAX_S
    assert await lane.run() == 2
    assert lane.failures == 0
    await provider_side.until("delivered", 2)
    assert provider_side.exchange.counters.duplicates == 0
    assert [view.attempts for view in await _views(pool)] == [3, 3]


@pytest.mark.parametrize("point", list(CrashPoint))
async def test_a_crash_between_sending_and_recording_sends_nothing_twice(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any, point: CrashPoint
) -> None:
    def crash(reached: CrashPoint) -> None:
        if reached is point:
            raise Crashed

    await _queue(pool, world, make, range(1, 6))
    lane.crash = crash
    with pytest.raises(Crashed):
        await lane.run()
    assert await _counts(pool) == {"sending": 5}
    reborn = Lane(
        database=pool, provider=lane.provider, clock=lane.clock, wall=lane.wall, ring=RING
    )
    await reborn.run()
    await provider_side.until("delivered", 5)
    counters = provider_side.exchange.counters
    assert (counters.accepted, counters.received, counters.duplicates) == (5, 5, 0)
    assert "sending" not in await _counts(pool)


async def test_a_replay_of_the_book_sends_nothing(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    outcomes = [make.entry_event(world.outcome(member)) for member in range(1, 6)]
    async with pool.transaction() as tx:
        contacts = [make.contact_event(world.contact(member)) for member in range(1, 6)]
        await consumer.on_members_contacts(tx, contacts)
    for _ in range(2):
        async with pool.transaction() as tx:
            await consumer.on_ledger_entries(tx, outcomes, part_price_rial=PRICE)
        await lane.run()
    await provider_side.until("delivered", 5)
    assert provider_side.exchange.counters.received == 5


async def test_one_bad_number_does_not_stop_the_others(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    await _queue(pool, world, make, range(1, 8))
    bad = world.contact(4, version=2, sealed=make.sealed(4, "+982188776655"))
    foreign = world.contact(6, version=2, sealed=make.sealed(5, make.mobile(6)))
    async with pool.transaction() as tx:
        batch = [make.contact_event(bad), make.contact_event(foreign), make.tombstone(7)]
        await consumer.on_members_contacts(tx, batch)
    await lane.run()
    await provider_side.until("delivered", 4)
    ends = {view.member: (view.state, view.reason) for view in await _views(pool)}
    assert ends[4] == ("failed", "provider-411")
    assert ends[6] == ("failed", "contact-unreadable")
    assert ends[7] == ("no-contact", "erased")
    assert [ends[member][0] for member in (1, 2, 3, 5)] == ["accepted"] * 4


async def test_what_is_under_a_missing_key_waits_for_it_and_keeps_nobody_waiting(
    pool: Database, lane: Lane, world: Any, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """More of them than one call takes, and all of them older than the message that can go."""
    other = contacts.ring_of(["A" * 43 + "="])
    last = settings.BATCH_MAX + 2
    await _queue(pool, world, make, range(1, last + 1))
    locked = [
        world.contact(m, version=2, sealed=make.sealed(m, make.mobile(m), ring=other))
        for m in range(1, last)
    ]
    async with pool.transaction() as tx:
        await consumer.on_members_contacts(tx, [make.contact_event(one) for one in locked])
    assert await lane.run() == 1
    assert await _counts(pool) == {"queued": last - 1, "accepted": 1}
    assert f"key {other[0].key_id} is missing" in caplog.text
    lane.ring = (*RING, *other)  # started again with the key
    assert await lane.run() == last - 1
    assert await _counts(pool) == {"accepted": last}


async def test_what_has_expired_is_not_sent(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any, at: Any
) -> None:
    await _queue(pool, world, make, range(1, 3))
    at.at += settings.RECEIPT_LIFE
    assert await lane.run() == 0
    assert provider_side.exchange.counters.calls == 0


async def test_what_the_provider_may_have_forgotten_is_not_sent_again(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any, wall: Any
) -> None:
    provider_side.exchange.change({"fail_next": 1, "fail_status": 409})
    await _queue(pool, world, make, range(1, 3))
    await lane.run()
    wall.ahead = settings.LOCAL_HORIZON + timedelta(minutes=1)
    _again(lane)
    assert await lane.run() == 0
    views = await _views(pool)
    assert [(view.state, view.reason) for view in views] == [("unknown", "provider-forgot")] * 2
    assert provider_side.exchange.counters.received == 0


async def test_a_run_with_nothing_to_send_forgets_old_failures(
    pool: Database, lane: Lane, world: Any, make: Any, provider_side: Any
) -> None:
    """What could not be sent ended otherwise: the next failure pauses as the first one does."""
    provider_side.exchange.change({"fail_next": 1, "fail_status": 409})
    await _queue(pool, world, make, range(1, 2))
    await lane.run()
    assert lane.failures == 1
    async with pool.transaction() as tx:
        await tx.execute("update messages set state = 'expired'")
    _again(lane)
    assert await lane.run() == 0
    assert lane.failures == 0


async def test_a_provider_that_is_away_costs_a_pause_and_no_secret(
    pool: Database, world: Any, make: Any, at: Any, wall: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Provider(
        url="http://127.0.0.1:9", key=API_KEY, sender="1", timeout_s=0.5
    ) as provider:
        lane = Lane(database=pool, provider=provider, clock=at, wall=wall, ring=RING)
        await _queue(pool, world, make, range(1, 3))
        await lane.run()
        assert await _counts(pool) == {"sending": 2}
        with pytest.raises(Silent) as raised:
            await provider.send([Handover(1, "+989121234567", "سلام")])
    assert lane.resume_at_s > time.monotonic()
    assert API_KEY not in caplog.text
    error: BaseException | None = raised.value
    while error is not None:
        assert API_KEY not in f"{error} {error!r}"
        error = error.__cause__


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (409, Trouble.LATER),
        (418, Trouble.ACCOUNT),
        (411, Trouble.CONTENT),
        (420, Trouble.CONTENT),
        (500, Trouble.CONTENT),
    ],
)
def test_codes_ask_for_different_things(code: int, trouble: Trouble) -> None:
    assert Refused(code).trouble is trouble


async def test_an_unreadable_answer_is_silence(provider: Provider, provider_side: Any) -> None:
    provider_side.exchange.change({"fail_next": 1, "fail_status": 429})
    with pytest.raises(Refused):
        await provider.send([Handover(1, "+989121234567", "سلام")])
    strange = Provider(url=provider_side.url + "/counters?", key="k", sender="1", timeout_s=0.5)
    with pytest.raises(Silent):
        await strange.send([Handover(1, "+989121234567", "سلام")])  # not open
    async with strange:
        with pytest.raises(Silent):
            await strange.send([Handover(1, "+989121234567", "سلام")])


def test_only_receipts_are_parsed_as_receipts() -> None:
    assert clients.parse_receipt({"messageid": "5", "status": "10"}) == clients.Report(5, 10)
    for form in ({}, {"messageid": "x", "status": "10"}, {"messageid": "5"}):
        assert clients.parse_receipt(form) is None
