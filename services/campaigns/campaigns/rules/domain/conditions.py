"""Typed conditions in JsonLogic shape, compiled to closures; errors carry the path of the fault.

Our dialect is strict; what JsonLogic leaves loose is decided here:

* No float, no null, no conversion between types. Every list and depth is bounded.
* A missing field makes ==, <, <=, >, >= and in false, and +, -, * and div_floor missing;
  {"var": [name, default]} gives the default instead. `not` of a comparison with a missing field
  is therefore true.
* some over no line is false, all over no line is false, none over no line is true.
* div_floor rounds towards minus infinity, its divisor is a positive literal.
* Inside some, all and none, var reads the line and nothing else.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from campaigns.rules.domain import closures
from campaigns.rules.domain.schema import LINE, LINES, TRANSACTION, Type
from campaigns.rules.domain.tree import (
    ARGUMENTS_MAX,
    DEPTH_MAX,
    LIST_MAX,
    NODES_MAX,
    PROBLEMS_MAX,
    TEXT_MAX,
    At,
    Node,
    Problem,
    Rejected,
    Size,
)
from contracts.text import fold_or_keep
from contracts.values import AMOUNT_MAX, storable


def compile_condition(raw: Any, path: str) -> Node:
    """Check a condition on a transaction and compile it: run takes a BasketFacts and gives a bool.

    raw: decoded JSON. path: where it stands in the rule. Raises Rejected with every problem found.
    Source: campaigns reference 1.
    """
    return _condition(raw, At(path=path, scope=TRANSACTION, depth=0, size=Size()))


def compile_line_condition(raw: Any, path: str) -> Node:
    """Check a condition on one line and compile it: run takes a pos.Line and gives a bool."""
    return _condition(raw, At(path=path, scope=LINE, depth=0, size=Size()))


def _condition(raw: Any, at: At) -> Node:
    node = _node(raw, at)
    if node.type is not Type.BOOL:
        raise at.reject("wrong-type", f"a condition is true or false, this is {node.type.value}")
    return node


def _node(raw: Any, at: At) -> Node:
    at.size.nodes += 1
    if at.depth > DEPTH_MAX:
        raise at.reject("too-deep", f"at most {DEPTH_MAX} levels")
    if at.size.nodes > NODES_MAX:
        raise at.reject("too-large", f"at most {NODES_MAX} nodes in a rule")
    if not isinstance(raw, dict):
        return _literal(raw, at)
    items: list[tuple[Any, Any]] = list(raw.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    if len(items) != 1:
        raise at.reject("not-an-operator", 'a node is {"operator": [arguments]}, one operator')
    name, arguments = items[0]
    build = _OPERATORS.get(name)
    if build is None:
        known = ", ".join(_OPERATORS)
        raise at.reject("unknown-operator", f"{name!r} is not one of {known}")
    return build(arguments, at.down(name))


def _literal(raw: Any, at: At) -> Node:
    match raw:
        case bool():
            kind = Type.BOOL
        case int():
            if abs(raw) > AMOUNT_MAX:
                raise at.reject("number-too-large", f"at most {AMOUNT_MAX} either way")
            kind = Type.INT
        case float():
            raise at.reject("float-refused", f"{raw!r}: amounts are integers; write one")
        case str():
            raw = _text(raw, at)
            kind = Type.TEXT
        case _:
            raise at.reject("not-a-value", "a number, a text, true, false or an operator")
    return Node(path=at.path, operator="literal", type=kind, run=lambda _: raw, literal=raw)


def _text(raw: str, at: At) -> str:
    """A text folded as a code, as the values that it is compared with are."""
    if not storable(folded := fold_or_keep(raw)) or len(folded) > TEXT_MAX:
        raise at.reject("bad-text", f"at most {TEXT_MAX} storable characters")
    return folded


# ------------------------------------------------------------------------------------- arguments


def _listed(raw: Any, at: At, low: int, high: int) -> list[Any]:
    if not isinstance(raw, list):
        raise at.reject("wrong-count", "the arguments are a list")
    values: list[Any] = list(raw)  # pyright: ignore[reportUnknownArgumentType]
    if not low <= len(values) <= high:
        count = str(low) if low == high else f"{low} to {high}"
        raise at.reject("wrong-count", f"{count} arguments, not {len(values)}")
    return values


def _all_of(raws: list[Any], at: At, expected: Type | None) -> tuple[Node, ...]:
    """Compile every argument; all wrong ones are reported, not only the first."""
    nodes: list[Node] = []
    problems: list[Problem] = []
    for index, raw in enumerate(raws):
        here = at.down(index)
        try:
            node = _node(raw, here)
            if expected is not None and node.type is not expected:
                actual = node.type.value
                raise here.reject("wrong-type", f"{expected.value} is wanted here, not {actual}")
            nodes.append(node)
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(problems[:PROBLEMS_MAX])
    return tuple(nodes)


# ------------------------------------------------------------------------------------- operators


def _and(raw: Any, at: At) -> Node:
    arguments = _all_of(_listed(raw, at, 1, ARGUMENTS_MAX), at, Type.BOOL)
    run = closures.both([a.run for a in arguments])
    return Node(path=at.path, operator="and", type=Type.BOOL, run=run, arguments=arguments)


def _or(raw: Any, at: At) -> Node:
    arguments = _all_of(_listed(raw, at, 1, ARGUMENTS_MAX), at, Type.BOOL)
    runs = tuple(a.run for a in arguments)

    def run(facts: Any) -> bool:
        for test in runs:  # noqa: SIM110 (a generator costs more than most clauses)
            if test(facts):
                return True
        return False

    return Node(path=at.path, operator="or", type=Type.BOOL, run=run, arguments=arguments)


def _not(raw: Any, at: At) -> Node:
    arguments = _all_of(_listed(raw, at, 1, 1), at, Type.BOOL)
    test = arguments[0].run
    return Node(
        path=at.path,
        operator="not",
        type=Type.BOOL,
        run=lambda facts: not test(facts),
        arguments=arguments,
    )


def _equal(raw: Any, at: At) -> Node:
    left, right = _all_of(_listed(raw, at, 2, 2), at, None)
    if left.type is not right.type:
        both = f"{left.type.value} and {right.type.value}"
        raise at.reject("wrong-type", f"both sides have one type, not {both}")
    _check_allowed(left, right, at)
    _check_allowed(right, left, at)
    read, read_right = left.run, right.run
    if right.operator == "literal":
        value = right.literal
        read = closures.plainest(left, (value,))

        def run(facts: Any) -> bool:
            return read(facts) == value
    else:

        def run(facts: Any) -> bool:
            left_value = read(facts)
            return left_value is not None and left_value == read_right(facts)

    arguments = (left, right)
    return Node(path=at.path, operator="==", type=Type.BOOL, run=run, arguments=arguments)


def _check_allowed(field: Node, value: Node, at: At) -> None:
    allowed = field.field.allowed if field.field else None
    if allowed is not None and value.operator == "literal" and value.literal not in allowed:
        known = ", ".join(str(v) for v in sorted(allowed))
        raise at.reject("never-true", f"{value.literal!r} is not one of {known}")


def _ordering(name: str, most: int) -> Callable[[Any, At], Node]:
    compare: Callable[[int, int], bool] = {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }[name]

    def build(raw: Any, at: At) -> Node:
        arguments = _all_of(_listed(raw, at, 2, most), at, Type.INT)
        run = closures.compared(compare, arguments)
        return Node(path=at.path, operator=name, type=Type.BOOL, run=run, arguments=arguments)

    return build


def _in(raw: Any, at: At) -> Node:
    needle_raw, list_raw = _listed(raw, at, 2, 2)
    needle = _node(needle_raw, at.down(0))
    there = at.down(1)
    values = _all_of(_listed(list_raw, there, 1, LIST_MAX), there, needle.type)
    for value in values:
        if value.operator != "literal":
            raise there.reject("not-a-value", "the list of `in` holds plain values")
        _check_allowed(needle, value, there)
    members = frozenset(v.literal for v in values)
    read = closures.plainest(needle, members)
    listed = Node(
        path=there.path,
        operator="literal",
        type=needle.type,
        run=lambda _: members,
        literal=members,
    )
    return Node(
        path=at.path,
        operator="in",
        type=Type.BOOL,
        run=lambda facts: read(facts) in members,  # None is in no list of values
        arguments=(needle, listed),
    )


def _quantifier(name: str) -> Callable[[Any, At], Node]:
    def build(raw: Any, at: At) -> Node:
        source, test_raw = _listed(raw, at, 2, 2)
        if at.scope is not TRANSACTION:
            raise at.reject("no-list-here", "a line has no list of its own to range over")
        if source not in ({"var": LINES}, {"var": [LINES]}):
            raise at.down(0).reject("unknown-field", f'ranges over {{"var": "{LINES}"}} only')
        test = _condition(test_raw, at.down(1, scope=LINE))
        run = closures.ranged(name, test.run)
        return Node(path=at.path, operator=name, type=Type.BOOL, run=run, arguments=(test,))

    return build


def _var(raw: Any, at: At) -> Node:
    values = _listed(raw if isinstance(raw, list) else [raw], at, 1, 2)  # pyright: ignore[reportUnknownArgumentType]
    name = values[0]
    field = at.scope.get(name) if isinstance(name, str) else None
    if field is None:
        known = ", ".join(at.scope)
        raise at.reject("unknown-field", f"{name!r} is not one of {known}")
    if len(values) == 1:
        return Node(
            path=at.path,
            operator="var",
            type=field.type,
            run=field.read,
            optional=field.optional,
            field=field,
        )
    default = _literal(values[1], at.down(1))
    if default.type is not field.type:
        raise at.reject("wrong-type", f"the default of {name} is {field.type.value}")
    return Node(
        path=at.path,
        operator="var",
        type=field.type,
        run=closures.defaulted(field.read, default.literal),
        field=field,
    )


def _arithmetic(name: str) -> Callable[[Any, At], Node]:
    apply: Callable[[int, int], int] = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
    }[name]
    most = 2 if name == "-" else ARGUMENTS_MAX

    def build(raw: Any, at: At) -> Node:
        arguments = _all_of(_listed(raw, at, 2, most), at, Type.INT)
        runs = tuple(a.run for a in arguments)

        def run(facts: Any) -> int | None:
            total = runs[0](facts)
            for read in runs[1:]:
                value = read(facts)
                if total is None or value is None:
                    return None
                total = apply(total, value)
            return total

        return Node(
            path=at.path,
            operator=name,
            type=Type.INT,
            run=run,
            arguments=arguments,
            optional=any(a.optional for a in arguments),
        )

    return build


def _div_floor(raw: Any, at: At) -> Node:
    arguments = _all_of(_listed(raw, at, 2, 2), at, Type.INT)
    dividend, divisor = arguments
    if divisor.operator != "literal" or divisor.literal < 1:
        raise at.down(1).reject("bad-divisor", "the divisor is a positive number, written out")
    read, by = dividend.run, divisor.literal

    def run(facts: Any) -> int | None:
        value = read(facts)
        return None if value is None else value // by

    return Node(
        path=at.path,
        operator="div_floor",
        type=Type.INT,
        run=run,
        arguments=arguments,
        optional=dividend.optional,
    )


_OPERATORS: Final[Mapping[Any, Callable[[Any, At], Node]]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "==": _equal,
    "<": _ordering("<", 3),
    "<=": _ordering("<=", 3),
    ">": _ordering(">", 2),
    ">=": _ordering(">=", 2),
    "in": _in,
    "some": _quantifier("some"),
    "all": _quantifier("all"),
    "none": _quantifier("none"),
    "var": _var,
    "+": _arithmetic("+"),
    "-": _arithmetic("-"),
    "*": _arithmetic("*"),
    "div_floor": _div_floor,
}
