"""Kafka door: what merchants hears."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.ledger import Outcome
from kit.consumer import Event, Subscription
from kit.db import Tx
from merchants.domain.tallies import Heard
from merchants.usecases import party_standings, tallies


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Every outcome of the book, refusals too: counted into days, and answers that were asked."""
    await tallies.count_outcomes(tx, [_heard(event) for event in batch])
    await party_standings.hear_outcomes(tx, [(event.partition, event.data) for event in batch])


def _heard(event: Event) -> Heard:
    outcome: Outcome = event.data
    said = event.envelope
    if said is None:
        return Heard(event.partition, event.at, event.at, outcome)
    return Heard(event.partition, said.occurred_at, said.accepted_at, outcome)


SUBSCRIPTIONS: Final = (
    Subscription(
        topic=topics.LEDGER_ENTRIES,
        handle=on_ledger_entries,
        decoders={"outcome-recorded.v1": Outcome},
    ),
)
