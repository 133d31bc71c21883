"""Kafka door of daily totals: ledger.entries."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from merchants.daily_totals import usecases
from merchants.daily_totals.domain import RecordedOutcome


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Count the ledger's outcomes, refusals too."""
    await usecases.count_outcomes(tx, [_recorded(event) for event in batch])


def _recorded(event: Event) -> RecordedOutcome:
    outcome: Outcome = event.data
    envelope = event.envelope
    if envelope is None:
        return RecordedOutcome(event.partition, event.at, event.at, outcome)
    return RecordedOutcome(event.partition, envelope.occurred_at, envelope.accepted_at, outcome)


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
