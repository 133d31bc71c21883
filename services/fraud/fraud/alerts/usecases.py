"""The verbs of alerts: compare names seen, forget old ones."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.fraud import NameSeen
from fraud.alerts import domain, store
from kit.base import telemetry
from kit.base.db import Tx
from kit.base.telemetry import Metric


async def raise_alerts(tx: Tx, seen: Sequence[NameSeen]) -> None:
    """Remember names seen, in order of arrival, and raise each name that two shards saw, once."""
    await store.insert_names_seen(tx, seen)
    shared = await store.find_shared_names(tx, [one.name for one in seen])
    if shared:
        for kind in await store.insert_alerts(tx, domain.alerts(shared)):
            telemetry.count(Metric.ALARMS, kind)


async def list_alerts(tx: Tx, *, after: int, limit: int) -> list[domain.Alert]:
    """Alerts raised after a number, oldest first."""
    return await store.list_alerts(tx, after, limit)


async def prune_names_seen(tx: Tx, *, now: datetime, days: int, limit: int) -> int:
    """Forget names seen longer ago than so many days; gives how many."""
    return await store.delete_names_seen(tx, now - timedelta(days=days), limit)
