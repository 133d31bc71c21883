"""Exact windows: the events of one key in event time, how they are counted and kept."""

from array import array
from bisect import bisect_right
from enum import StrEnum
from typing import Final, assert_never

SECOND: Final = 1_000_000  # times are microseconds since the epoch
DAY: Final = 86_400 * SECOND
LATENESS: Final = 3_600 * SECOND  # an event this much older than its key's newest is still exact
EVENTS_MAX: Final = 512  # kept of one key and series; beyond it the oldest are forgotten


class Subject(StrEnum):
    """Whose events a window counts."""

    ACCOUNT = "account"
    CARD = "card"  # one identifier: a card, a mobile number, a QR


class Counted(StrEnum):
    """Which of them. Undos (refunds, reversals) are a series of their own."""

    SALES = "sales"  # purchases and redemptions
    PURCHASES = "purchases"
    REDEMPTIONS = "redemptions"
    UNDOS = "undos"


class Measure(StrEnum):
    """What is made of them."""

    COUNT = "count"
    SUM_RIAL = "sum_rial"
    MERCHANTS = "merchants"  # distinct ones


class Window(StrEnum):
    """How far back, in event time: (t - window, t], the event at t included."""

    TEN_MINUTES = "10m"
    HOUR = "1h"
    DAY = "1d"


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


class Windows:
    """The three series of one key."""

    __slots__ = ("purchases", "redemptions", "undos")

    def __init__(self, purchases: Series, redemptions: Series, undos: Series) -> None:
        self.purchases = purchases
        self.redemptions = redemptions
        self.undos = undos

    def of(self, counted: Counted) -> tuple[Series, ...]:
        """The series that a rule counts."""
        match counted:
            case Counted.SALES:
                return (self.purchases, self.redemptions)
            case Counted.PURCHASES:
                return (self.purchases,)
            case Counted.REDEMPTIONS:
                return (self.redemptions,)
            case Counted.UNDOS:
                return (self.undos,)
            case _:
                assert_never(counted)


def empty() -> Windows:
    """The windows of a key that nothing was seen of."""
    return Windows(unpack(b""), unpack(b""), unpack(b""))


def pack(series: Series) -> bytes:
    """Bytes of a series: all times (microseconds), all amounts (Rial), all merchants; int64."""
    if not series.ats:
        return b""
    return array("q", series.ats + series.amounts + series.merchants).tobytes()


def unpack(packed: bytes) -> Series:
    """The series that pack made these bytes of."""
    if not packed:
        return Series([], [], [])
    values = array("q", packed).tolist()
    n = len(values) // 3
    return Series(values[:n], values[n : 2 * n], values[2 * n :])


def insert(series: Series, at: int, amount_rial: int, merchant: int) -> None:
    """Put an event at its place in event time; a late one goes before its later neighbours."""
    place = bisect_right(series.ats, at)
    series.ats.insert(place, at)
    series.amounts.insert(place, amount_rial)
    series.merchants.insert(place, merchant)


def prune(series: Series) -> None:
    """Forget what no window can reach: a day and the lateness before the newest, 512 at most.

    So windows are exact for events at most LATENESS older than the newest of their series; those
    of later ones, and windows of over EVENTS_MAX events, are lower bounds.
    Source: fraud reference 3.3.
    """
    ats = series.ats
    gone = bisect_right(ats, ats[-1] - DAY - LATENESS) if ats else 0
    gone = max(gone, len(ats) - EVENTS_MAX)
    if gone > 0:
        del ats[:gone], series.amounts[:gone], series.merchants[:gone]


def value_of(known: Windows, counted: Counted, measure: Measure, since: int, until: int) -> int:
    """Count, sum or distinct merchants of the events known by now in (since, until]."""
    total = 0
    merchants: set[int] = set()
    for series in known.of(counted):
        low, high = bisect_right(series.ats, since), bisect_right(series.ats, until)
        match measure:
            case Measure.COUNT:
                total += high - low
            case Measure.SUM_RIAL:
                total += sum(series.amounts[low:high])
            case Measure.MERCHANTS:
                merchants.update(series.merchants[low:high])
                total = len(merchants)
            case _:
                assert_never(measure)
    return total
