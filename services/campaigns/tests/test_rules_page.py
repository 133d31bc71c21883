"""docs/guides/rules.md does as it says: every example is compiled, tried and compared."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from campaigns.rules.domain import conditions, effects, explanations, schema, tree
from contracts.pos import Line

pytestmark = pytest.mark.SH7

PAGE = (Path(__file__).parents[3] / "docs/guides/rules.md").read_text("utf-8")
EXAMPLE = re.compile(r"^```json rule\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)
EARN_PER_RIAL = 10_000


def the_basket() -> schema.BasketFacts:
    found = re.search(r"^```json basket\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    body = json.loads(found[1])
    lines = msgspec.convert(body.pop("lines"), tuple[Line, ...])
    at = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
    hour, weekday, month, day = schema.calendar(at)
    earning = [line for line in lines if line.amount_rial]
    basket = msgspec.convert(
        {
            **body,
            **{"branch": 0, "terminal": 0, "occurred_at": at, "accepted_at": at, "lines": []},
            **{"hour": hour, "weekday": weekday, "jalali_month": month, "jalali_day": day},
            **{"earning": [], "base": [], "base_denominator": EARN_PER_RIAL},
        },
        schema.BasketFacts,
    )
    base = [line.amount_rial for line in earning]
    return msgspec.structs.replace(basket, lines=lines, earning=earning, base=base)


def outcome(rule: dict[str, Any], basket: schema.BasketFacts) -> str:
    """What the page says of a rule: what it gives, why it is false, or why it is refused."""
    problems: list[tree.Problem] = []
    condition, effect = None, None
    try:
        condition = conditions.compile_condition(rule["condition"], "/condition")
    except tree.Rejected as rejected:
        problems += rejected.problems
    try:
        effect = effects.compile_effect(rule["effect"], "/effect")
    except tree.Rejected as rejected:
        problems += rejected.problems
    if condition is None or effect is None:
        return "\n".join(f"refused {p.code} at {p.path}" for p in problems)
    if not condition.run(basket):
        (clause,) = explanations.failed_clauses(condition, basket)
        return f"false at {clause.path}: {clause.en}"
    bonus = effects.give(effect, basket)
    if not bonus.parts:
        return f"gives 0: {bonus.capped.value if bonus.capped else 'no line'}"
    parts = ", ".join(f"line {line}: {points}" for line, points in bonus.parts)
    return f"gives {bonus.points}: {parts}"


@pytest.mark.parametrize(("rule", "told"), EXAMPLES)
def test_an_example_does_as_the_page_says(rule: str, told: str) -> None:
    assert outcome(json.loads(rule), the_basket()) == told.strip()


def test_the_page_names_every_operator_and_field() -> None:
    assert len(EXAMPLES) >= 10
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`([^`\n]+)`", prose))
    fields = {*schema.TRANSACTION, *schema.LINE}
    assert fields <= named
    with pytest.raises(tree.Rejected) as refused:
        conditions.compile_condition({"unheard-of": []}, "/condition")
    listed = refused.value.problems[0].detail.partition("is not one of ")[2].split(", ")
    assert set(listed) <= named


def test_the_bounds_are_those_of_the_engine() -> None:
    bounds = (tree.DEPTH_MAX, tree.NODES_MAX, tree.ARGUMENTS_MAX, tree.LIST_MAX, tree.TEXT_MAX)
    assert bounds == (12, 300, 30, 500, 64)
    last = PAGE.strip().rpartition("\n\n")[2]
    assert last.startswith("Twelve levels deep, 300 nodes")
    assert re.findall(r"\d+", last) == [str(bound) for bound in bounds[1:]]
