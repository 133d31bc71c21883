"""Kafka door: merchants.programmes and merchants.terms into the local tables."""

from collections.abc import Sequence

from campaigns.programmes import usecases
from contracts.merchants import Programme, Terms
from kit.base.db import Tx
from kit.stream.consumer import Event


async def on_merchants_programmes(tx: Tx, batch: Sequence[Event]) -> None:
    """Keep versions of programmes; heartbeats are skipped."""
    programmes = [e.data for e in batch if e.envelope is not None and isinstance(e.data, Programme)]
    if programmes:
        await usecases.keep_programmes(tx, programmes)


async def on_merchants_terms(tx: Tx, batch: Sequence[Event]) -> None:
    """Keep versions of the network's terms; heartbeats are skipped."""
    terms = [e.data for e in batch if e.envelope is not None and isinstance(e.data, Terms)]
    if terms:
        await usecases.keep_terms(tx, terms)
