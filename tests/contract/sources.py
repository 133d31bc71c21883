"""The project's files as tests of this folder read them; Python is parsed once for all of them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Files of the project, as git knows them (new ones too)."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


@cache
def parsed(path: Path) -> ast.Module:
    """A Python file."""
    return ast.parse(path.read_text("utf-8"))


@cache
def definitions(path: Path) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, ...]:
    """Functions and classes of a file, at any depth."""
    wanted = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return tuple(node for node in statements(parsed(path)) if isinstance(node, wanted))


def statements(block: ast.AST) -> Iterator[ast.AST]:
    """Statements in a block, at any depth; an expression has none."""
    for node in ast.iter_child_nodes(block):
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            yield node
            yield from statements(node)
