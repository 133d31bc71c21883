"""Times and days from outside: every spelling, every edge of the calendar, both calendars."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.times import day_of, moment_of
from contracts.values import MOMENT_MAX, MOMENT_MIN


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-20T20:30:00Z",
        "2026-03-21T00:00:00+03:30",
        "2026-03-21 00:00:00.000000+03:30",
        "2026-03-21t00:00:00.0000000+03:30",  # .NET's seven digits
        "۲۰۲۶-۰۳-۲۱T۰۰:۰۰:۰۰+۰۳:۳۰",
        " 2026-03-20T20:30:00z ",
    ],
)
def test_a_time_has_many_spellings(text: str) -> None:
    assert moment_of(text) == datetime(2026, 3, 20, 20, 30, tzinfo=UTC)
    assert moment_of(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0001-01-01T00:00:00Z", "times are from 1990 to 2199"),
        ("0001-01-01T00:00:00+03:30", "times are from 1990 to 2199"),
        ("9999-12-31T23:59:59.999999Z", "times are from 1990 to 2199"),
        ("9999-12-31T23:59:59-23:59", "times are from 1990 to 2199"),
        ("1970-01-01T00:00:00Z", "times are from 1990 to 2199"),
        ("1403-05-01T10:00:00+03:30", "looks like a Solar Hijri year"),
        ("2026-03-21T00:00:00", "with a zone"),
        ("2026-03-21", "with a zone"),
        ("1774051200", "with a zone"),
        ("2026-13-21T00:00:00Z", "is no time"),
        ("2026-03-21T24:00:01Z", "is no time"),
        ("2026-03-21T00:00:00+99:99", "is no time"),
        ("", "with a zone"),
        ("9" * 100_000, "with a zone"),
    ],
)
def test_what_is_no_time_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        moment_of(text)


@given(st.datetimes(timezones=st.timezones()))
def test_every_time_is_read_or_refused(at: datetime) -> None:
    try:
        read = moment_of(at.isoformat())
    except ValueError:
        return
    assert read == datetime.fromisoformat(at.isoformat())
    assert MOMENT_MIN <= read < MOMENT_MAX


@pytest.mark.parametrize(
    "text", ["2026-11-22", "1405-09-01", "1405/9/1", "۱۴۰۵-۰۹-۰۱", " ١٤٠٥/٠٩/٠١ "]
)
def test_a_day_is_understood_in_both_calendars(text: str) -> None:
    assert day_of(text) == date(2026, 11, 22)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "9999-12-31", "1405-13-01", "1405-12-31", "2026-02-30", "1989-12-31",
             "1234-05-06", "yesterday", "", "2026-11-22T00:00:00Z"]
)  # fmt: skip
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        day_of(text)
