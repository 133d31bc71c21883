"""Kafka door of the road: pos.transactions, and the terms it values redemptions by."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.merchants import Terms
from fraud import usecases
from fraud.usecases import Desk
from kit.consumer import Event, Poison, Subscription
from kit.db import Tx

ROAD_GROUP: Final = "fraud-road"
STATE_GROUP: Final = "fraud-state"


async def on_pos_transactions(desk: Desk, tx: Tx, batch: Sequence[Event]) -> None:
    """Screen a poll; unreadable records are among it."""
    await usecases.screen_transactions(tx, desk, batch)


def road(desk: Desk) -> Subscription:
    """What the road's consumer reads."""

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        await on_pos_transactions(desk, tx, batch)

    return Subscription(
        topic=topics.POS_TRANSACTIONS,
        handle=handle,
        decoders=topics.POS_TRANSACTIONS.events,
        poison=Poison.PASS,
        refuse=usecases.refuse_record,
    )


async def on_merchants_terms(tx: Tx, batch: Sequence[Event]) -> None:
    """Versions of the network's terms; heartbeats say nothing here."""
    heard = [e.data for e in batch if e.envelope is not None and isinstance(e.data, Terms)]
    if heard:
        await usecases.keep_terms(tx, heard)


MERCHANTS_TERMS = Subscription(topic=topics.MERCHANTS_TERMS, handle=on_merchants_terms)
