"""Kafka door: ledger.entries, every outcome."""

from collections.abc import Sequence

from campaigns.first_purchase import usecases
from kit.base.db import Tx
from kit.stream.consumer import Event


async def on_ledger_entries(tx: Tx, batch: Sequence[Event]) -> None:
    """Outcomes of all kinds, in partition order."""
    await usecases.hear_outcomes(tx, batch)
