"""The table of codes in the gateway's README is whole: what any room answers stands in it."""

import ast
import re
from collections.abc import Iterator

from .sources import ROOT, parsed

PLACES = ("services/*/*", "kit/kit")
PROBLEMS = {"Invalid", "NotFound", "Conflict", "Malformed", "Forbidden", "TooLarge", "Unavailable"}
INNER = {"bad-checkpoint"}  # raised among ourselves: no door lets it out


def codes_of(node: ast.AST) -> Iterator[str]:
    """Codes that a class of problems has, or a problem is raised with."""
    if isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        found = [k.value for k in node.keywords if k.arg == "code"] if name in PROBLEMS else []
        values = [v.value for v in found if isinstance(v, ast.Constant)]
        yield from (value for value in values if isinstance(value, str) and value)
    if isinstance(node, ast.ClassDef):
        for line in node.body:
            if not isinstance(line, ast.Assign):
                continue
            target, value = line.targets[0], line.value
            names = (
                [e.id for e in target.elts if isinstance(e, ast.Name)]
                if isinstance(target, ast.Tuple)
                else [getattr(target, "id", "")]
            )
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            for name, one in zip(names, values, strict=False):
                if name == "code" and isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def test_the_table_of_codes_is_whole() -> None:
    told = set(re.findall(r"`([a-z-]+)`", (ROOT / "gateway/README.md").read_text("utf-8")))
    answered: dict[str, str] = {}
    for pattern in PLACES:
        for folder in sorted(ROOT.glob(pattern)):
            if folder.name in ("tests", "migrations") or not folder.is_dir():
                continue
            for path in sorted(folder.rglob("*.py")):
                for node in ast.walk(parsed(path)):
                    answered |= {code: str(path.relative_to(ROOT)) for code in codes_of(node)}
    missing = {code: place for code, place in answered.items() if code not in told | INNER}
    assert len(answered) > 40
    assert not missing
