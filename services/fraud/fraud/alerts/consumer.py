"""Kafka door of alerts: fraud.terminals, whose names are compared across shards."""

from collections.abc import Sequence

from contracts import topics
from contracts.fraud import NameSeen, TerminalsSeen
from fraud.alerts import usecases
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription


async def on_fraud_terminals(tx: Tx, batch: Sequence[Event]) -> None:
    """Names that terminals sent, in the order of their partitions."""
    polls: list[TerminalsSeen] = [event.data for event in batch]
    seen: list[NameSeen] = [one for poll in polls for one in poll.names]
    await usecases.raise_alerts(tx, seen)


FRAUD_TERMINALS = Subscription(
    topic=topics.FRAUD_TERMINALS, handle=on_fraud_terminals, decoders=topics.FRAUD_TERMINALS.events
)
