"""The verbs of alerts: compare sightings, forget old ones."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.fraud import Sighting
from fraud.alerts import domain, store
from kit.base import telemetry
from kit.base.db import Tx
from kit.base.telemetry import Metric


async def raise_alerts(tx: Tx, seen: Sequence[Sighting]) -> None:
    """Remember sightings, in order of arrival, and raise each name that two shards saw, once."""
    await store.insert_sightings(tx, seen)
    shared = await store.find_shared_names(tx, [sighting.name for sighting in seen])
    if shared:
        for kind in await store.insert_alerts(tx, domain.alerts(shared)):
            telemetry.count(Metric.ALARMS, kind)


async def list_alerts(tx: Tx, *, after: int, limit: int) -> list[domain.Alert]:
    """Alerts raised after a number, oldest first."""
    return await store.list_alerts(tx, after, limit)


async def prune_sightings(tx: Tx, *, now: datetime, days: int, limit: int) -> int:
    """Forget sightings older than so many days; gives how many."""
    return await store.delete_sightings(tx, now - timedelta(days=days), limit)
