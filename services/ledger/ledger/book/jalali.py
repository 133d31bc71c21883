"""The Solar Hijri calendar in Tehran: months, their first days, the instant a day begins."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from persiantools.jdatetime import JalaliDate

from contracts.values import TEHRAN, tehran_day

MONTHS_PER_YEAR: Final = 12
_FIRST: Final = JalaliDate(1, 1, 1).to_gregorian()


class Month(NamedTuple):
    """A month of the Solar Hijri calendar; months compare in time. month: 1 (Farvardin) to 12."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def month_of(at: datetime) -> Month:
    """The month in which an aware time falls in Tehran."""
    return month_of_day(tehran_day(at))


@lru_cache(maxsize=16_384)  # a report of vintages looks up every lot
def month_of_day(day: date) -> Month:
    """The month of a civil (Gregorian) day; the calendar's first for a day before it.

    Days so old are no longer accepted. Rows with such days that were kept before must still be
    readable (findings S1).
    """
    solar = JalaliDate(max(day, _FIRST))
    return Month(solar.year, solar.month)


def shift_month(month: Month, months: int) -> Month:
    """The month so many months later (earlier where negative)."""
    years, ordinal = divmod(month.month - 1 + months, MONTHS_PER_YEAR)
    return Month(month.year + years, ordinal + 1)


def first_day(month: Month) -> date:
    """The civil day on which a month begins."""
    return JalaliDate(month.year, month.month, 1).to_gregorian()


def days_in(month: Month) -> int:
    """29 to 31; Esfand has 30 days in a leap year."""
    return JalaliDate.days_in_month(month.month, month.year)


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day where it has none.

    Source: loyalty reference 1.2 ("plus one month" from day 31).
    """
    target = shift_month(month_of_day(day), months)
    ordinal = min(JalaliDate(day).day, days_in(target))
    return first_day(target) + timedelta(days=ordinal - 1)


def start_of(day: date) -> datetime:
    """The first instant of a day in Tehran, aware UTC.

    Where summer time began at midnight (last in 1401) the day began at one o'clock: the missing
    midnight, read by the offset before it, is that very instant.
    """
    return datetime.combine(day, time(), tzinfo=TEHRAN).astimezone(UTC)
