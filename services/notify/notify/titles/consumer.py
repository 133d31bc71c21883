"""Kafka door of titles."""

from collections.abc import Sequence
from typing import Final

from contracts import topics
from contracts.merchants import Merchant
from kit.base.db import Tx
from kit.stream.consumer import Event, Subscription
from notify.titles import store, usecases


async def on_merchants_merchants(tx: Tx, batch: Sequence[Event]) -> None:
    """Keep the titles of merchants, the newest of each."""
    merchants = [e.data for e in batch if e.envelope is not None and isinstance(e.data, Merchant)]
    await usecases.keep_titles(tx, merchants)


MERCHANTS: Final = Subscription(
    topic=topics.MERCHANTS_MERCHANTS, handle=on_merchants_merchants, tables=(store.TITLES,)
)
