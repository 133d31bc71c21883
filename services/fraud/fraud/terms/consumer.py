"""Kafka door: merchants.terms, by which the road values redemptions."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.merchants import Terms
from fraud.terms import store, usecases
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription


async def on_merchants_terms(tx: Tx, batch: Sequence[Event]) -> None:
    """Keep versions of the network's terms; heartbeats are skipped."""
    terms = [e.data for e in batch if e.envelope is not None and isinstance(e.data, Terms)]
    if terms:
        await usecases.keep_terms(tx, terms)


TERMS: Final = Subscription(
    topic=topics.MERCHANTS_TERMS, handle=on_merchants_terms, tables=(store.TERMS_TABLE,)
)
