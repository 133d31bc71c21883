"""Kafka door of cases: ledger.entries."""

from collections.abc import Sequence

from contracts import topics
from contracts.ledger import Outcome
from fraud.cases import usecases
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Outcomes of earnings under review, and of reviewers' decisions about them."""
    outcomes: list[tuple[int, Outcome]] = [(event.partition, event.data) for event in batch]
    await usecases.record_outcomes(tx, outcomes)


LEDGER_ENTRIES = Subscription(
    topic=topics.LEDGER_ENTRIES, handle=on_ledger_entries, decoders=topics.LEDGER_ENTRIES.events
)
