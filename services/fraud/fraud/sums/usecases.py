"""The verbs of days: add names seen, announce days that crossed a threshold, prune."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from contracts.fraud import NameSeen
from contracts.values import tehran_day
from fraud.rules import usecases as rules
from fraud.sums import domain, store
from fraud.sums.domain import Daily, DayKey
from kit.base.db import Tx


async def add_names_seen(tx: Tx, seen: Sequence[NameSeen]) -> None:
    """Add sales to the days of their terminals and merchants; the road reads crossed days again.

    So the road knows a day as soon as fraud.terminals has been read: usually some hundred ms late,
    at worst as late as the stream. Until a day crosses a threshold it costs the road nothing.
    """
    await _add(tx, domain.added(seen))


async def take_back(tx: Tx, seen: Sequence[NameSeen]) -> None:
    """Subtract sales that the network declined, before or after they were added."""
    parts = domain.added(seen)
    await _add(tx, {key: _less(Daily(), part) for key, part in parts.items()})


async def _add(tx: Tx, parts: Mapping[DayKey, Daily]) -> None:
    if not parts:
        return
    thresholds = await rules.find_thresholds(tx)
    now = await store.upsert_sums(tx, parts)
    if any(
        domain.crossed(_less(now[key], part), now[key], key[0], thresholds)
        for key, part in parts.items()
    ):
        await rules.announce_change(tx)


async def find_large(tx: Tx) -> dict[DayKey, Daily]:
    """Recent days above any rule's threshold, for the road."""
    return await store.find_large(tx, domain.lowest(await rules.find_thresholds(tx)))


async def prune_sums(tx: Tx, *, now: datetime, days: int, limit: int) -> int:
    """Forget days older than so many; gives how many rows."""
    return await store.delete_sums(tx, tehran_day(now - timedelta(days=days)), limit)


def _less(now: Daily, part: Daily) -> Daily:
    return Daily(
        sold_rial=now.sold_rial - part.sold_rial,
        redeemed_rial=now.redeemed_rial - part.redeemed_rial,
    )
