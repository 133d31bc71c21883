"""Kafka door of alerts and of days: fraud.terminals."""

from collections.abc import Sequence

import msgspec

from contracts import topics
from contracts.fraud import Sighting, TerminalSeen, TerminalsSeen
from fraud.alerts import usecases
from fraud.declines import usecases as declines
from fraud.sums import usecases as sums
from kit.consumer import Event, Subscription
from kit.db import Tx


async def on_fraud_terminals(tx: Tx, batch: Sequence[Event]) -> None:
    """Compare the names of a poll across shards, add them to their terminals' days, and find
    what was declined before it was decided."""
    seen = [one for event in batch for one in _sightings(event)]
    await usecases.raise_alerts(tx, seen)
    await sums.add_sightings(tx, seen)
    await declines.hear_sightings(tx, seen)


def _sightings(event: Event) -> tuple[Sighting, ...]:
    match event.data:
        case TerminalSeen() as seen:
            at = event.at if event.envelope is None else event.envelope.accepted_at
            return (Sighting(**msgspec.structs.asdict(seen), seen_at=at),)
        case other:
            many: TerminalsSeen = other
            return many.sightings


FRAUD_TERMINALS = Subscription(
    topic=topics.FRAUD_TERMINALS, handle=on_fraud_terminals, decoders=topics.FRAUD_TERMINALS.events
)
