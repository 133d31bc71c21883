"""What a bonus rule gives, as tables an accountant can read, and which version counts when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.domain import book, effects, publishing
from campaigns.rules.domain.book import Skipped
from campaigns.rules.domain.effects import CapPolicy
from campaigns.rules.domain.schema import BasketFacts
from campaigns.rules.domain.tree import Rejected
from contracts.campaigns import RulePublished
from contracts.pos import Line
from contracts.values import Channel, Kind

pytestmark = pytest.mark.SH7

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
DAIRY = {"==": [{"var": "category"}, "dairy"]}


def basket(*lines: Line, earn_points: int = 1, earn_per_rial: int = 10_000) -> BasketFacts:
    return BasketFacts(
        kind=Kind.PURCHASE,
        channel=Channel.TILL,
        merchant=5,
        branch=1,
        terminal=1,
        amount_rial=sum(line.amount_rial for line in lines),
        hour=11,
        weekday="saturday",
        jalali_month=1,
        jalali_day=1,
        occurred_at=NOW,
        accepted_at=NOW,
        lines=lines,
        earning=lines,
        base=[line.amount_rial * earn_points for line in lines],
        base_denominator=earn_per_rial,
    )


def line(number: int, amount_rial: int, category: str = "") -> Line:
    return Line(line=number, amount_rial=amount_rial, category=category)


BASKET = basket(line(1, 705_000, "dairy"), line(2, 304_999), line(4, 100_000, "dairy"))

#  the base is 110.9999 points exactly: 70.5 + 30.4999 + 10
GIVEN: list[tuple[str, dict[str, Any], dict[int, int], CapPolicy | None]] = [
    ("once a basket, shared by amount", {"fixed": {"points": 100}}, {1: 64, 2: 27, 4: 9}, None),
    ("for each line", {"fixed": {"points": 7, "per": "line"}}, {1: 7, 2: 7, 4: 7}, None),
    (
        "for each dairy line",
        {"fixed": {"points": 7, "per": "line", "lines": DAIRY}},
        {1: 7, 4: 7},
        None,
    ),
    (
        "once, when there is dairy, shared by the dairy lines",
        {"fixed": {"points": 10, "lines": DAIRY}},
        {1: 9, 4: 1},
        None,
    ),
    ("nothing qualifies", {"fixed": {"points": 9, "lines": {"==": ["a", "b"]}}}, {}, None),
    ("double: as much again", {"multiply": {"increment_bp": 10_000}}, {1: 70, 2: 30, 4: 10}, None),
    ("treble: twice as much more", {"multiply": {"increment_bp": 20_000}},
     {1: 140, 2: 61, 4: 20}, None),
    ("half more on dairy", {"multiply": {"increment_bp": 5_000, "lines": DAIRY}},
     {1: 35, 4: 5}, None),
    ("a thousandth: below one point", {"multiply": {"increment_bp": 10}}, {}, None),
    (
        "trimmed to its cap",
        {"multiply": {"increment_bp": 10_000, "cap": {"points": 50, "then": "trim"}}},
        {1: 32, 2: 14, 4: 4},
        CapPolicy.TRIM,
    ),
    (
        "exactly its cap",
        {"multiply": {"increment_bp": 10_000, "cap": {"points": 110, "then": "reject"}}},
        {1: 70, 2: 30, 4: 10},
        None,
    ),
    (
        "rejected above its cap",
        {"fixed": {"points": 51, "per": "line", "cap": {"points": 152, "then": "reject"}}},
        {},
        CapPolicy.REJECT,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("effect", "parts", "capped"), [g[1:] for g in GIVEN],
                         ids=[g[0] for g in GIVEN])  # fmt: skip
def test_points_of_a_rule_by_line(effect: Any, parts: Any, capped: CapPolicy | None) -> None:
    given = effects.give(effects.compile_effect(effect, ""), BASKET)
    assert dict(given.parts) == parts
    assert given.capped is capped


FAULTS: list[tuple[Any, str, str]] = [
    (5, "/effect", "unknown-effect"),
    ({"points": 5}, "/effect", "unknown-effect"),
    ({"fixed": {}, "multiply": {}}, "/effect", "unknown-effect"),
    ({"fixed": 5}, "/effect/fixed", "not-an-object"),
    ({"fixed": {}}, "/effect/fixed", "missing-field"),
    ({"fixed": {"points": 5.0}}, "/effect/fixed/points", "float-refused"),
    ({"fixed": {"points": True}}, "/effect/fixed/points", "wrong-type"),
    ({"fixed": {"points": 0}}, "/effect/fixed/points", "out-of-range"),
    ({"fixed": {"points": 5, "per": "week"}}, "/effect/fixed/per", "unknown-word"),
    ({"fixed": {"points": 5, "colour": 1}}, "/effect/fixed/colour", "unknown-field"),
    ({"multiply": {"increment_bp": 1.5}}, "/effect/multiply/increment_bp", "float-refused"),
    ({"multiply": {"increment_bp": 1, "per": "line"}}, "/effect/multiply/per", "unknown-field"),
    ({"fixed": {"points": 5, "cap": {"points": 9}}}, "/effect/fixed/cap", "missing-field"),
    (
        {"fixed": {"points": 5, "cap": {"points": 9, "then": "explode"}}},
        "/effect/fixed/cap/then",
        "unknown-word",
    ),
    (
        {"fixed": {"points": 5, "lines": {"==": [{"var": "hour"}, 1]}}},
        "/effect/fixed/lines/==/0/var",
        "unknown-field",
    ),
]


@pytest.mark.parametrize(("effect", "path", "code"), FAULTS)
def test_a_faulty_effect_is_refused_with_its_path(effect: Any, path: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        effects.compile_effect(effect, "/effect")
    assert (refused.value.problems[0].path, refused.value.problems[0].code) == (path, code)


def published(**changes: Any) -> RulePublished:
    given: dict[str, Any] = {
        "rule": "nowruz",
        "version": 1,
        "effective_from": NOW - DAY,
        "effective_until": NOW + DAY,
        "merchants": (),
        "funder": 1,
        "title_fa": "نوروز",
        "title_en": "Nowruz",
        "condition": True,
        "effect": {"fixed": {"points": 5}},
    }
    return RulePublished(**(given | changes))


def test_faults_of_condition_effect_and_window_are_told_together() -> None:
    faulty = published(
        rule="base",
        effective_until=NOW - DAY,
        condition={"==": [1, "1"]},
        effect={"fixed": {"points": 1.5}},
    )
    with pytest.raises(publishing.RuleInvalid) as refused:
        publishing.check_rule(faulty)
    assert [p["path"] for p in refused.value.extra["problems"]] == [
        "/rule", "/effective_until", "/condition/==", "/effect/fixed/points",
    ]  # fmt: skip


ONE = published()
TWO = published(version=2, effective_from=NOW, effective_until=None)
GONE = published(version=3, effective_from=NOW + 2 * DAY, retired=True)

IN_FORCE: list[tuple[str, datetime, datetime, int | Skipped]] = [
    ("before the first", NOW - 2 * DAY, NOW - 2 * DAY, Skipped.NOT_YET),
    ("the first", NOW - DAY, NOW - DAY, 1),
    ("sold under one, heard after two", NOW - DAY / 2, NOW + DAY / 2, 1),
    ("sold under one, heard after its window", NOW - DAY / 2, NOW + DAY, Skipped.NOT_LIVE),
    ("the second", NOW, NOW, 2),
    ("sold under two, heard late", NOW, NOW + DAY, 2),
    ("a clock ahead: not live yet", NOW, NOW - DAY / 24, Skipped.NOT_LIVE),
    ("retired", NOW + 2 * DAY, NOW + 2 * DAY, Skipped.RETIRED),
    ("sold before the retirement, heard before it", NOW, NOW + 2 * DAY - SECOND, 2),
    ("sold before the retirement, heard with it", NOW, NOW + 2 * DAY, Skipped.RETIRED),
    ("sold under one, heard long after the retirement", NOW - DAY, NOW + 90 * DAY, Skipped.RETIRED),
]


@pytest.mark.parametrize(("occurred_at", "accepted_at", "counts"), [f[1:] for f in IN_FORCE],
                         ids=[f[0] for f in IN_FORCE])  # fmt: skip
def test_occurred_at_picks_the_version_and_accepted_at_its_life(
    occurred_at: datetime, accepted_at: datetime, counts: int | Skipped
) -> None:
    cache = book.with_rules(book.EMPTY, map(book.compile_rule, (TWO, GONE, ONE)))
    (chain,) = book.chains(cache, 5)
    found = book.in_force(chain, 5, occurred_at, accepted_at)
    assert (found if isinstance(found, Skipped) else found.published.version) == counts


def test_a_retirement_ends_what_was_before_it_and_nothing_after() -> None:
    """A rule comes back after its retirement: for sales since then, and for no older one."""
    again = published(version=4, effective_from=NOW + 3 * DAY, effective_until=None)
    cache = book.with_rules(book.EMPTY, map(book.compile_rule, (ONE, TWO, GONE, again)))
    (chain,) = book.chains(cache, 5)
    heard = NOW + 4 * DAY
    since = book.in_force(chain, 5, NOW + 3 * DAY, heard)
    assert not isinstance(since, Skipped)
    assert since.version == 4
    assert book.in_force(chain, 5, NOW, heard) is Skipped.RETIRED


def test_a_retirement_that_never_came_into_force_ends_nothing() -> None:
    """One that was called off in time: a version of the same moment stands in its place."""
    instead = published(version=4, effective_from=GONE.effective_from, effective_until=None)
    cache = book.with_rules(book.EMPTY, map(book.compile_rule, (ONE, TWO, GONE, instead)))
    (chain,) = book.chains(cache, 5)
    found = book.in_force(chain, 5, NOW, NOW + 3 * DAY)
    assert not isinstance(found, Skipped)
    assert found.version == 2


def test_rules_stack_in_one_order_whatever_the_order_of_arrival() -> None:
    rules = [
        published(rule="c-double", effect={"multiply": {"increment_bp": 10_000}}),
        published(rule="b-treble", effect={"multiply": {"increment_bp": 20_000}}, merchants=(5,)),
        published(rule="z-fixed", merchants=(5, 6)),
        published(rule="a-elsewhere", merchants=(6,)),
    ]
    first = book.with_rules(book.EMPTY, map(book.compile_rule, rules))
    second = book.EMPTY
    for rule in reversed(rules):
        second = book.with_rules(second, [book.compile_rule(rule)])
    for cache in (first, second, book.with_rules(second, map(book.compile_rule, rules))):
        said = book.bonuses(cache, BASKET)
        # increments add: the base's 110.9999 once more and twice more, each rule floored once
        assert [(b.rule, b.effect.points) for b in said] == [
            ("z-fixed", 5), ("b-treble", 221), ("c-double", 110),
        ]  # fmt: skip


amounts = st.lists(st.integers(1, 10**12), min_size=1, max_size=8)
shapes = st.one_of(
    st.builds(lambda p: {"fixed": {"points": p}}, st.integers(1, 10**6)),
    st.builds(lambda p: {"fixed": {"points": p, "per": "line"}}, st.integers(1, 10**6)),
    st.builds(lambda p: {"multiply": {"increment_bp": p}}, st.integers(1, 10**6)),
)


@given(amounts, shapes, st.integers(1, 10**6), st.sampled_from(CapPolicy), st.integers(1, 10**5))
def test_lines_sum_to_the_award_floored_once(
    amounts: list[int], shape: Any, cap: int, then: CapPolicy, per_rial: int
) -> None:
    lines = [line(i, a) for i, a in enumerate(amounts, 1)]
    facts = basket(*lines, earn_per_rial=per_rial)
    free = effects.give(effects.compile_effect(shape, ""), facts)
    ((name, fields),) = shape.items()
    capped_shape = {name: fields | {"cap": {"points": cap, "then": then.value}}}
    capped = effects.give(effects.compile_effect(capped_shape, ""), facts)
    match fields:
        case {"increment_bp": increment}:
            exact = sum(amounts) * increment // (per_rial * 10_000)
        case {"points": points, "per": "line"}:
            exact = points * len(amounts)
        case {"points": points}:
            exact = points
        case _:
            raise AssertionError(fields)
    assert free.points == exact
    if exact <= cap:
        assert capped == free
    else:
        assert capped.points == (cap if then is CapPolicy.TRIM else 0)
        assert capped.capped is then
    for number, points in free.parts:
        share = amounts[number - 1] if name == "multiply" or "per" not in fields else 1
        whole = sum(amounts) if name == "multiply" or "per" not in fields else len(amounts)
        assert abs(points * whole - exact * share) < whole  # within one point of its share
