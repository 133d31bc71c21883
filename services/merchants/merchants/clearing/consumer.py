"""Kafka door of clearing: ledger.entries."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from merchants.clearing import usecases


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Count the ledger's outcomes into windows, and close what their markers end."""
    await usecases.count_outcomes(tx, [(event.partition, event.data) for event in batch])


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
