"""docs/requirements.md, the marks of tests and the modules that carry them say the same."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
ID: Final = re.compile(r"(?:SH|NH|IS|RK|DT)\d+[a-c]?")
MARK: Final = re.compile(rf"pytest\.mark\.({ID.pattern})\b")
ROWS_COUNT: Final = {"SH": 15, "NH": 24, "IS": 8, "RK": 7, "DT": 8}
FOLDERS: Final = {
    "e2e": "tests/e2e",
    "integration": "tests/integration",
    "contract": "tests/contract",
    "sdk": "clients/python/tests",
    **{room: f"{room}/tests" for room in ("contracts", "kit", "gateway")},
}


@cache
def rows() -> dict[str, tuple[str, frozenset[str], str]]:
    """Of each row its state, the modules that it names, and its last cell."""
    found: dict[str, tuple[str, frozenset[str], str]] = {}
    for line in (ROOT / "docs/requirements.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and ID.fullmatch(cells[0]):
            assert cells[0] not in found, f"{cells[0]} twice"
            found[cells[0]] = (cells[2], frozenset(re.findall("`(.+?)`", cells[3])), cells[4])
    return found


def module_of(short: str) -> Path:
    folder, _, name = short.partition("/")
    return ROOT / FOLDERS.get(folder, f"services/{folder}/tests") / f"{name}.py"


@cache
def marked() -> dict[str, set[Path]]:
    """Of each mark the modules that carry it."""
    found: dict[str, set[Path]] = {}
    for pattern in ("tests/**", "*/tests", "services/*/tests", "clients/*/tests", "*/*/tests"):
        for folder in ROOT.glob(pattern):
            for path in folder.glob("test_*.py"):
                for mark in MARK.findall(path.read_text("utf-8")):
                    found.setdefault(mark, set()).add(path)
    return found


def registered() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = (
        line.partition(":")[0] for line in settings["tool"]["pytest"]["ini_options"]["markers"]
    )
    return {name for name in names if ID.fullmatch(name)}


def test_every_requirement_has_a_row() -> None:
    counts = {family: sum(key.startswith(family) for key in rows()) for family in ROWS_COUNT}
    assert counts == ROWS_COUNT


def test_a_row_says_what_holds_it_or_that_nothing_does() -> None:
    for key, (state, modules, rest) in rows().items():
        assert state in ("held", "part", "not yet"), key
        assert bool(modules) == (state != "not yet"), f"{key}: {state}, and tests: {modules}"
        assert state != "part" or rest, f"{key} does not say what lacks"


@pytest.mark.parametrize("key", sorted(rows()))
def test_a_row_names_the_very_modules_that_carry_its_mark(key: str) -> None:
    named = {module_of(short) for short in rows()[key][1]}
    assert {p.relative_to(ROOT) for p in named if not p.exists()} == set()
    assert named == marked().get(key, set()), f"docs/requirements.md, row {key}"


def test_marks_are_registered_and_none_is_without_a_row() -> None:
    held = {key for key, (state, *_) in rows().items() if state != "not yet"}
    assert registered() == held
    assert marked().keys() == held
