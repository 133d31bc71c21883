"""Days of terminals and merchants: the sums of names seen, and when they cross a threshold."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct

from contracts.fraud import NameSeen
from contracts.values import tehran_day
from fraud.rules.domain import Counted, Subject, Threshold

DayKey = tuple[Subject, int, date]  # a terminal's or merchant's number and a day of Tehran


class Daily(Struct, frozen=True, kw_only=True):
    """What a terminal or merchant sold and took in redemptions on a day of Tehran, in Rial."""

    sold_rial: int = 0
    redeemed_rial: int = 0


def added(seen: Iterable[NameSeen]) -> dict[DayKey, Daily]:
    """The sums that names seen add to days of Tehran, by accepted_at; zeros are left out."""
    sold: defaultdict[DayKey, int] = defaultdict(int)
    redeemed: defaultdict[DayKey, int] = defaultdict(int)
    for one in seen:
        if not (one.sold_rial or one.redeemed_rial):
            continue
        day = tehran_day(one.seen_at)
        for key in ((Subject.TERMINAL, one.terminal, day), (Subject.MERCHANT, one.merchant, day)):
            sold[key] += one.sold_rial
            redeemed[key] += one.redeemed_rial
    return {key: Daily(sold_rial=sold[key], redeemed_rial=redeemed[key]) for key in sorted(sold)}


def crossed(before: Daily, after: Daily, over: Subject, thresholds: Iterable[Threshold]) -> bool:
    """Whether a day has just risen above a threshold, or fallen back below it."""
    return any(
        (_of(before, one.counts) > one.rial) != (_of(after, one.counts) > one.rial)
        for one in thresholds
        if one.over is over
    )


def lowest(thresholds: Iterable[Threshold]) -> Mapping[tuple[Subject, Counted], int]:
    """The lowest threshold in Rial of each sum that any rule has one for."""
    limits: dict[tuple[Subject, Counted], int] = {}
    for threshold in thresholds:
        key = (threshold.over, threshold.counts)
        limits[key] = min(threshold.rial, limits.get(key, threshold.rial))
    return limits


def _of(daily: Daily, counts: Counted) -> int:
    return daily.sold_rial if counts is Counted.PURCHASES else daily.redeemed_rial
