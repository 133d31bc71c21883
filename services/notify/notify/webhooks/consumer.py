"""Kafka doors of webhooks: outcomes and disputes that merchants' programs are told of."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from contracts.merchants import DisputeChanged
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from notify.webhooks import usecases


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Queue the events of outcomes whose merchant has an endpoint."""
    outcomes: list[tuple[int, Outcome]] = [(event.partition, event.data) for event in batch]
    await usecases.queue_outcomes(tx, outcomes)


async def on_merchants_disputes(tx: Tx, batch: Sequence[Event]) -> None:
    """Queue the events of disputes for the merchants of both parties."""
    await usecases.queue_disputes(tx, [event.data for event in batch])


ENTRIES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
DISPUTES: Final = Subscription(
    topic=topics.MERCHANTS_DISPUTES,
    handle=on_merchants_disputes,
    decoders={"dispute-changed.v1": DisputeChanged},
)
