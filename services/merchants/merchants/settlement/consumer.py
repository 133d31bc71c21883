"""Kafka door of settlement: the ledger's answers to bookings."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from merchants.settlement.usecases import settlements


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Record the answers among the ledger's outcomes."""
    await settlements.record_outcomes(tx, [(event.partition, event.data) for event in batch])


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
