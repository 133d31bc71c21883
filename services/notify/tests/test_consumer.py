"""The Kafka door: every batch twice, contacts in any order, rows that wait for a contact."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.members import HoldingChange, HoldingChanged, IdentifierKind, ShownIdentifier
from contracts.merchants import Merchant
from contracts.topics import Topic
from contracts.values import Kind, Status
from kit.base.db import Tx
from kit.stream import consumer as consumer_of_kit
from kit.stream.consumer import Event
from notify.contacts import consumer as contacts_consumer
from notify.contacts import store as contacts
from notify.sms_queue import consumer, jobs, usecases
from notify.sms_queue.domain import State
from notify.titles import consumer as titles_consumer

from .conftest import RING

pytestmark = pytest.mark.NH16

PRICE = 1_180


async def _rows(tx: Tx) -> list[usecases.MessageView]:
    return await usecases.list_messages(tx, member=None, after=0, limit=200, ring=RING)


async def _record_outcomes(tx: Tx, make: Any, *outcomes: Any) -> None:
    batch = [make.entry_event(outcome) for outcome in outcomes]
    await consumer.on_ledger_entries(tx, batch, segment_price_rial=PRICE)


async def _keep(tx: Tx, make: Any, *changed: Any) -> None:
    await contacts_consumer.on_members_contacts(tx, [make.contact_event(c) for c in changed])


async def test_a_batch_that_is_handled_twice_queues_once(tx: Tx, samples: Any, make: Any) -> None:
    await _keep(tx, make, samples.contact(9), samples.contact(8, receipts=False))
    batch = (
        samples.outcome(9, lots=(make.lot(15),)),
        samples.outcome(8, lots=(make.lot(15),)),
        samples.outcome(9, Kind.REDEMPTION, moves=(make.move("redeemed", 5),)),
        samples.outcome(9, status=Status.DECLINED),
        samples.first_purchase(8),
    )
    for _ in range(2):
        await _record_outcomes(tx, make, *batch)
    rows = await _rows(tx)
    assert [(row.member, row.template, row.state) for row in rows] == [
        (9, "receipt-purchase", "queued"),
        (9, "value-spent", "queued"),
        (8, "first-purchase", "queued"),
    ]
    first = rows[0]
    assert first.text.startswith("پیوند: ۱۵ امتیاز گرفتید؛ مانده ۱۲۰ امتیاز")
    assert (first.segments, first.price_rial, first.cause) == (1, PRICE, "3.t.7.1.1")
    assert first.mobile == "0910***0009"
    assert tx.messages == []


async def test_a_text_names_the_shop_whose_titles_are_known(
    tx: Tx, samples: Any, make: Any
) -> None:
    titles = [
        Merchant(merchant=5, version=version, party=5, title_fa=f"نان {version}", title_en="Bread")
        for version in (2, 1)
    ]
    await _keep(tx, make, samples.contact(9, receipts=False))
    await titles_consumer.on_merchants_merchants(tx, [make.merchant_event(one) for one in titles])
    spent = (make.move("redeemed", 5),)
    for merchant in (5, 6):
        await _record_outcomes(
            tx, make, samples.outcome(9, Kind.REDEMPTION, merchant=merchant, moves=spent)
        )
    known, unknown = await _rows(tx)
    assert known.text.startswith("پیوند، نان 2: با ۵ امتیاز")
    assert unknown.text.startswith("پیوند: با ۵ امتیاز")


async def test_a_notice_goes_to_every_member_of_the_account_whatever_the_consents(
    tx: Tx, samples: Any, make: Any
) -> None:
    shop = Merchant(merchant=6, version=1, party=12, title_fa="نان", title_en="Bread")
    later = Merchant(merchant=9, version=1, party=12, title_fa="شعبه", title_en="Branch")
    await titles_consumer.on_merchants_merchants(
        tx, [make.merchant_event(s) for s in (later, shop)]
    )
    await _keep(tx, make, samples.contact(9, receipts=False))
    notices = [
        HoldingChanged(
            notice="n-1",
            member=member,
            account=samples.contact(9).account,
            change=HoldingChange.ADDED,
            identifiers=(ShownIdentifier(kind=IdentifierKind.CARD, last4="5670"),),
            at=datetime(2026, 3, 21, 8, 0, tzinfo=UTC),
            party=12,
        )
        for member in (9, 7)
    ]
    for _ in range(2):
        events = [make.notice_event(one) for one in notices]
        await consumer.on_members_notices(tx, events, segment_price_rial=PRICE, support="0211234")
    queued, waiting = await _rows(tx)
    assert (queued.member, queued.state, queued.template) == (9, "queued", "identifier-added")
    assert queued.text.startswith("پیوند، نان: کارت …۵۶۷۰ در ۱ فروردین ساعت ۱۱:۳۰")
    assert "۰۲۱۱۲۳۴" in queued.text
    assert (waiting.member, waiting.state, waiting.text) == (7, "waiting", "")
    await _keep(tx, make, samples.contact(7, receipts=False, locale="en"))
    assert await usecases.address_waiting(tx, segment_price_rial=PRICE) == 1
    assert (await _rows(tx))[1].text.startswith("Peyvand, Bread: card ending 5670 added")


async def test_one_outcome_twice_in_a_batch_queues_once(tx: Tx, samples: Any, make: Any) -> None:
    await _keep(tx, make, samples.contact(9))
    outcome = samples.outcome(9)
    await _record_outcomes(tx, make, outcome, outcome)
    assert len(await _rows(tx)) == 1


async def test_contacts_only_get_newer_and_a_tombstone_erases(
    tx: Tx, samples: Any, make: Any
) -> None:
    old, new = samples.contact(9, version=1), samples.contact(9, version=3, locale="en")
    await _keep(tx, make, new, old)
    await _keep(tx, make, samples.contact(9, version=2))
    kept = await contacts.find_contacts(tx, members=[9], accounts=[])
    assert kept == {9: new}
    for _ in range(2):
        await contacts_consumer.on_members_contacts(
            tx, [make.contact_event(new), make.tombstone(9)]
        )
        assert await contacts.find_contacts(tx, members=[9], accounts=[]) == {}
    await contacts_consumer.on_members_contacts(tx, [make.tombstone(9), make.contact_event(new)])
    assert await contacts.find_contacts(tx, members=[9], accounts=[]) == {9: new}


async def test_the_table_is_the_topic_again_after_a_rebuild(
    tx: Tx, samples: Any, make: Any
) -> None:
    events = [make.contact_event(samples.contact(n, version=v)) for n in (1, 2, 3) for v in (1, 2)]
    events.append(make.tombstone(2))
    await contacts_consumer.on_members_contacts(tx, events)
    before = await contacts.find_contacts(tx, members=[1, 2, 3], accounts=[])
    await contacts.delete_contacts(tx, [1, 2, 3])
    for event in events:
        await contacts_consumer.on_members_contacts(tx, [event])
    assert await contacts.find_contacts(tx, members=[1, 2, 3], accounts=[]) == before
    assert sorted(before) == [1, 3]


async def test_a_message_waits_for_its_contact(tx: Tx, samples: Any, make: Any) -> None:
    bought, credit = samples.outcome(9, lots=(make.lot(15),)), samples.first_purchase(9)
    lonely = samples.outcome(7)
    for _ in range(2):
        await _record_outcomes(tx, make, bought, credit, lonely)
    rows = await _rows(tx)
    assert [row.state for row in rows] == ["waiting"] * 3
    assert await usecases.address_waiting(tx, segment_price_rial=PRICE) == 0
    await _keep(tx, make, samples.contact(9, receipts=False, locale="en"))
    assert await usecases.address_waiting(tx, segment_price_rial=PRICE) == 2
    receipt, news, other = await _rows(tx)
    assert (receipt.state, receipt.text) == ("suppressed", "")
    assert (news.state, news.locale, news.segments) == ("queued", "en", 1)
    assert news.text.startswith("Peyvand: 50,000 Toman gift credit")
    assert other.state == "waiting"
    await _record_outcomes(tx, make, bought, credit, lonely)
    assert len(await _rows(tx)) == 3


async def test_a_review_outcome_without_a_member_reaches_the_accounts_first(
    tx: Tx, samples: Any, make: Any
) -> None:
    early = samples.outcome(0, account=77, command="release-pending.v1", name="v.c-1")
    await _record_outcomes(tx, make, early)
    await _keep(tx, make, samples.contact(6, account=77), samples.contact(5, account=77))
    assert await usecases.address_waiting(tx, segment_price_rial=PRICE) == 1
    gone = (make.move("cancelled", 4),)
    late = samples.outcome(0, account=77, command="cancel-pending.v1", name="v.c-2", moves=gone)
    for _ in range(2):
        await _record_outcomes(tx, make, early, late)
    rows = await _rows(tx)
    assert [(row.member, row.template, row.state) for row in rows] == [
        (5, "points-released", "queued"),
        (5, "points-cancelled", "queued"),
    ]


async def test_a_message_that_is_too_old_ends_with_its_reason(
    tx: Tx, samples: Any, make: Any, at: Any
) -> None:
    await _keep(tx, make, samples.contact(9))
    await _record_outcomes(
        tx, make, samples.outcome(9), samples.outcome(7), samples.first_purchase(9)
    )
    assert await usecases.expire_messages(tx, now=at.at) == 0
    assert await usecases.expire_messages(tx, now=at.at + timedelta(days=7)) == 2
    assert [row.state for row in await _rows(tx)] == ["expired", "no-contact", "queued"]
    assert await usecases.expire_messages(tx, now=at.at + timedelta(days=7)) == 0


async def test_the_clock_door_settles_waiting_messages(
    pool: Any, samples: Any, make: Any, at: Any
) -> None:
    async with pool.transaction() as tx:
        await _record_outcomes(tx, make, samples.outcome(9), samples.outcome(7))
        await _keep(tx, make, samples.contact(9))
    await jobs.settle(pool, at, segment_price_rial=PRICE)
    at.at += timedelta(days=7)
    await jobs.settle(pool, at, segment_price_rial=PRICE)
    async with pool.read() as tx:
        assert await usecases.count_messages(tx) == {"expired": 1, "no-contact": 1}
    assert State.NO_CONTACT == "no-contact"


async def test_every_golden_example_that_is_handled_twice_queues_once(tx: Tx) -> None:
    def events(topic: Topic) -> list[Event]:
        folder = Path(__file__).parents[3] / "contracts" / "examples" / topic.name
        envelopes = [
            envelope.decode(path.read_bytes(), dict(topic.events))
            for path in sorted(folder.glob("*.json"))
        ]
        assert envelopes
        return [consumer_of_kit.event(topic, one, partition=1) for one in envelopes]

    queued: list[int] = []
    for _ in range(2):
        await contacts_consumer.on_members_contacts(tx, events(topics.MEMBERS_CONTACTS))
        await consumer.on_ledger_entries(
            tx, events(topics.LEDGER_ENTRIES), segment_price_rial=PRICE
        )
        notices = events(topics.MEMBERS_NOTICES)
        await consumer.on_members_notices(tx, notices, segment_price_rial=PRICE)
        queued.append(len(await _rows(tx)))
    assert queued[0] == queued[1]


@pytest.mark.parametrize("spoilt", ["facts = '[7]'", "template = 'from-tomorrow'"])
async def test_a_stored_message_that_does_not_read_has_failed_and_holds_up_no_other(
    tx: Tx, samples: Any, make: Any, spoilt: str
) -> None:
    for member in (7, 8, 9):
        await _record_outcomes(tx, make, samples.first_purchase(member))
    await tx.execute(f"update messages set {spoilt} where member = 8")  # pyright: ignore
    await _keep(tx, make, *[samples.contact(member) for member in (7, 8, 9)])
    assert await usecases.address_waiting(tx, segment_price_rial=PRICE) == 3
    assert [row.state for row in await _rows(tx)] == ["queued", "failed", "queued"]
    assert (await _rows(tx))[1].reason == "unreadable"
    assert await usecases.address_waiting(tx, segment_price_rial=PRICE) == 0


async def test_a_message_that_commits_late_is_in_a_page_or_after_it(
    pool: Any, samples: Any, make: Any
) -> None:
    async def page() -> list[int]:
        async with pool.read() as tx:
            return [row.member for row in await _rows(tx)]

    async with pool.transaction() as late:
        await _record_outcomes(late, make, samples.first_purchase(7))
        async with pool.transaction() as early:
            await _record_outcomes(early, make, samples.first_purchase(8))
        reading = asyncio.ensure_future(page())
        await asyncio.wait([reading], timeout=0.3)
    assert await reading == [7, 8]
