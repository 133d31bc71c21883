"""The rules engine's own dialect: what each operator means, and what is refused, with its path."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.domain import explanations, schema
from campaigns.rules.domain.conditions import (
    compile_condition,
    compile_line_condition,
)
from campaigns.rules.domain.schema import BasketFacts
from campaigns.rules.domain.tree import DEPTH_MAX, NODES_MAX, Node, Problem, Rejected
from contracts.pos import Line
from contracts.values import AMOUNT_MAX, Channel, Kind

pytestmark = pytest.mark.SH7

MILK = Line(line=1, amount_rial=700_000, quantity=2, sku="6260", category="dairy")
BREAD = Line(line=2, amount_rial=300_000, category="bakery")
BAG = Line(line=3, amount_rial=0)  # the till said neither sku nor category


def basket(**changes: Any) -> BasketFacts:
    at = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
    hour, weekday, month, day = schema.calendar(at)
    given: dict[str, Any] = {
        "kind": Kind.PURCHASE,
        "channel": Channel.TILL,
        "merchant": 5,
        "branch": 0,
        "terminal": 10000017,
        "amount_rial": 1_000_000,
        "hour": hour,
        "weekday": weekday,
        "jalali_month": month,
        "jalali_day": day,
        "occurred_at": at,
        "accepted_at": at,
        "lines": (MILK, BREAD, BAG),
        "earning": (MILK, BREAD),
        "base": (7, 3),
        "base_denominator": 1,
    }
    return BasketFacts(**(given | changes))


AMOUNT = {"var": "amount_rial"}
BRANCH = {"var": "branch"}  # missing in the basket
DAIRY = {"==": [{"var": "category"}, "dairy"]}

MEANINGS: list[tuple[Any, bool]] = [
    (True, True),
    (False, False),
    ({"==": [AMOUNT, 1_000_000]}, True),
    ({"==": [1_000_000, AMOUNT]}, True),
    ({"==": [{"var": ["amount_rial"]}, 999_999]}, False),
    ({"==": [{"var": "kind"}, "purchase"]}, True),
    ({"==": [{"var": "channel"}, "online"]}, False),
    ({"==": [{"==": [1, 1]}, True]}, True),
    ({"<": [AMOUNT, 1_000_000]}, False),
    ({"<=": [AMOUNT, 1_000_000]}, True),
    ({">": [AMOUNT, 999_999]}, True),
    ({">=": [AMOUNT, 1_000_001]}, False),
    ({"<=": [500_000, AMOUNT, 2_000_000]}, True),
    ({"<": [500_000, AMOUNT, 1_000_000]}, False),
    ({"and": [True, {">": [AMOUNT, 1]}]}, True),
    ({"and": [True, False]}, False),
    ({"or": [False, {">": [AMOUNT, 1]}]}, True),
    ({"or": [False, False]}, False),
    ({"not": [False]}, True),
    ({"in": [{"var": "merchant"}, [4, 5]]}, True),
    ({"in": [{"var": "kind"}, ["refund", "reversal"]]}, False),
    # a missing field: false in every comparison, whichever side it stands on
    ({"==": [BRANCH, 0]}, False),
    ({"==": [0, BRANCH]}, False),
    ({"==": [BRANCH, BRANCH]}, False),
    ({"<": [BRANCH, 5]}, False),
    ({">": [BRANCH, 5]}, False),
    ({"<=": [0, BRANCH, 9]}, False),
    ({"in": [BRANCH, [0, 1]]}, False),
    ({"not": [{"==": [BRANCH, 5]}]}, True),
    # and arithmetic with it is missing too
    ({">=": [{"+": [BRANCH, 1]}, 0]}, False),
    ({">=": [{"-": [1, BRANCH]}, 0]}, False),
    ({">=": [{"*": [BRANCH, 2]}, 0]}, False),
    ({">=": [{"div_floor": [BRANCH, 2]}, 0]}, False),
    # unless a default is given
    ({"==": [{"var": ["branch", 0]}, 0]}, True),
    ({"some": [{"var": "lines"}, {"==": [{"var": ["category", "none"]}, "none"]}]}, True),
    # arithmetic
    ({"==": [{"+": [1, 2, 3]}, 6]}, True),
    ({"==": [{"-": [AMOUNT, 1]}, 999_999]}, True),
    ({"==": [{"*": [2, 3, 4]}, 24]}, True),
    ({"==": [{"div_floor": [7, 2]}, 3]}, True),
    ({"==": [{"div_floor": [-7, 2]}, -4]}, True),  # towards minus infinity
    # lines
    ({"some": [{"var": "lines"}, DAIRY]}, True),
    ({"all": [{"var": "lines"}, DAIRY]}, False),
    ({"all": [{"var": ["lines"]}, {">=": [{"var": "amount_rial"}, 0]}]}, True),
    ({"none": [{"var": "lines"}, {"==": [{"var": "sku"}, "tobacco"]}]}, True),
    ({"some": [{"var": "lines"}, {">": [{"var": "quantity"}, 1]}]}, True),
    # the calendar of Iran: 1 Farvardin 1405 is a Saturday; 08:00 UTC is 11:30
    ({"==": [{"var": "jalali_month"}, 1]}, True),
    ({"==": [{"var": "jalali_day"}, 1]}, True),
    ({"==": [{"var": "weekday"}, "saturday"]}, True),
    ({"in": [{"var": "weekday"}, ["thursday", "friday"]]}, False),
    ({"==": [{"var": "hour"}, 11]}, True),
]


@pytest.mark.parametrize(("condition", "holds"), MEANINGS)
def test_every_operator_means_what_the_dialect_says(condition: Any, holds: bool) -> None:
    compiled = compile_condition(condition, "/condition")
    assert compiled.run(basket()) is holds
    assert bool(explanations.failed_clauses(compiled, basket())) is not holds


@pytest.mark.parametrize(("operator", "holds"), [("some", False), ("all", False), ("none", True)])
def test_a_basket_without_lines(operator: str, holds: bool) -> None:
    compiled = compile_condition({operator: [{"var": "lines"}, DAIRY]}, "")
    assert compiled.run(basket(lines=())) is holds


def nested(depth: int) -> Any:
    return True if depth == 0 else {"not": [nested(depth - 1)]}


REFUSALS: list[tuple[Any, str, str]] = [
    (1.5, "/condition", "float-refused"),
    ({"<": [AMOUNT, 1000000.0]}, "/condition/</1", "float-refused"),
    ({"==": [{"var": ["branch", 0.5]}, 1]}, "/condition/==/0/var/1", "float-refused"),
    ({"in": [AMOUNT, [1, 2.0]]}, "/condition/in/1/1", "float-refused"),
    (None, "/condition", "not-a-value"),
    ([], "/condition", "not-a-value"),
    ({}, "/condition", "not-an-operator"),
    ({"and": [True], "or": [True]}, "/condition", "not-an-operator"),
    ({"xor": [True]}, "/condition", "unknown-operator"),
    ({"/": [AMOUNT, 3]}, "/condition", "unknown-operator"),
    (7, "/condition", "wrong-type"),
    ({"+": [1, 2]}, "/condition", "wrong-type"),
    ({"and": [True, AMOUNT]}, "/condition/and/1", "wrong-type"),
    ({"and": True}, "/condition/and", "wrong-count"),
    ({"not": [True, True]}, "/condition/not", "wrong-count"),
    ({"<": [1, 2, 3, 4]}, "/condition/<", "wrong-count"),
    ({">": [1, 2, 3]}, "/condition/>", "wrong-count"),
    ({"==": [AMOUNT, "1000000"]}, "/condition/==", "wrong-type"),
    ({"<": ["a", "b"]}, "/condition/</0", "wrong-type"),
    ({"==": [{"var": "colour"}, "red"]}, "/condition/==/0/var", "unknown-field"),
    ({"==": [{"var": "category"}, "dairy"]}, "/condition/==/0/var", "unknown-field"),
    ({"var": "lines"}, "/condition/var", "unknown-field"),
    ({"==": [{"var": ["branch", "x"]}, 1]}, "/condition/==/0/var", "wrong-type"),
    ({"==": [{"var": "kind"}, "sale"]}, "/condition/==", "never-true"),
    ({"==": [25, {"var": "hour"}]}, "/condition/==", "never-true"),
    ({"in": [{"var": "jalali_month"}, [1, 13]]}, "/condition/in/1", "never-true"),
    ({"==": [{"var": "weekday"}, "Friday"]}, "/condition/==", "never-true"),
    ({"in": [AMOUNT, []]}, "/condition/in/1", "wrong-count"),
    ({"in": [AMOUNT, "text"]}, "/condition/in/1", "wrong-count"),
    ({"in": [AMOUNT, [AMOUNT]]}, "/condition/in/1", "not-a-value"),
    ({"div_floor": [AMOUNT, 0]}, "/condition/div_floor/1", "bad-divisor"),
    ({"div_floor": [1, AMOUNT]}, "/condition/div_floor/1", "bad-divisor"),
    ({"some": [{"var": "amount_rial"}, True]}, "/condition/some/0", "unknown-field"),
    (
        {"some": [{"var": "lines"}, {"==": [{"var": "hour"}, 1]}]},
        "/condition/some/1/==/0/var",
        "unknown-field",
    ),
    (
        {"some": [{"var": "lines"}, {"some": [{"var": "lines"}, True]}]},
        "/condition/some/1/some",
        "no-list-here",
    ),
    ({"<": [AMOUNT, AMOUNT_MAX + 1]}, "/condition/</1", "number-too-large"),
    ({"==": ["x" * 65, "x"]}, "/condition/==/0", "bad-text"),
    ({"==": ["\x00", "x"]}, "/condition/==/0", "bad-text"),
    ({"and": [True] * 31}, "/condition/and", "wrong-count"),
]


@pytest.mark.parametrize(("condition", "path", "code"), REFUSALS)
def test_what_does_not_type_is_refused_with_its_path(condition: Any, path: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        compile_condition(condition, "/condition")
    assert (refused.value.problems[0].path, refused.value.problems[0].code) == (path, code)


def test_depth_and_size_are_bounded() -> None:
    with pytest.raises(Rejected, match="too-deep"):
        compile_condition(nested(DEPTH_MAX), "")
    wide = {"and": [{"and": [True] * 30}] * (NODES_MAX // 30 + 1)}
    with pytest.raises(Rejected, match="too-large"):
        compile_condition(wide, "")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Rejected) as refused:
        compile_condition({"and": [{"<": [1.5, "x"]}, 3]}, "/c")
    assert [p.path for p in refused.value.problems] == ["/c/and/0/</0", "/c/and/0/</1", "/c/and/1"]


def test_an_odd_key_is_escaped_in_the_path() -> None:
    with pytest.raises(Rejected) as refused:
        compile_line_condition({"==": [{"var": "sku", "a/b~": 1}, 1]}, "")
    assert refused.value.problems[0].path == "/==/0"


EXPLAINED: list[tuple[Any, list[tuple[str, str, tuple[Any, ...]]]]] = [
    (
        {"and": [True, {">=": [AMOUNT, 5_000_000]}, {"==": [BRANCH, 9]}]},
        [("/and/1/>=", ">=", (1_000_000, 5_000_000))],
    ),
    (
        {"or": [{"==": [{"var": "hour"}, 9]}, {"==": [BRANCH, 9]}]},
        [("/or/0/==", "==", (11, 9)), ("/or/1/==", "==", (None, 9))],
    ),
    ({"not": [{"in": [{"var": "merchant"}, [5, 4]]}]}, [("/not/0/in", "in", (5, [4, 5]))]),
    (
        {"not": [{"or": [False, {"==": [1, 1]}]}]},
        [("/not/0/or/1/==", "==", (1, 1))],
    ),
    (
        {"not": [{"and": [{"==": [1, 1]}, {"==": [2, 2]}]}]},
        [("/not/0/and/0/==", "==", (1, 1)), ("/not/0/and/1/==", "==", (2, 2))],
    ),
    ({"all": [{"var": "lines"}, DAIRY]}, [("/all", "all", (1, 3))]),
    (False, [("", "literal", ())]),
]


@pytest.mark.parametrize(("condition", "clauses"), EXPLAINED)
def test_a_no_names_the_clause_and_the_value_it_found(condition: Any, clauses: Any) -> None:
    failed = explanations.failed_clauses(compile_condition(condition, ""), basket())
    assert [(c.path, c.operator, c.found) for c in failed] == clauses
    assert all(c.fa and c.en for c in failed)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            datetime(2026, 3, 20, 20, 29, tzinfo=UTC),
            (23, "friday", 12, 29),
        ),  # Friday 29 Esfand 1404
        (datetime(2026, 3, 20, 20, 30, tzinfo=UTC), (0, "saturday", 1, 1)),  # Nowruz 1405, midnight
        (datetime(2021, 6, 21, 19, 30, tzinfo=UTC), (0, "tuesday", 4, 1)),  # summer of 1400: +04:30
        (
            datetime(2025, 3, 20, 12, 0, tzinfo=UTC),
            (15, "thursday", 12, 30),
        ),  # 30 Esfand of a leap year
    ],
)
def test_the_calendar_is_irans(at: datetime, expected: tuple[int, str, int, int]) -> None:
    assert schema.calendar(at) == expected


# ---------------------------------------------------------------------------- properties

numbers = st.integers(-1000, 1000)
leaves = st.one_of(
    st.booleans(),
    st.builds(lambda v: {"==": [AMOUNT, v]}, numbers),
    st.builds(lambda v: {">": [BRANCH, v]}, numbers),
    st.builds(lambda v: {"in": [{"var": "merchant"}, [v, 5]]}, numbers),
    st.just({"some": [{"var": "lines"}, DAIRY]}),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a: {"not": [a]}, inner),
        st.builds(lambda a: {"and": a}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda a: {"or": a}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=12,
)


def tried(raw: Any) -> Node | list[Problem]:
    try:
        return compile_condition(raw, "")
    except Rejected as rejected:
        return rejected.problems


def plain(tree: Any, facts: BasketFacts) -> bool:
    """The connectives again, written the simple way; leaves by the engine."""
    if isinstance(tree, dict) and "not" in tree:
        return not plain(tree["not"][0], facts)
    if isinstance(tree, dict) and "and" in tree:
        return all([plain(t, facts) for t in tree["and"]])
    if isinstance(tree, dict) and "or" in tree:
        return any([plain(t, facts) for t in tree["or"]])
    return compile_condition(tree, "").run(facts)


@given(trees)
def test_a_compiled_tree_is_its_connectives(tree: Any) -> None:
    compiled, facts = tried(tree), basket()
    if isinstance(compiled, list):
        assert {p.code for p in compiled} <= {"too-deep", "too-large"}
        return
    assert compiled.run(facts) is plain(tree, facts)
    assert bool(explanations.failed_clauses(compiled, facts)) is not compiled.run(facts)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["and", "var", "==", "in", "some", "+", "not", "div_floor", "x"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=10,
)


@given(json_like)
def test_whatever_is_saved_either_types_or_is_refused(raw: Any) -> None:
    compiled = tried(raw)
    if isinstance(compiled, list):
        assert compiled
    else:
        assert compiled.run(basket()) in (True, False)
