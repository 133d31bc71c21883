"""Why a condition did not hold: the clauses that failed, and the values of their arguments."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from campaigns.rules.domain.schema import BasketFacts
from campaigns.rules.domain.tree import Node
from contracts.text import digits_fa

CLAUSES_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedClause:
    """One clause that made a condition false. path: JSON Pointer into the rule.

    found: what each argument of the clause was, in order, None where it was missing; for some,
    all and none: how many lines matched, and how many there are.
    """

    path: str
    operator: str
    found: tuple[Any, ...]
    fa: str
    en: str


def failed_clauses(condition: Node, basket: BasketFacts) -> tuple[FailedClause, ...]:
    """The clauses because of which a condition is false of a basket; empty when it is true.

    Of `and` its first false clause, of `or` all its clauses, of `not` the clauses that held. At
    most CLAUSES_MAX. Pure: the same closures as on the road. Source: campaigns reference 1, 2.1.
    """
    if condition.run(basket):
        return ()
    blamed = _blamed(condition, basket, expected=True)
    return tuple(clause for clause, _ in zip(blamed, range(CLAUSES_MAX), strict=False))


def _blamed(node: Node, basket: BasketFacts, *, expected: bool) -> Iterator[FailedClause]:
    """Clauses because of which a node has not the expected value."""
    match node.operator:
        case "not":
            yield from _blamed(node.arguments[0], basket, expected=not expected)
        case "and" | "or":
            guilty = (a for a in node.arguments if a.run(basket) is not expected)
            # one false clause is enough to fail an `and`, one true one to hold an `or` under not
            if (node.operator == "and") is expected:
                yield from _blamed(next(guilty), basket, expected=expected)
            else:
                for argument in guilty:
                    yield from _blamed(argument, basket, expected=expected)
        case _:
            yield _clause(node, basket, expected=expected)


def _clause(node: Node, basket: BasketFacts, *, expected: bool) -> FailedClause:
    if node.operator in ("some", "all", "none"):
        test = node.arguments[0].run
        matched = sum(1 for line in basket.lines if test(line))
        found: tuple[Any, ...] = (matched, len(basket.lines))
        comparison = f"{matched}/{len(basket.lines)}"
        fa, en = f"{comparison} قلم با شرط می‌خواند", f"{comparison} lines match"
    else:
        found = tuple(_plain(a.run(basket)) for a in node.arguments)
        comparison = f" {node.operator} ".join(_as_text(a, basket) for a in node.arguments)
        fa, en = comparison, comparison
    must_fa, must_en = ("باید", "must") if expected else ("نباید", "must not")
    return FailedClause(
        path=node.path,
        operator=node.operator,
        found=found,
        fa=f"{digits_fa(fa)}؛ شرط «{node.operator}» {must_fa} برقرار باشد",
        en=f"{en}; the clause {node.operator!r} {must_en} hold",
    )


def _as_text(node: Node, basket: BasketFacts) -> str:
    value = _plain(node.run(basket))
    text = "missing" if value is None else str(value)
    return f"{node.field.name} ({text})" if node.field is not None else text


def _plain(value: Any) -> Any:
    """JSON-ready: the members of a set in order."""
    return sorted(value) if isinstance(value, frozenset) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
