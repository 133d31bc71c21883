"""Kafka door: pos.transactions, the road."""

from collections.abc import Sequence

from contracts import topics
from fraud.screening import usecases
from fraud.screening.usecases import ScreeningState
from kit.base.db import Tx
from kit.stream.consumer import Event, Poison, Subscription


async def on_pos_transactions(state: ScreeningState, tx: Tx, batch: Sequence[Event]) -> None:
    """Screen a poll; unreadable records are among it."""
    await usecases.screen_transactions(tx, state, batch)


def road(state: ScreeningState) -> Subscription:
    """What the road's consumer reads."""

    async def handle(tx: Tx, batch: Sequence[Event]) -> None:
        await on_pos_transactions(state, tx, batch)

    return Subscription(
        topic=topics.POS_TRANSACTIONS,
        handle=handle,
        decoders=topics.POS_TRANSACTIONS.events,
        poison=Poison.PASS,
        refuse=usecases.refuse_record,
    )
