"""Kafka door: ledger.entries, for the ledger's answers to adjustments."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from members.adjustments import usecases


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Record the answers among the ledger's outcomes."""
    await usecases.record_answers(tx, [(event.partition, event.data) for event in batch])


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
