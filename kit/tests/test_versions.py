"""Versions of effective-dated documents: which may follow, and which counts at a time."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.base import versions
from kit.base.versions import (
    AlreadyExistsDifferently,
    EffectiveTooSoon,
    Newest,
    VersionNotNext,
)

NOW = datetime(2026, 3, 21, 8, tzinfo=UTC)


class Price(NamedTuple):
    version: int
    effective_from: datetime
    rial: int = 1000


def price(version: int, starts_in_s: int, rial: int = 1000) -> Price:
    return Price(version, NOW + timedelta(seconds=starts_in_s), rial)


def refusal(
    draft: Price, newest: Newest | None, *, backdated: bool = False, earliest_in_s: int | None = 60
) -> type[Exception] | None:
    """What speaks against a version's following the newest one; None: it may."""
    earliest = None if earliest_in_s is None else NOW + timedelta(seconds=earliest_in_s)
    try:
        assert versions.is_new(draft, None, newest, earliest=earliest, backdated=backdated)
    except (VersionNotNext, EffectiveTooSoon) as no:
        return type(no)
    return None


NEWEST = Newest(3, NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("version", "starts_in_s", "newest", "backdated", "expected"),
    [
        (1, -86_400_000, None, False, None),
        (4, 60, NEWEST, False, None),
        (4, -3600, NEWEST, True, None),
        (4, -86_400, NEWEST, True, None),
        (4, -864_000_000, NEWEST, True, None),
        (2, 60, None, False, VersionNotNext),
        (2, 60, None, True, VersionNotNext),
        (3, 60, NEWEST, False, VersionNotNext),
        (5, 60, NEWEST, False, VersionNotNext),
        (5, 60, NEWEST, True, VersionNotNext),
        (4, 59, NEWEST, False, EffectiveTooSoon),
        (4, -3600, NEWEST, False, EffectiveTooSoon),
        (4, -86_401, NEWEST, False, EffectiveTooSoon),
    ],
)
def test_which_version_may_follow(
    version: int,
    starts_in_s: int,
    newest: Newest | None,
    backdated: bool,
    expected: type[Exception] | None,
) -> None:
    assert refusal(price(version, starts_in_s), newest, backdated=backdated) is expected


def test_without_an_earliest_time_only_the_newest_version_binds() -> None:
    assert refusal(price(4, -86_400), NEWEST, earliest_in_s=None) is None
    assert refusal(price(4, -86_401), NEWEST, earliest_in_s=None) is EffectiveTooSoon
    late = Newest(3, NOW + timedelta(days=1))
    assert refusal(price(4, 86_399), late) is EffectiveTooSoon
    assert refusal(price(4, 86_400), late) is None


def test_what_is_refused_says_how_to_do_it_right() -> None:
    with pytest.raises(VersionNotNext) as gap:
        versions.is_new(price(7, 0), None, NEWEST)
    assert (gap.value.status, gap.value.extra) == (409, {"expected": 4})
    with pytest.raises(EffectiveTooSoon) as early:
        versions.is_new(price(4, -90_000), None, NEWEST)
    assert (early.value.status, "2026-03-20T08:00:00+00:00" in str(early.value)) == (422, True)


def test_the_same_version_again_is_not_new_and_another_body_is_refused() -> None:
    kept = price(1, 0)
    assert not versions.is_new(price(1, 0), kept, kept)
    assert not versions.is_new(price(1, 0), kept, NEWEST, earliest=NOW + timedelta(days=9))
    for other in (price(1, 0, rial=999), price(1, 1)):
        with pytest.raises(AlreadyExistsDifferently) as taken:
            versions.is_new(other, kept, kept, backdated=True)
        assert (taken.value.status, taken.value.code) == (422, "already-exists-differently")


STARTS = st.lists(st.integers(-9, 9), max_size=6)


@given(starts=STARTS, at=st.integers(-10, 10))
def test_of_those_whose_time_has_come_the_one_that_starts_last_counts(
    starts: list[int], at: int
) -> None:
    published = [price(number, start) for number, start in enumerate(starts, 1)]
    now = NOW + timedelta(seconds=at)
    begun = [one for one in published if one.effective_from <= now]
    expected = max(begun, key=lambda one: (one.effective_from, one.version), default=None)
    assert versions.in_force(versions.latest_first(published), now) == expected


@given(starts=STARTS)
def test_without_backdated_versions_the_order_is_that_of_numbers(starts: list[int]) -> None:
    published = [price(number, start) for number, start in enumerate(sorted(starts), 1)]
    assert versions.latest_first(published) == published[::-1]


def test_a_backdated_version_counts_only_before_the_others_start() -> None:
    first, backdated = price(1, 0), price(2, -60)
    in_order = versions.latest_first([first, backdated])
    assert versions.in_force(in_order, NOW) == first
    assert versions.in_force(in_order, NOW - timedelta(seconds=1)) == backdated
    assert versions.in_force(in_order, NOW - timedelta(seconds=61)) is None
