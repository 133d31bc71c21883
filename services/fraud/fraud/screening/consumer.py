"""Kafka door: pos.transactions, the road."""

from collections.abc import Sequence

from contracts import topics
from fraud.screening import usecases
from fraud.screening.usecases import Desk
from kit.base.db import Tx
from kit.stream.consumer import Event, Poison, Subscription


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
