"""Names, text, days and splits."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import values
from contracts.values import NameKind


@given(
    st.integers(1, 2**31 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
)
def test_a_name_reads_back_what_it_was_made_of(merchant: int, order: str) -> None:
    text = values.name(NameKind.HISTORY, merchant, order, "purchase")
    assert values.name_parts(text) == (NameKind.HISTORY, (str(merchant), order, "purchase"))


@given(st.integers(0, 99999), st.integers(1, 10**9), st.integers(1, 99), st.integers(0, 10**12))
def test_a_public_id_reads_back(shard: int, terminal: int, epoch: int, sequence: int) -> None:
    text = values.till_name(terminal, epoch, sequence)
    assert text == values.name(NameKind.TILL, terminal, epoch, sequence)
    assert values.parse_public_id(values.public_id(shard, text)) == (shard, text)


@pytest.mark.parametrize(
    "text",
    ["", "t.1.2", "t.1.2.3.4", "t..1.2", "z.1.2.3", "t.1.2.", "o." + "x" * 200 + ".1.2"],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        values.name_parts(text)


@pytest.mark.parametrize(
    "text", ["t.1.2.3", "x.t.1.2.3", ".t.1.2.3", "۷.t.1.2.3", "1234567.t.1.2.3"]
)
def test_what_is_no_public_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        values.parse_public_id(text)


def test_a_name_needs_its_parts() -> None:
    with pytest.raises(ValueError):
        values.name(NameKind.TILL, 1, 2)
    with pytest.raises(ValueError):
        values.name(NameKind.ORDER, 1, "", "purchase")


def test_both_digit_sets_and_both_letters_are_normalised() -> None:
    assert values.ascii_digits("۱۲۳٤٥٦x") == "123456x"
    assert values.fold_letters("علي كريمى") == "علی کریمی"


@pytest.mark.parametrize(("text", "good"), [("علی", True), ("a\x00", False), ("\ud800", False)])
def test_unstorable_text_is_known(text: str, good: bool) -> None:
    assert values.storable(text) is good


def test_a_day_is_tehrans() -> None:
    assert values.tehran_day(datetime(2026, 11, 21, 20, 29, 59, tzinfo=UTC)) == date(2026, 11, 21)
    assert values.tehran_day(datetime(2026, 11, 21, 20, 30, tzinfo=UTC)) == date(2026, 11, 22)
    summer = datetime(2022, 7, 1, 19, 30, tzinfo=UTC)  # +04:30 until 2022
    assert values.tehran_day(summer) == date(2022, 7, 2)


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(at: datetime) -> None:
    assert datetime.fromtimestamp(0, UTC) + timedelta(microseconds=values.micros(at)) == at


@given(st.integers(0, 2**53), st.lists(st.integers(0, 2**40), min_size=1, max_size=12))
def test_a_split_is_exact_and_fair(total: int, weights: list[int]) -> None:
    parts = values.largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(0 <= p - total * w // whole <= 1 for p, w in zip(parts, weights, strict=True))
        assert all(p == 0 for p, w in zip(parts, weights, strict=True) if w == 0)


def test_ties_go_to_the_first_and_nothing_splits_over_nothing() -> None:
    assert values.largest_remainder(1, [1, 1, 1]) == [1, 0, 0]
    assert values.largest_remainder(7, [0, 0]) == [7, 0]
    with pytest.raises(ValueError):
        values.largest_remainder(1, [])
    with pytest.raises(ValueError):
        values.largest_remainder(-1, [1])


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (values.MOMENT_MIN, ""),
        (values.MOMENT_MAX - timedelta(microseconds=1), ""),
        (values.MOMENT_MIN - timedelta(microseconds=1), "from 1990 to 2199; this one is of 1989"),
        (values.MOMENT_MAX, "from 1990 to 2199; this one is of 2200"),
        (datetime(1, 1, 1, tzinfo=UTC), "this one is of 1"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3, minutes=30))), "this one is of 1"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=23))), "is of 9999"),
        (datetime(1403, 5, 1, tzinfo=UTC), "looks like a Solar Hijri year; write the Gregorian"),
        (datetime(1300, 1, 1, tzinfo=UTC), "such as 1921 or 1922"),
        (datetime(2026, 3, 21), "needs its zone"),  # noqa: DTZ001
    ],
)
def test_a_time_beyond_the_platforms_calendar_says_what_to_do(at: datetime, said: str) -> None:
    error = values.moment_error(at)
    assert (error == "") is (said == "")
    assert said in error
