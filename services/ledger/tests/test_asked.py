"""What a reading is as of, out of text: digits of three scripts, zones, vectors; no others."""

from datetime import UTC, datetime

import pytest

from kit.base.errors import Invalid
from ledger.book.jalali import Month
from ledger.log.domain import as_of


@pytest.mark.parametrize("text", [
    "2026-11-22T09:30:00+03:30", "2026-11-22T06:00:00Z", "2026-11-22t06:00:00z",
    "۲۰۲۶-۱۱-۲۲T۰۹:۳۰:۰۰+۰۳:۳۰", "٢٠٢٦-١١-٢٢T٠٦:٠٠:٠٠Z", " 2026-11-22 06:00:00Z ",
    "2026-11-22T09:30:00 03:30",  # a plus that an address did not escape
    "2026-11-22T06:00:00.000000Z", "2026-11-22T02:00:00-04:00",
])  # fmt: skip
def test_one_instant_in_many_spellings(text):
    assert as_of.time_of(text) == datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def test_microseconds_are_kept():
    assert as_of.time_of("2026-11-22T06:00:00.123456Z").microsecond == 123_456


@pytest.mark.parametrize("text", [
    "", "now", "2026-11-22", "2026-11-22T06:00:00", "2026-02-30T06:00:00Z", "1405-09-01",
    "2026-11-22T06:00:00.1234567Z", "2026-11-22T25:00:00Z", "2026-11-22T06:00:60Z",
    "2026-11-22T06:00:00+99:00", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+03:30",
    "2026-11-22T06:00:00Z\n", "१२३४-11-22T06:00:00Z",
])  # fmt: skip
def test_what_is_no_time_is_refused_in_both_languages(text):
    if text.endswith("\n"):  # white space around is nothing
        assert as_of.time_of(text)
        return
    with pytest.raises(Invalid) as caught:
        as_of.time_of(text)
    assert caught.value.code == "bad-time"
    assert caught.value.fa
    assert caught.value.detail


@pytest.mark.parametrize(("text", "number"), [
    ("0", 0), ("17", 17), ("۱۷", 17), (" ٤٢ ", 42), ("9223372036854775807", 2**63 - 1),
])  # fmt: skip
def test_numbers_in_three_scripts(text, number):
    assert as_of.number_of(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "01", "۱۲٬۰۰۰", "1e3", "²", "9" * 19, "x"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(Invalid) as caught:
        as_of.number_of(text)
    assert caught.value.code == "bad-number"


def test_a_vector_is_read_and_written():
    assert as_of.vector_of("1:98, ۰:۱۲۰,32767:0") == {0: 120, 1: 98, 32767: 0}
    assert as_of.vector_text({1: 98, 0: 120}) == "0:120,1:98"


@pytest.mark.parametrize(
    "text", ["", "1", "1:", ":1", "1:2:3", "1:2,", "1:2,1:3", "32768:1", "-1:2", "1:01", "a:1",
             ",".join(f"{n}:1" for n in range(1002))],
)  # fmt: skip
def test_what_is_no_vector_is_refused(text):
    with pytest.raises(Invalid) as caught:
        as_of.vector_of(text)
    assert caught.value.code == "bad-vector"


def test_months_are_solar():
    assert as_of.month_of("۱۴۰۵-۰۳") == Month(1405, 3)
    for text in ("1405-13", "1405-00", "2026-03", "1405-3", "1405/03", ""):
        with pytest.raises(Invalid, match="Solar Hijri"):
            as_of.month_of(text)


@pytest.mark.parametrize(("vector", "code"), [
    ({0: 5}, "vector-lacks-a-shard"), ({0: 5, 1: 0, 2: 0}, "unknown-shard"),
    ({0: 6, 1: 0}, "not-yet-reached"),
])  # fmt: skip
def test_a_vector_names_every_shard_and_nothing_to_come(vector, code):
    as_of.check_vector({0: 5, 1: 3}, {0: 5, 1: 3})
    with pytest.raises(Invalid) as caught:
        as_of.check_vector(vector, {0: 5, 1: 3})
    assert caught.value.code == code


def test_one_question_has_one_answer():
    as_of.at_most_one(at="x", sequence=None)
    with pytest.raises(Invalid, match="at and sequence"):
        as_of.at_most_one(at="x", sequence="1")


def test_a_time_to_come_is_refused():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    as_of.check_past(at, at)
    with pytest.raises(Invalid, match="still to come"):
        as_of.check_past(at.replace(second=1), at)
