"""Kafka door: ledger.entries into balances for reading."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from members.balances import usecases
from members.balances.domain import Heard


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Every outcome of the ledger, refusals too."""
    await usecases.follow_outcomes(tx, [_heard(event) for event in batch])


def _heard(event: Event) -> Heard:
    outcome: Outcome = event.data
    at = event.at if event.envelope is None else event.envelope.occurred_at
    return Heard(event.partition, at, outcome)


OUTCOMES: Final = Subscription(
    topic=topics.LEDGER_ENTRIES,
    handle=on_ledger_entries,
    decoders={"outcome-recorded.v1": Outcome},
)
