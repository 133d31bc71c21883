"""The types of HTTP doors: what they take, what they refuse, and that it can be kept."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.values import MOMENT_MAX, MOMENT_MIN
from kit.base import fields

MOMENT = TypeAdapter[datetime](fields.Moment)
BODY_NUMBERS: list[tuple[Any, int, int]] = [
    (fields.Amount, 0, 2**53 - 1),
    (fields.PositiveAmount, 1, 2**53 - 1),
    (fields.BasisPoints, 0, 10_000),
    (fields.Number, 1, 2**31 - 1),
    (fields.NumberOrZero, 0, 2**31 - 1),
    (fields.AccountNumber, 1, 2**53 - 1),
]
TEXT_NUMBERS: list[tuple[Any, int, int]] = [
    (fields.NumberText, 1, 2**31 - 1),
    (fields.AccountText, 1, 2**53 - 1),
    (fields.AfterNumber, 0, 2**31 - 1),
    (fields.AfterAccount, 0, 2**53 - 1),
    (fields.AfterWhole, 0, 2**63 - 1),
]


@pytest.mark.parametrize(("kind", "least", "most"), BODY_NUMBERS + TEXT_NUMBERS)
def test_a_number_has_its_bounds(kind: Any, least: int, most: int) -> None:
    adapter = TypeAdapter[int](kind)
    assert [adapter.validate_python(n) for n in (least, most)] == [least, most]
    for beyond in (least - 1, most + 1, 2**64, 10**400, True if kind in BODY_NUMBERS else None):
        with pytest.raises(ValidationError):
            adapter.validate_python(beyond)


@pytest.mark.parametrize("kind", [kind for kind, _, _ in BODY_NUMBERS])
@pytest.mark.parametrize("value", ["5", 5.0, 5.5, True, None, float("inf"), [5]])
def test_a_number_of_a_body_is_an_integer_and_nothing_else(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[int](kind).validate_python(value)


@pytest.mark.parametrize("kind", [kind for kind, _, _ in TEXT_NUMBERS])
def test_a_number_of_an_address_is_digits_of_any_script(kind: Any) -> None:
    adapter = TypeAdapter[int](kind)
    assert {adapter.validate_python(text) for text in ("117", "۱۱۷", "١١٧")} == {117}
    for text in ("", "1_0", "1.0", " 1", "+1", "0x1", "1e3", "½", "9" * 20, "9" * 10_000, "1\x00"):
        with pytest.raises(ValidationError):
            adapter.validate_python(text)


@given(st.one_of(st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()), st.text()))
def test_a_moment_is_bounded_or_refused(text: str) -> None:
    try:
        at = MOMENT.validate_python(text)
    except ValidationError:
        return
    assert at.utcoffset() == timedelta(0)
    assert MOMENT_MIN <= at < MOMENT_MAX


@pytest.mark.parametrize(
    "value", [5, 5.0, None, "1700000000", True, datetime.fromisoformat("2026-03-21")]
)
def test_a_moment_is_text_with_a_zone(value: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(value)


def test_a_solar_year_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="looks like a Solar Hijri year"):
        MOMENT.validate_python("1403-05-01T10:00:00+03:30")


def test_what_was_kept_before_there_were_bounds_is_shown() -> None:
    assert MOMENT.validate_python(datetime(1970, 1, 1, tzinfo=UTC)).year == 1970


def test_a_day_of_a_query_is_understood_in_both_calendars() -> None:
    day = TypeAdapter[date](fields.Day)
    assert day.validate_python("1405-09-01") == day.validate_python("2026-11-22")
    for value in ("1405-13-01", 20261122, None):
        with pytest.raises(ValidationError):
            day.validate_python(value)


@pytest.mark.parametrize(("kind", "given_text", "kept"), [
    (fields.Title, " \u202eسوپر\u061c نگين ۲\ufeff ", "سوپر نگین 2"),
    (fields.Word, " لبـنيات\u200f ", "لبنیات"),
])  # fmt: skip
def test_text_is_cleaned_by_its_kind(kind: Any, given_text: str, kept: str) -> None:
    assert TypeAdapter[str](kind).validate_python(given_text) == kept


@pytest.mark.parametrize("kind", [fields.Title, fields.Word])
@pytest.mark.parametrize("text", ["", "\u200b \u200c", "x" * 201, "\ud800", "a\x00b"])
def test_text_that_is_none_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](kind).validate_python(text)


def test_the_bounds_stand_in_the_schema() -> None:
    told = json.dumps([TypeAdapter[Any](k).json_schema() for k, _, _ in BODY_NUMBERS])
    assert "maximum" in told
    assert TypeAdapter[Any](fields.Moment).json_schema()["format"] == "date-time"
    assert TypeAdapter[Any](fields.Title).json_schema()["maxLength"] == 200
