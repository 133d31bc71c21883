"""Kafka door: ledger.entries into merchants' days."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from merchants.daily_totals import usecases
from merchants.daily_totals.domain import Heard


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Every outcome of the ledger, refusals too."""
    await usecases.count_outcomes(tx, [_heard(event) for event in batch])


def _heard(event: Event) -> Heard:
    outcome: Outcome = event.data
    said = event.envelope
    if said is None:
        return Heard(event.partition, event.at, event.at, outcome)
    return Heard(event.partition, said.occurred_at, said.accepted_at, outcome)


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
