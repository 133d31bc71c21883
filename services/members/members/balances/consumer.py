"""Kafka door: ledger.entries into balances for reading."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from members.balances import store, usecases
from members.balances.domain import RecordedOutcome


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Apply the ledger's outcomes, refusals too."""
    await usecases.apply_outcomes(tx, [_recorded(event) for event in batch])


def _recorded(event: Event) -> RecordedOutcome:
    outcome: Outcome = event.data
    at = event.at if event.envelope is None else event.envelope.occurred_at
    return RecordedOutcome(event.partition, at, outcome)


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
    tables=(store.BALANCES, store.PROGRESS),
)
