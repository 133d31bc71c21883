"""Kafka door: fraud.screened, the road."""

from collections.abc import Sequence

from campaigns.awards import usecases
from campaigns.awards.usecases import Caches
from kit.base.db import Database, Tx
from kit.stream.consumer import Event


async def on_fraud_screened(tx: Tx, batch: Sequence[Event], *, caches: Caches) -> None:
    """The whole poll, undecodable records too."""
    await usecases.grant_awards(tx, batch, caches)


async def dependencies_missing(
    batch: Sequence[Event], *, caches: Caches, database: Database
) -> bool:
    """Whether the poll must wait: looks into the local tables only when memory lacks something."""
    if not usecases.lacks_facts(batch, caches):
        return False
    async with database.read() as tx:
        await usecases.refresh(tx, caches)
    return usecases.lacks_facts(batch, caches)


async def refuse(tx: Tx, event: Event, why: str) -> None:
    """One event whose handling failed for good."""
    await usecases.refuse_transaction(tx, event, why)
