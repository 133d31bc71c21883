"""The life of a point: known dates an accountant can check, and properties of every model."""

from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from contracts.values import TEHRAN, tehran_day
from kit.base.errors import Invalid
from ledger.book import jalali, validity
from ledger.book.jalali import Month
from ledger.book.validity import Activity, CalendarEnd, Forever, Rolling, Sliding, Step

MICROSECOND = timedelta(microseconds=1)
MONTH_END, YEAR_END = CalendarEnd(period=Step.MONTH), CalendarEnd(period=Step.YEAR)


def tehran(year, month, day, *clock):
    """A time on the wall in Tehran, its date given in the Solar Hijri calendar."""
    civil = JalaliDate(year, month, day).to_gregorian()
    return datetime(civil.year, civil.month, civil.day, *clock, tzinfo=TEHRAN)


def last_day(model, *at):
    """(Year, month, day) of the last day on which points born at that Tehran time are valid."""
    end = validity.expires_at(model, begins_at=tehran(*at))
    day = JalaliDate(tehran_day(end - MICROSECOND))
    return day.year, day.month, day.day


# --------------------------------------------------------------------------------------- calendar

# Beginning of the year as Iran's calendar published it, and whether that year is a leap year.
NOWRUZ = [
    (1355, date(1976, 3, 21), False), (1358, date(1979, 3, 21), True),
    (1370, date(1991, 3, 21), True), (1375, date(1996, 3, 20), True),
    (1376, date(1997, 3, 21), False), (1387, date(2008, 3, 20), True),
    (1391, date(2012, 3, 20), True), (1395, date(2016, 3, 20), True),
    (1398, date(2019, 3, 21), False), (1399, date(2020, 3, 20), True),
    (1400, date(2021, 3, 21), False), (1401, date(2022, 3, 21), False),
    (1402, date(2023, 3, 21), False), (1403, date(2024, 3, 20), True),
    (1404, date(2025, 3, 21), False), (1405, date(2026, 3, 21), False),
    (1407, date(2028, 3, 20), False), (1408, date(2029, 3, 20), True),
    (1409, date(2030, 3, 21), False),
]  # fmt: skip


@pytest.mark.parametrize(("year", "first", "leap"), NOWRUZ)
def test_years_begin_and_leap_as_the_calendar_of_iran_says(year, first, leap):
    assert jalali.first_day(Month(year, 1)) == first
    assert jalali.days_in(Month(year, 12)) == (30 if leap else 29)
    assert jalali.month_of_day(first) == (year, 1)
    assert jalali.month_of_day(first - timedelta(days=1)) == (year - 1, 12)


def test_leap_years_follow_the_cycle_of_33_years_as_long_as_lots_are_born():
    for year in range(validity.FIRST_YEAR, validity.LAST_YEAR + 1):
        leap = year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)
        assert jalali.days_in(Month(year, 12)) == (30 if leap else 29), year


def test_every_day_of_two_centuries_begins_at_its_first_instant():
    day = date(1930, 1, 1)
    while day < date(2130, 1, 1):
        first = jalali.start_of(day)
        assert first.tzinfo is UTC
        assert tehran_day(first) == day
        assert tehran_day(first - MICROSECOND) == day - timedelta(days=1)
        day += timedelta(days=1)


@pytest.mark.parametrize(("day", "utc"), [
    (date(2026, 3, 21), datetime(2026, 3, 20, 20, 30, tzinfo=UTC)),  # no summer time since 1401
    (date(2026, 7, 23), datetime(2026, 7, 22, 20, 30, tzinfo=UTC)),
    (date(2022, 3, 22), datetime(2022, 3, 21, 20, 30, tzinfo=UTC)),  # began at one o'clock
    (date(2022, 7, 23), datetime(2022, 7, 22, 19, 30, tzinfo=UTC)),  # summer time
    (date(2022, 9, 22), datetime(2022, 9, 21, 20, 30, tzinfo=UTC)),  # eleven came twice before it
    (date(2007, 7, 1), datetime(2007, 6, 30, 20, 30, tzinfo=UTC)),  # a year without summer time
    (date(1978, 1, 1), datetime(1977, 12, 31, 20, 0, tzinfo=UTC)),  # four hours ahead
])  # fmt: skip
def test_days_begin_by_the_history_of_the_clocks(day, utc):
    assert jalali.start_of(day) == utc


def test_months_are_told_in_tehran_and_sort_in_time():
    eve = datetime(2026, 3, 20, 20, 29, 59, 999_999, tzinfo=UTC)
    assert jalali.month_of(eve) == (1404, 12)
    assert jalali.month_of(eve + MICROSECOND) == (1405, 1)
    assert jalali.month_of(eve) < jalali.month_of(eve + MICROSECOND)
    assert str(jalali.month_of(eve + MICROSECOND)) == "1405-01"


@given(st.integers(1304, 1500), st.integers(1, 12), st.integers(-1200, 1200))
def test_shifting_months_there_and_back(year, month, months):
    shifted = jalali.shift_month(Month(year, month), months)
    assert 1 <= shifted.month <= 12
    assert (shifted.year * 12 + shifted.month) - (year * 12 + month) == months
    assert jalali.shift_month(shifted, -months) == (year, month)


# ------------------------------------------------------------------------------------ known dates


@pytest.mark.parametrize(("model", "born", "last"), [
    # rolling: whole days after the day of birth, whatever its hour
    (Rolling(length=1), (1405, 1, 1, 0, 0), (1405, 1, 2)),
    (Rolling(length=1), (1405, 1, 1, 23, 59, 59, 999_999), (1405, 1, 2)),
    (Rolling(length=365), (1404, 1, 1, 12), (1405, 1, 1)),  # 1404 is common
    (Rolling(length=365), (1403, 1, 1, 12), (1403, 12, 30)),  # 1403 is leap
    (Rolling(length=366), (1403, 1, 1, 12), (1404, 1, 1)),
    (Rolling(length=30), (1404, 12, 1, 9), (1405, 1, 2)),
    (Rolling(length=30), (1403, 12, 1, 9), (1404, 1, 1)),
    # rolling by months and years: that day, or the month's last where it has none
    (Rolling(length=1, step=Step.MONTH), (1405, 6, 31, 9), (1405, 7, 30)),
    (Rolling(length=1, step=Step.MONTH), (1404, 11, 30, 9), (1404, 12, 29)),
    (Rolling(length=1, step=Step.MONTH), (1403, 11, 30, 9), (1403, 12, 30)),
    (Rolling(length=1, step=Step.MONTH), (1404, 12, 29, 9), (1405, 1, 29)),
    (Rolling(length=1, step=Step.YEAR), (1403, 12, 30, 9), (1404, 12, 29)),
    (Rolling(length=5, step=Step.YEAR), (1403, 12, 30, 9), (1408, 12, 30)),
    (Rolling(length=12, step=Step.MONTH), (1405, 1, 31, 9), (1406, 1, 31)),
    # rolling, then through the end of the month or year reached
    (Rolling(length=90, through=Step.MONTH), (1405, 1, 1, 9), (1405, 3, 31)),
    (Rolling(length=93, through=Step.MONTH), (1405, 1, 1, 9), (1405, 4, 31)),
    (Rolling(length=1, through=Step.YEAR), (1403, 12, 29, 9), (1403, 12, 30)),
    (Rolling(length=1, through=Step.YEAR), (1403, 12, 30, 9), (1404, 12, 29)),
    (Rolling(length=1, step=Step.YEAR, through=Step.YEAR), (1402, 5, 5), (1403, 12, 30)),
    # ends of months: 31, 30 and 29 days, Esfand of a leap year 30
    (MONTH_END, (1405, 1, 1, 0), (1405, 1, 31)),
    (MONTH_END, (1405, 6, 31, 23, 59, 59, 999_999), (1405, 6, 31)),
    (MONTH_END, (1405, 7, 1, 0), (1405, 7, 30)),
    (MONTH_END, (1404, 12, 29, 23, 59), (1404, 12, 29)),
    (MONTH_END, (1403, 12, 29, 23, 59), (1403, 12, 30)),
    (CalendarEnd(period=Step.MONTH, count=3), (1404, 11, 15), (1405, 1, 31)),
    (CalendarEnd(period=Step.MONTH, grace_months=1), (1404, 11, 15), (1404, 12, 29)),
    # ends of years
    (YEAR_END, (1404, 1, 1, 0), (1404, 12, 29)),
    (YEAR_END, (1403, 1, 1, 0), (1403, 12, 30)),
    (YEAR_END, (1408, 12, 30, 23, 59), (1408, 12, 30)),  # five years after the leap year before
    (CalendarEnd(period=Step.YEAR, count=2), (1404, 12, 29), (1405, 12, 29)),
    (CalendarEnd(period=Step.YEAR, grace_months=3), (1404, 7, 1), (1405, 3, 31)),
    (CalendarEnd(period=Step.YEAR, count=2, grace_months=6), (1402, 7, 1), (1404, 6, 31)),
    (CalendarEnd(period=Step.YEAR, grace_months=12), (1402, 7, 1), (1403, 12, 30)),
    # sliding without activity counts from birth
    (Sliding(length=180), (1405, 1, 1, 9), (1405, 6, 26)),
])  # fmt: skip
def test_last_day_of_validity(model, born, last):
    assert last_day(model, *born) == last


def test_expiry_is_an_exact_instant():
    born = datetime(2025, 3, 21, 9, 15, 0, 1, tzinfo=UTC)
    assert validity.expires_at(YEAR_END, begins_at=born) == datetime(
        2026, 3, 20, 20, 30, tzinfo=UTC
    )
    summer = datetime(2021, 7, 1, tzinfo=UTC)  # 10 Tir 1400, summer time
    ends = validity.expires_at(MONTH_END, begins_at=summer)
    assert ends == datetime(2021, 7, 22, 19, 30, tzinfo=UTC)
    assert ends.tzinfo is UTC
    winter = validity.expires_at(Rolling(length=180), begins_at=summer)
    assert winter == datetime(2021, 12, 28, 20, 30, tzinfo=UTC)


def test_a_microsecond_decides_the_period():
    eve = datetime(2026, 3, 20, 20, 29, 59, 999_999, tzinfo=UTC)
    farvardin = eve + MICROSECOND
    assert validity.expires_at(YEAR_END, begins_at=eve) == farvardin
    assert tehran_day(validity.expires_at(YEAR_END, begins_at=farvardin)) == date(2027, 3, 21)
    assert validity.expires_at(MONTH_END, begins_at=eve) == farvardin
    assert tehran_day(validity.expires_at(MONTH_END, begins_at=farvardin)) == date(2026, 4, 21)
    assert validity.expires_at(Rolling(length=1), begins_at=eve) == farvardin + timedelta(days=1)
    assert validity.expires_at(Rolling(length=1), begins_at=farvardin) == (
        farvardin + timedelta(days=2)
    )


def test_points_that_never_expire():
    assert validity.expires_at(Forever(), begins_at=tehran(1405, 1, 1)) is None


# ----------------------------------------------------------------------------- sliding, several


def test_activity_slides_the_expiry_and_an_older_one_does_not_pull_it_back():
    model, born = Sliding(length=30), tehran(1405, 1, 1, 12)
    first = validity.expires_at(model, begins_at=born)
    assert tehran_day(first) == tehran(1405, 2, 1).date()
    moved = validity.renewed(
        model, begins_at=born, expires_at=first, activity=Activity.SPEND,
        active_at=tehran(1405, 1, 20, 23),
    )  # fmt: skip
    assert tehran_day(moved) == tehran(1405, 2, 20).date()
    assert moved == validity.expires_at(model, begins_at=born, active_at=tehran(1405, 1, 20, 1))
    late_upload = validity.renewed(
        model, begins_at=born, expires_at=moved, activity=Activity.EARN,
        active_at=tehran(1405, 1, 5),
    )  # fmt: skip
    assert late_upload == moved
    before_birth = tehran(1404, 12, 1)
    assert validity.expires_at(model, begins_at=born, active_at=before_birth) == first
    assert (
        validity.renewed(
            model, begins_at=born, expires_at=first, activity=Activity.EARN, active_at=before_birth
        )
        == first
    )


def test_what_has_expired_is_not_brought_back_by_activity():
    model, born = Sliding(length=30), tehran(1405, 1, 1, 12)
    end = validity.expires_at(model, begins_at=born)

    def after(active_at):
        return validity.renewed(
            model, begins_at=born, expires_at=end, activity=Activity.EARN, active_at=active_at
        )

    assert after(end) == end
    assert after(end + timedelta(days=400)) == end
    assert tehran_day(end - MICROSECOND) == tehran(1405, 1, 31).date()
    assert tehran_day(after(end - MICROSECOND)) == tehran(1405, 2, 31).date()


@pytest.mark.parametrize("model", [Forever(), Rolling(length=30), MONTH_END,
                                   Sliding(length=30, renewed_by=(Activity.SPEND,))])  # fmt: skip
def test_only_the_activities_of_a_sliding_model_renew(model):
    born = tehran(1405, 1, 1)
    end = validity.expires_at(model, begins_at=born)
    after = validity.renewed(
        model, begins_at=born, expires_at=end, activity=Activity.EARN,
        active_at=born + timedelta(days=3),
    )  # fmt: skip
    assert after == end


def test_models_stand_side_by_side():
    born, active = tehran(1404, 10, 15, 10), tehran(1404, 12, 20, 10)
    models = [Rolling(length=30), YEAR_END, Sliding(length=60)]
    ends = [validity.expires_at(m, begins_at=born, active_at=active) for m in models]
    assert [tehran_day(end - MICROSECOND) for end in ends] == [
        tehran(*day).date() for day in ((1404, 11, 15), (1404, 12, 29), (1405, 2, 20))
    ]
    assert validity.longest(models, begins_at=born, active_at=active) == ends[2]
    assert validity.longest(models, begins_at=born) == ends[1]
    assert validity.longest([*models, Forever()], begins_at=born) is None
    with pytest.raises(Invalid, match="needs a model"):
        validity.longest([], begins_at=born)


# -------------------------------------------------------------------------------------- properties

BIRTHS = st.datetimes(datetime(1930, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
STEPS = st.sampled_from(Step)
PERIODS = st.sampled_from([Step.MONTH, Step.YEAR])


@given(BIRTHS, st.integers(1, 36_500))
def test_rolling_days_end_with_the_nth_day_after_birth(born, days):
    end = validity.expires_at(Rolling(length=days), begins_at=born)
    assert tehran_day(end - MICROSECOND) == tehran_day(born) + timedelta(days=days)
    assert tehran_day(end) == tehran_day(born) + timedelta(days=days + 1)


@given(BIRTHS, PERIODS, st.integers(1, 30), st.integers(0, 60))
def test_calendar_ends_lie_on_the_first_of_a_month(born, period, count, grace):
    model = CalendarEnd(period=period, count=count, grace_months=grace)
    end = validity.expires_at(model, begins_at=born)
    first, birth = JalaliDate(tehran_day(end)), JalaliDate(tehran_day(born))
    assert end > born
    assert tehran_day(end - MICROSECOND) == tehran_day(end) - timedelta(days=1)
    assert first.day == 1
    begun = birth.year * 12 + (birth.month - 1 if period is Step.MONTH else 0)
    length = count * (1 if period is Step.MONTH else 12) + grace
    assert first.year * 12 + first.month - 1 - begun == length


@given(BIRTHS, st.integers(1, 100), STEPS, STEPS)
def test_terms_reach_the_day_and_then_the_end_of_its_period(born, length, step, through):
    model = Rolling(length=length, step=step, through=through)
    plain = Rolling(length=length, step=step)
    last = JalaliDate(tehran_day(validity.expires_at(plain, begins_at=born) - MICROSECOND))
    birth = JalaliDate(tehran_day(born))
    if step is not Step.DAY:
        months = length * (12 if step is Step.YEAR else 1)
        assert last.year * 12 + last.month - birth.year * 12 - birth.month == months
        assert last.day == min(birth.day, JalaliDate.days_in_month(last.month, last.year))
    end = validity.expires_at(model, begins_at=born)
    kept, following = JalaliDate(tehran_day(end - MICROSECOND)), JalaliDate(tehran_day(end))
    assert kept >= last
    if through is not Step.DAY:
        assert (kept.year, following.day) == (last.year, 1)
        assert kept.month == (12 if through is Step.YEAR else last.month)


@given(BIRTHS, BIRTHS, st.integers(1, 400), STEPS, st.sampled_from(Activity))
def test_sliding_never_shortens_and_agrees_with_the_last_activity(
    born, active, length, step, activity
):
    model = Sliding(length=min(length, 100), step=step)
    end = validity.expires_at(model, begins_at=born)
    after = validity.renewed(
        model, begins_at=born, expires_at=end, activity=activity, active_at=active
    )
    assert after >= end
    if active < end:
        assert after == validity.expires_at(model, begins_at=born, active_at=active)
    else:
        assert after == end


@given(BIRTHS, st.integers(-14, 14), PERIODS)
def test_the_zone_of_the_stamp_does_not_matter(born, hours, period):
    elsewhere = born.astimezone(timezone(timedelta(hours=hours)))
    for model in (CalendarEnd(period=period), Rolling(length=7), Sliding(length=7)):
        assert validity.expires_at(model, begins_at=elsewhere) == validity.expires_at(
            model, begins_at=born
        )


@given(BIRTHS, BIRTHS, st.integers(1, 1000))
def test_born_later_never_expires_earlier(one, other, days):
    early, late = sorted((one, other))
    for model in (Rolling(length=days), MONTH_END, YEAR_END, Sliding(length=days)):
        assert validity.expires_at(model, begins_at=early) <= validity.expires_at(
            model, begins_at=late
        )


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("model", "fields", "says"), [
    (Rolling, {"length": 0}, "less than 1"),
    (Rolling, {"length": -5}, "less than 1"),
    (Rolling, {"length": 36_501}, "36500 days"),
    (Rolling, {"length": 1201, "step": Step.MONTH}, "1200 months"),
    (Rolling, {"length": 101, "step": Step.YEAR}, "100 years"),
    (Rolling, {"length": 30.0}, "an integer"),
    (Rolling, {"length": True}, "an integer"),
    (Sliding, {"length": 0}, "less than 1"),
    (Sliding, {"length": 30, "renewed_by": ()}, "one at least"),
    (Sliding, {"length": 30, "renewed_by": (Activity.EARN, Activity.EARN)}, "once"),
    (CalendarEnd, {"period": Step.DAY}, "a month or a year"),
    (CalendarEnd, {"period": Step.MONTH, "count": 0}, "less than 1"),
    (CalendarEnd, {"period": Step.YEAR, "grace_months": -1}, "less than 0"),
    (CalendarEnd, {"period": Step.YEAR, "count": 100, "grace_months": 1}, "100 years"),
    (CalendarEnd, {"period": Step.MONTH, "count": 1201}, "1200 months"),
])  # fmt: skip
def test_parameters_that_mean_nothing_are_refused(model, fields, says):
    with pytest.raises(Invalid, match=says) as refused:
        model(**fields)
    assert refused.value.code == "validity-not-valid"
    assert refused.value.fa


@pytest.mark.parametrize("at", [
    datetime(2026, 1, 1), datetime(1925, 3, 20, tzinfo=UTC), datetime.max.replace(tzinfo=UTC),  # noqa: DTZ001
    datetime(2122, 3, 20, 20, 30, tzinfo=UTC), datetime.min.replace(tzinfo=UTC),
])  # fmt: skip
def test_times_outside_the_calendar_are_refused(at):
    with pytest.raises(Invalid):
        validity.expires_at(YEAR_END, begins_at=at)


def test_the_longest_term_from_the_last_moment_still_ends():
    at = datetime(2122, 3, 20, 20, 29, 59, 999_999, tzinfo=UTC)
    assert jalali.month_of(at) == (1500, 12)
    model = Rolling(length=100, step=Step.YEAR, through=Step.YEAR)
    assert validity.expires_at(model, begins_at=at).year == 2222


@pytest.mark.parametrize("model", [
    Forever(), Rolling(length=3, step=Step.MONTH, through=Step.YEAR),
    CalendarEnd(period=Step.YEAR, grace_months=3), Sliding(length=9, renewed_by=(Activity.EARN,)),
])  # fmt: skip
def test_models_survive_the_wire(model):
    raw = msgspec.json.encode(model)
    assert msgspec.json.decode(raw, type=validity.Validity) == model
