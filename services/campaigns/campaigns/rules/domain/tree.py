"""The parts of a compiled condition: its nodes, what is wrong with it, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from campaigns.rules.domain.schema import Field, Read, Type
from contracts.text import fold_or_keep

DEPTH_MAX: Final = 12
NODES_MAX: Final = 300
ARGUMENTS_MAX: Final = 30
LIST_MAX: Final = 500
TEXT_MAX: Final = 64
PROBLEMS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a rule, and where: a JSON Pointer (RFC 6901) into the rule."""

    path: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One checked node and the closure that computes it. optional: run may give None, missing.

    field: of a var. literal: set with operator "literal"; a frozenset for the list of `in`.
    """

    path: str
    operator: str
    type: Type
    run: Read
    arguments: tuple["Node", ...] = ()
    optional: bool = False
    field: Field | None = None
    literal: Any = None


def folded(raw: Any) -> Any:
    """A condition or effect as it is stored: its texts folded like the values they meet.

    raw: decoded JSON, its depth bounded by the API. Text that cannot be folded is left for the
    compiler to reject.
    """
    match raw:
        case str():
            return fold_or_keep(raw)
        case list():
            return [folded(value) for value in cast("list[Any]", raw)]
        case dict():
            return {key: folded(value) for key, value in cast("dict[Any, Any]", raw).items()}
        case _:
            return raw


class Rejected(Exception):
    """A condition that is not valid; problems says where and why. Never leaves this folder."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems, the first: {problems[0]}")
        self.problems = problems


@dataclass(slots=True)
class Size:
    nodes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where the compiler stands: path, readable fields, depth, and the count of nodes."""

    path: str
    scope: Mapping[str, Field]
    depth: int
    size: Size

    def down(self, *parts: str | int, scope: Mapping[str, Field] | None = None) -> "At":
        escaped = (str(p).replace("~", "~0").replace("/", "~1") for p in parts)
        return At(
            path="/".join((self.path, *escaped)),
            scope=self.scope if scope is None else scope,
            depth=self.depth + 1,
            size=self.size,
        )

    def reject(self, code: str, detail: str) -> Rejected:
        return Rejected([Problem(path=self.path or "/", code=code, detail=detail)])
