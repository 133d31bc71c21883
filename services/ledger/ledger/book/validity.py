"""The life of a point: models of validity, and the exact instant at which a lot's points expire."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Never, assert_never

from msgspec import Struct

from contracts.text import digits_fa
from contracts.values import tehran_day
from kit.base.errors import Invalid
from ledger.book import jalali
from ledger.book.jalali import MONTHS_PER_YEAR, Month

YEARS_MAX: Final = 100  # no term is longer, so clocks can express every expiry
FIRST_YEAR: Final = 1304  # the Solar Hijri calendar became Iran's civil one
LAST_YEAR: Final = 1500  # leap years beyond 1600 are not settled


class Step(StrEnum):
    """The unit in which a term counts, and to whose end it is extended."""

    DAY = "day"
    MONTH = "month"  # of the Solar Hijri calendar, like year
    YEAR = "year"


class Activity(StrEnum):
    """An activity of a member that may keep sliding points alive."""

    EARN = "earn"
    SPEND = "spend"


_LENGTH_MAX: Final = {
    Step.DAY: 365 * YEARS_MAX,
    Step.MONTH: MONTHS_PER_YEAR * YEARS_MAX,
    Step.YEAR: YEARS_MAX,
}


class Forever(Struct, frozen=True, kw_only=True, tag="forever"):
    """Points never expire."""


class Rolling(Struct, frozen=True, kw_only=True, tag="rolling"):
    """Valid for length steps after the day of birth, through the end of that day, month or year.

    length: 1 or more, a hundred years at most. Raises Invalid otherwise.
    """

    length: int
    step: Step = Step.DAY
    through: Step = Step.DAY

    def __post_init__(self) -> None:
        _check_term(self.length, self.step)


class CalendarEnd(Struct, frozen=True, kw_only=True, tag="calendar-end"):
    """Valid through the end of the count-th month or year, the one of birth being the first.

    period: MONTH or YEAR. grace_months: whole months that follow it. Raises Invalid on a period
    of a day, a count below 1, a grace below 0, or more than a hundred years in all.
    """

    period: Step
    count: int = 1
    grace_months: int = 0

    def __post_init__(self) -> None:
        if self.period is Step.DAY:
            _refuse(
                "a calendar end is that of a month or a year",
                "پایان تقویمی، پایان ماه یا سال است.",
            )
        _check_term(self.count, self.period)
        _check_integer(self.grace_months, 0)
        if self.months > _LENGTH_MAX[Step.MONTH]:
            _refuse_length(1, YEARS_MAX, "years")

    @property
    def months(self) -> int:
        """Length of count periods and the grace, in months."""
        per_period = MONTHS_PER_YEAR if self.period is Step.YEAR else 1
        return self.count * per_period + self.grace_months


class Sliding(Struct, frozen=True, kw_only=True, tag="sliding"):
    """As rolling, but counted anew from each activity of a kind in renewed_by.

    renewed_by: one kind at least, each once. Raises Invalid otherwise.
    """

    length: int
    step: Step = Step.DAY
    through: Step = Step.DAY
    renewed_by: tuple[Activity, ...] = (Activity.EARN, Activity.SPEND)

    def __post_init__(self) -> None:
        _check_term(self.length, self.step)
        if not self.renewed_by or len(set(self.renewed_by)) < len(self.renewed_by):
            _refuse(
                "sliding validity names each activity that renews it once, and one at least",
                "اعتبار لغزان باید دست‌کم یک فعالیتِ تمدیدکننده داشته باشد و هر یک را یک بار.",
            )


Validity = Forever | Rolling | CalendarEnd | Sliding


def expires_at(
    validity: Validity, *, begins_at: datetime, active_at: datetime | None = None
) -> datetime | None:
    """The instant from which a lot is past its date, aware UTC; None: never.

    begins_at: the lot's birth (occurred_at), or its activation where it was pending. active_at: the
    last renewing activity; only sliding validity uses it, and only after begins_at. The instant is
    the first of a Tehran day: points live whole days, so a member can be told a date. The last
    instant of validity is one microsecond earlier. Whether an activity still came in time is
    decided by `renewed`. Raises Invalid on a naive time or one outside the years 1304 to 1500.
    Source: SH14, loyalty reference 1.2, style 5 (time).
    """
    day = _day_of(begins_at)
    match validity:
        case Forever():
            return None
        case Rolling():
            return jalali.start_of(_after(day, validity))
        case Sliding():
            last = day if active_at is None else max(day, _day_of(active_at))
            return jalali.start_of(_after(last, validity))
        case CalendarEnd():
            return jalali.start_of(_after_calendar_end(day, validity))
        case _:
            assert_never(validity)


def renewed(
    validity: Validity,
    *,
    begins_at: datetime,
    expires_at: datetime | None,
    activity: Activity,
    active_at: datetime,
) -> datetime | None:
    """A lot's expiry after an activity of its member. expires_at: the one in force until now.

    Only sliding validity moves, only by the activities it names, only forwards, and only while the
    lot is in date: an expired lot is not brought back, swept or not. An activity before begins_at
    counts from there. Times as in the function expires_at.
    """
    if expires_at is None or not isinstance(validity, Sliding):
        return expires_at
    if activity not in validity.renewed_by or active_at >= expires_at:
        return expires_at
    last = max(_day_of(begins_at), _day_of(active_at))
    return max(expires_at, jalali.start_of(_after(last, validity)))


def longest(
    validities: Sequence[Validity], *, begins_at: datetime, active_at: datetime | None = None
) -> datetime | None:
    """Expiry of a lot to which several models apply: the latest wins, never above all.

    Raises Invalid on none at all. Source: loyalty reference 1.2 (of several the longest wins).
    """
    if not validities:
        _refuse("a lot needs a model of validity", "برای اعتبار امتیاز هیچ الگویی داده نشده است.")
    ends = [expires_at(v, begins_at=begins_at, active_at=active_at) for v in validities]
    dated = [end for end in ends if end is not None]
    return max(dated) if len(dated) == len(ends) else None


# ------------------------------------------------------------------------------------------- days


def _after(day: date, term: Rolling | Sliding) -> date:
    """The first day after the term's validity."""
    match term.step:
        case Step.DAY:
            last = day + timedelta(days=term.length)
        case Step.MONTH:
            last = jalali.add_months(day, term.length)
        case Step.YEAR:
            last = jalali.add_months(day, term.length * MONTHS_PER_YEAR)
        case _:
            assert_never(term.step)
    return _after_end_of(last, term.through)


def _after_end_of(day: date, step: Step) -> date:
    month = jalali.month_of_day(day)
    match step:
        case Step.DAY:
            return day + timedelta(days=1)
        case Step.MONTH:
            return jalali.first_day(jalali.shift_month(month, 1))
        case Step.YEAR:
            return jalali.first_day(Month(month.year + 1, 1))
        case _:
            assert_never(step)


def _after_calendar_end(day: date, end: CalendarEnd) -> date:
    month = jalali.month_of_day(day)
    start = month if end.period is Step.MONTH else Month(month.year, 1)
    return jalali.first_day(jalali.shift_month(start, end.months))


def _day_of(at: datetime) -> date:
    if at.tzinfo is None:
        _refuse("a time without its zone", "زمان بدون منطقهٔ زمانی پذیرفته نیست.")
    first = jalali.first_day(Month(FIRST_YEAR, 1))
    last = jalali.first_day(Month(LAST_YEAR + 1, 1))
    if not first <= at.date() < last or not first <= (day := tehran_day(at)) < last:
        _refuse(
            f"a time outside the Solar Hijri years {FIRST_YEAR} to {LAST_YEAR}",
            f"زمان بیرون از سال‌های {digits_fa(FIRST_YEAR)} تا {digits_fa(LAST_YEAR)} خورشیدی است.",
        )
    return day


# ----------------------------------------------------------------------------------------- checks


def _check_term(length: int, step: Step) -> None:
    _check_integer(length, 1)
    if length > _LENGTH_MAX[step]:
        _refuse_length(1, _LENGTH_MAX[step], f"{step.value}s")


def _check_integer(value: int, least: int) -> None:
    if type(value) is not int:
        _refuse("a length of validity is an integer", "طول اعتبار باید عدد صحیح باشد.")
    if value < least:
        _refuse(
            f"a length of validity is {value}, less than {least}",
            f"طول اعتبار {digits_fa(value)} و کمتر از {digits_fa(least)} است.",
        )


def _refuse_length(least: int, most: int, unit: str) -> Never:
    _refuse(
        f"a validity lasts {least} to {most} {unit}",
        "طول اعتبار از بیشینهٔ صد سال بیشتر است.",
    )


def _refuse(detail: str, fa: str) -> Never:
    raise Invalid(detail, code="validity-not-valid", fa=fa)
