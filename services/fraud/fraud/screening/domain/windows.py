"""Exact windows: the events of one key in event time, how they are counted and kept."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple, assert_never

from fraud.rules.domain import EVENTS_MAX, Counted, Measure, Window

SECOND: Final = 1_000_000  # times are microseconds since the epoch
DAY: Final = 86_400 * SECOND
LATENESS: Final = 3_600 * SECOND  # an event this much older than its key's newest is still exact


MICROS: Final = {
    Window.TEN_MINUTES: 600 * SECOND,
    Window.HOUR: 3_600 * SECOND,
    Window.DAY: DAY,
}


class Series:
    """Events of one key and kind in event time; changed in place while a batch is screened."""

    __slots__ = ("amounts", "ats", "merchants")

    def __init__(self, ats: list[int], amounts: list[int], merchants: list[int]) -> None:
        self.ats = ats
        self.amounts = amounts
        self.merchants = merchants


Windows = list[Series]  # of one key: purchases, redemptions, undos
PURCHASES: Final = 0
REDEMPTIONS: Final = 1
UNDOS: Final = 2
SERIES: Final = {  # which of them a rule counts
    Counted.SALES: (PURCHASES, REDEMPTIONS),
    Counted.PURCHASES: (PURCHASES,),
    Counted.REDEMPTIONS: (REDEMPTIONS,),
    Counted.UNDOS: (UNDOS,),
}
_NONE: Final = Series([], [], [])  # most keys have no redemption and no undo: never inserted into


def empty() -> Windows:
    """The windows of a new key."""
    return [_NONE, _NONE, _NONE]


def pack(known: Windows) -> bytes:
    """Windows as int64: three lengths, then of each series times (us), amounts, merchants."""
    numbers = [len(series.ats) for series in known]
    for series in known:
        if series.ats:
            numbers += series.ats
            numbers += series.amounts
            numbers += series.merchants
    return array("q", numbers).tobytes()


def unpack(packed: bytes) -> Windows:
    """The windows that pack made these bytes of. Raises ValueError for other bytes."""
    numbers = array("q", packed).tolist()
    known: Windows = []
    start = 3
    for n in numbers[:3]:
        if n:
            middle, last, end = start + n, start + 2 * n, start + 3 * n
            known.append(Series(numbers[start:middle], numbers[middle:last], numbers[last:end]))
            start = end
        else:
            known.append(_NONE)
    if len(numbers) < 3 or start != len(numbers):
        raise ValueError("these are no windows")
    return known


def insert(known: Windows, which: int, at: int, amount_rial: int, merchant: int) -> None:
    """Put an event at its place in event time; a late one goes before its later neighbours."""
    series = known[which]
    if series is _NONE:
        known[which] = Series([at], [amount_rial], [merchant])
        return
    place = bisect_right(series.ats, at)
    series.ats.insert(place, at)
    series.amounts.insert(place, amount_rial)
    series.merchants.insert(place, merchant)


def withdraw(known: Windows, which: int, at: int) -> None:
    """Take the event that was inserted last at that time out again."""
    _remove(known, which, bisect_right(known[which].ats, at) - 1)


def void(known: Windows, which: int, at: int) -> None:
    """Leave the event that was inserted last at that time as an attempt, worth 0 Rial."""
    series = known[which]
    series.amounts[bisect_right(series.ats, at) - 1] = 0


class Gone(NamedTuple):
    """An event to be taken out of windows, as they keep it; at: microseconds.

    attempt: the event stays, and only its Rial are taken out.
    """

    which: int
    at: int
    amount_rial: int
    merchant: int
    attempt: bool


def take_out(known: Windows, gone: Gone) -> None:
    """Take out an event that was counted in an earlier poll; if it was pruned, do nothing.

    Events with equal time, amount and merchant are interchangeable, so any of them is taken.
    """
    series = known[gone.which]
    for place in range(bisect_left(series.ats, gone.at), bisect_right(series.ats, gone.at)):
        if (series.amounts[place], series.merchants[place]) == (gone.amount_rial, gone.merchant):
            if gone.attempt:
                series.amounts[place] = 0
            else:
                _remove(known, gone.which, place)
            return


def _remove(known: Windows, which: int, place: int) -> None:
    series = known[which]
    del series.ats[place], series.amounts[place], series.merchants[place]
    if not series.ats:
        known[which] = _NONE


def prune(known: Windows, which: int) -> None:
    """Forget events older than a day and LATENESS before the newest; keep at most EVENTS_MAX.

    So windows are exact for events at most LATENESS older than the newest of their series. For
    older events, and in windows of over EVENTS_MAX events, they are lower bounds.
    Source: fraud reference 3.3.
    """
    series = known[which]
    ats = series.ats
    gone = bisect_right(ats, ats[-1] - DAY - LATENESS) if ats else 0
    gone = max(gone, len(ats) - EVENTS_MAX)
    if gone > 0:
        del ats[:gone], series.amounts[:gone], series.merchants[:gone]


def count(series: Series, since: int, until: int) -> int:
    """How many events known by now lie in (since, until]."""
    return bisect_right(series.ats, until) - bisect_right(series.ats, since)


def sum_rial(series: Series, since: int, until: int) -> int:
    """Their amounts, in Rial."""
    low, high = bisect_right(series.ats, since), bisect_right(series.ats, until)
    return sum(series.amounts[low:high])


def merchants(series: Series, since: int, until: int) -> set[int]:
    """The merchants they happened at."""
    low, high = bisect_right(series.ats, since), bisect_right(series.ats, until)
    return set(series.merchants[low:high])


Value = Callable[[Windows, int], int]


def value_of(counted: Counted, measure: Measure, window: Window) -> Value:
    """The function that gives a measure over (at - window, at], of windows and at (us).

    Built once for each rule, so that the road does not repeat the look-up.
    """
    which, span = SERIES[counted], MICROS[window]
    match measure:
        case Measure.COUNT:
            return lambda known, at: sum([count(known[i], at - span, at) for i in which])
        case Measure.SUM_RIAL:
            return lambda known, at: sum([sum_rial(known[i], at - span, at) for i in which])
        case Measure.MERCHANTS:
            return lambda known, at: len(
                set[int]().union(*[merchants(known[i], at - span, at) for i in which])
            )
        case _:
            assert_never(measure)
