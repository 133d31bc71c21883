"""Kafka doors of declines: ledger.entries, and the names on fraud.terminals."""

from collections.abc import Sequence

from contracts import topics
from contracts.fraud import NameSeen, TerminalsSeen
from contracts.ledger import Outcome
from fraud.declines import usecases
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription


async def on_fraud_terminals(tx: Tx, batch: Sequence[Event]) -> None:
    """Names that terminals sent, in the order of their partitions."""
    polls: list[TerminalsSeen] = [event.data for event in batch]
    seen: list[NameSeen] = [one for poll in polls for one in poll.names]
    await usecases.take_out_early(tx, seen)


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Take declined transactions out of their windows and days."""
    outcomes: list[tuple[int, Outcome]] = [(event.partition, event.data) for event in batch]
    await usecases.record_outcomes(tx, outcomes)


FRAUD_TERMINALS = Subscription(
    topic=topics.FRAUD_TERMINALS, handle=on_fraud_terminals, decoders=topics.FRAUD_TERMINALS.events
)
LEDGER_ENTRIES = Subscription(
    topic=topics.LEDGER_ENTRIES, handle=on_ledger_entries, decoders=topics.LEDGER_ENTRIES.events
)
