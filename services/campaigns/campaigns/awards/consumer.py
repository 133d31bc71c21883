"""Kafka door: fraud.screened, the road."""

from collections.abc import Sequence

from campaigns.awards import usecases
from campaigns.awards.usecases import Shelves
from kit.base.db import Database, Tx
from kit.stream.consumer import Event


async def on_fraud_screened(tx: Tx, batch: Sequence[Event], *, shelves: Shelves) -> None:
    """The whole poll, undecodable records too."""
    await usecases.grant_awards(tx, batch, shelves)


async def dependencies_missing(
    batch: Sequence[Event], *, shelves: Shelves, database: Database
) -> bool:
    """Whether the poll must wait: looks into the local tables only when memory lacks something."""
    if not usecases.lacks_facts(batch, shelves):
        return False
    async with database.read() as tx:
        await usecases.refresh(tx, shelves)
    return usecases.lacks_facts(batch, shelves)


async def refuse(tx: Tx, event: Event, why: str) -> None:
    """One event whose handling failed for good."""
    await usecases.refuse_transaction(tx, event, why)
