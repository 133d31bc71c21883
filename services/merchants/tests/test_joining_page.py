"""docs/guides/joining.md does as it says: the example is computed, every rule is there."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from merchants.onboarding.domain import assessment
from merchants.onboarding.domain.assessment import Assessment
from merchants.onboarding.domain.facts import Goal
from merchants.onboarding.domain.forecast import Scenario, WarningCode
from merchants.onboarding.domain.rules import Rules
from merchants.onboarding.domain.wording import percent_en

from . import joining
from .joining import RULES

pytestmark = pytest.mark.SH1

PAGE = (Path(__file__).parents[3] / "docs/guides/joining.md").read_text("utf-8")


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def scenario(name: str, one: Scenario) -> str:
    assert one.break_even_uplift_bp is not None
    return (
        f"{name}: issued {one.issued_rial:,}, breakage {one.breakage_rial:,}, points"
        f" {one.points_cost_rial:,}, running {one.running_rial:,}, uplift"
        f" {percent_en(one.break_even_uplift_bp)}"
    )


def outline(result: Assessment) -> str:
    """An assessment as the page writes it."""
    scheme, forecast, package = result.scheme, result.forecast, result.package
    worst = forecast.worst_basket
    lines = [
        f"kind {scheme.kind}, {scheme.earn_points} points for every {scheme.earn_per_rial:,} Rial",
        *(
            f"{v.item} {v.value:,} ({v.minimum:,} to {v.maximum:,}): {v.reason.code}"
            for v in scheme.values
        ),
        *(scenario(name, getattr(forecast, name)) for name in ("low", "middle", "high")),
        f"worst basket: {worst.margin_rial:,} - {worst.earned_rial:,}"
        f" - {worst.own_discount_rial:,} = {worst.left_rial:,}",
        f"package {package.package}: set-up {package.setup_rial:,}, monthly"
        f" {package.monthly_rial:,} and {package.message_rial:,} for each SMS",
        "indicators: " + ", ".join(f"{i.code} {percent_en(i.target)}" for i in result.indicators),
    ]
    return "\n".join(lines) + "\n"


def test_the_example_is_assessed_as_the_page_says() -> None:
    answers = json.loads(block("json answers"))
    assert answers == joining.ANSWERS
    assert outline(assessment.assess(joining.basis())) == block("text")


def rows(heading: str) -> dict[str, str]:
    """The rows of the first table below a heading: the names of the first cell, and the rest."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|", 1) for line in section.splitlines() if "| `" in line]
    return {name: rest for cell, rest in lines for name in re.findall("`([a-z_-]+)`", cell)}


def test_the_page_has_every_rule_with_the_numbers_of_version_1() -> None:
    listed = rows("The rules")
    assert set(listed) == {field.name for field in msgspec.structs.fields(Rules)}
    for name, value in msgspec.structs.asdict(RULES).items():
        if isinstance(value, int):
            assert str(value) in re.findall(r"\d+", listed[name]), name
    shares = ", ".join(f"{goal} {percent_en(share_of(goal))}" for goal in Goal)
    assert shares in listed["goals"]
    for row in RULES.validities:
        assert str(row.days) in listed["validities"]


def share_of(goal: Goal) -> int:
    return next(row.margin_share_bp for row in RULES.goals if row.goal is goal)


def test_the_page_has_every_warning() -> None:
    assert set(rows("Warnings")) == {code.value for code in WarningCode}
