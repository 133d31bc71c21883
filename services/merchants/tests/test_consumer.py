from datetime import UTC, date, datetime

from contracts import envelope, topics
from contracts.ledger import LotIssued, Outcome
from contracts.values import Kind, Status, Unit
from kit.base.db import Tx
from kit.stream import consumer as kit_consumer
from merchants.clearing import consumer as clearing
from merchants.daily_totals import consumer, usecases
from merchants.daily_totals.domain import DailyTotals
from merchants.parties import usecases as parties
from merchants.parties.domain import Merchant

DAY = date(2026, 3, 21)
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)


def an_event(shard: int, sequence: int, now: datetime, **changes: object) -> kit_consumer.Event:
    fields = {
        "sequence": sequence,
        "name": f"t.10.1.{sequence}",
        "command": "post-transaction.v1",
        "status": Status.COMPLETED,
        "decided_at": now,
        "kind": Kind.PURCHASE,
        "merchant": 5,
        "amount_rial": 2**53 - 1,
        "lots": (
            LotIssued(
                lot=1,
                unit=Unit.NETWORK_POINTS,
                amount=12,
                cost_rial=1,
                issuer=2,
                funder=2,
                rule="base",
                available_from=now,
            ),
        ),
    }
    entry = envelope.Envelope(
        id=envelope.derive_id(f"{shard}.{sequence}", "outcome"),
        type="outcome-recorded.v1",
        key="1000001",
        occurred_at=now,
        accepted_at=now,
        data=Outcome(**(fields | changes)),  # type: ignore[arg-type]
    )
    return kit_consumer.event(topics.LEDGER_ENTRIES, entry, partition=shard, offset=sequence)


async def days(tx: Tx) -> list[DailyTotals]:
    return await usecases.list_days(tx, 5, DAY, DAY, limit=10)


async def arrange(tx: Tx) -> None:
    await parties.register_merchant(tx, Merchant(5, 1, "bakery", "نان", "Bread"), now=NOW)
    tx.take_messages()


async def test_second_delivery_of_entries_changes_nothing(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    batch = [an_event(0, 1, now), an_event(0, 2, now), an_event(7, 1, now)]
    await consumer.on_ledger_entries(tx, batch)
    first = await days(tx)
    assert first == [
        DailyTotals(
            merchant=5,
            day=DAY,
            transactions_count=3,
            amount_rial=3 * (2**53 - 1),
            earned_points=36,
        )
    ]
    await consumer.on_ledger_entries(tx, batch)
    assert await days(tx) == first
    assert tx.messages == []


async def test_a_batch_that_overlaps_adds_only_its_new_part(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    await consumer.on_ledger_entries(tx, [an_event(0, 1, now), an_event(0, 2, now)])
    await consumer.on_ledger_entries(tx, [an_event(0, 2, now), an_event(0, 3, now)])
    assert (await days(tx))[0].transactions_count == 3


async def test_outcomes_without_a_merchant_move_only_the_progress(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    await consumer.on_ledger_entries(tx, [an_event(0, 1, now, merchant=0, kind=None)])
    assert await days(tx) == []
    await consumer.on_ledger_entries(tx, [an_event(0, 1, now)])
    assert await days(tx) == []


def test_every_event_of_the_topic_has_a_decoder() -> None:
    for subscription in (consumer.OUTCOMES, clearing.OUTCOMES):
        assert dict(subscription.decoders) == dict(subscription.topic.events)
