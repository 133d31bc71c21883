"""Kafka door of alerts: fraud.terminals."""

from collections.abc import Sequence

from contracts import topics
from contracts.fraud import TerminalSeen
from fraud.alerts import usecases
from fraud.alerts.domain import Sighting
from kit.consumer import Event, Subscription
from kit.db import Tx


async def on_fraud_terminals(tx: Tx, batch: Sequence[Event]) -> None:
    """Compare the names of a poll across shards."""
    sightings: list[Sighting] = []
    for event in batch:
        seen: TerminalSeen = event.data
        at = event.at if event.envelope is None else event.envelope.accepted_at
        sightings.append(
            Sighting(
                name=seen.name,
                terminal=seen.terminal,
                merchant=seen.merchant,
                shard=seen.shard,
                account=seen.account,
                fingerprint=seen.fingerprint,
                seen_at=at,
            )
        )
    await usecases.raise_alerts(tx, sightings)


FRAUD_TERMINALS = Subscription(
    topic=topics.FRAUD_TERMINALS, handle=on_fraud_terminals, decoders=topics.FRAUD_TERMINALS.events
)
