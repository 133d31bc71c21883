from datetime import datetime

import pytest

from contracts import envelope, topics
from contracts.ledger import Outcome
from contracts.values import Kind, Status
from kit.base import errors
from kit.base.db import Tx
from kit.stream import consumer as kit_consumer
from members.balances import consumer, usecases
from members.balances.domain import Balance


def an_event(shard: int, sequence: int, now: datetime, **changes: object) -> kit_consumer.Event:
    fields = {
        "sequence": sequence,
        "name": f"t.10.1.{sequence}",
        "command": "post-transaction.v1",
        "status": Status.COMPLETED,
        "decided_at": now,
        "kind": Kind.PURCHASE,
        "account": 1_000_001,
        "member": 7,
        "balance_points": sequence * 10,
        "balance_credit_rial": sequence * 1000,
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


async def test_second_delivery_of_entries_changes_nothing(tx: Tx, now: datetime) -> None:
    batch = [
        an_event(5, 1, now),
        an_event(5, 2, now, kind=Kind.REDEMPTION),
        an_event(6, 1, now, account=1_000_002),
        an_event(5, 3, now, account=0, kind=None),
    ]
    await consumer.on_ledger_entries(tx, batch)
    first = await usecases.find_balance(tx, 1_000_001)
    assert first is not None
    assert first == Balance(1_000_001, 5, 2, 20, 2000, 2, now)
    await consumer.on_ledger_entries(tx, batch)
    await consumer.on_ledger_entries(tx, batch[:1])
    assert await usecases.find_balance(tx, 1_000_001) == first
    assert (await usecases.find_balance(tx, 1_000_002) or first).points == 10
    assert await usecases.find_balance(tx, 3) is None
    assert tx.messages == []


async def test_a_batch_without_accounts_is_read_over(tx: Tx, now: datetime) -> None:
    await consumer.on_ledger_entries(tx, [an_event(5, 1, now, account=0, kind=None)])
    assert await usecases.find_balance(tx, 1_000_001) is None


async def test_an_outcome_far_beyond_its_shards_numbers_freezes_no_balance(
    tx: Tx, now: datetime
) -> None:
    """One spoilt number would be kept until the shard came so far: years."""
    await consumer.on_ledger_entries(tx, [an_event(5, 1, now)])
    for spoilt in (an_event(5, 2**53 - 1, now), an_event(5, 100_002, now, account=0, kind=None)):
        with pytest.raises(errors.Invalid, match=r"shard 5: [0-9]+ after 1"):
            await consumer.on_ledger_entries(tx, [an_event(5, 1, now), spoilt])
    # between them are outcomes of other accounts: an account may rest for long
    for sequence in (100_001, 200_001):
        await consumer.on_ledger_entries(tx, [an_event(5, sequence, now, account=1_000_002)])
    await consumer.on_ledger_entries(tx, [an_event(5, 200_002, now)])
    balance = await usecases.find_balance(tx, 1_000_001)
    assert balance is not None
    assert (balance.sequence, balance.points, balance.transactions_count) == (200_002, 2_000_020, 2)


async def test_an_outcome_of_another_shard_is_not_the_accounts(tx: Tx, now: datetime) -> None:
    """Numbers of two shards do not compare: a higher one elsewhere would end the account's own."""
    await consumer.on_ledger_entries(tx, [an_event(5, 1, now)])
    await consumer.on_ledger_entries(tx, [an_event(6, 90_000, now), an_event(5, 2, now)])
    balance = await usecases.find_balance(tx, 1_000_001)
    assert balance is not None
    assert (balance.shard, balance.sequence, balance.points) == (5, 2, 20)


def test_every_event_of_the_topic_has_a_decoder() -> None:
    for subscription in (consumer.OUTCOMES,):
        assert dict(subscription.decoders) == dict(subscription.topic.events)
