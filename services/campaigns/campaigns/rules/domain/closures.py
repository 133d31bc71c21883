"""The closures that compiled nodes run, each as short as its clause allows."""

import itertools
from collections.abc import Callable, Collection
from typing import Any

from campaigns.rules.domain.schema import Read
from campaigns.rules.domain.tree import Node


def both(runs: list[Read]) -> Read:
    """Whether all clauses hold; evaluated from the left until one is false."""
    match runs:
        case [one]:
            return one
        case [one, two]:
            return lambda facts: one(facts) and two(facts)
        case [one, two, three]:
            return lambda facts: one(facts) and two(facts) and three(facts)
        case _:
            half = len(runs) // 2
            return both([both(runs[:half]), both(runs[half:])])


def plainest(node: Node, values: Collection[Any]) -> Read:
    """How to read a node that is only compared with values: without the step that makes a missing
    field None, where none of the values is what stands for missing."""
    if node.operator == "var" and node.optional and node.field is not None and all(values):
        return node.field.raw
    return node.run


def compared(compare: Callable[[int, int], bool], arguments: tuple[Node, ...]) -> Read:
    """Whether the comparison holds from each argument to the next; false where one is missing."""
    first, second = arguments[0].run, arguments[1].run
    if len(arguments) == 2 and not any(a.optional for a in arguments):
        return lambda facts: compare(first(facts), second(facts))
    runs = tuple(a.run for a in arguments)
    if not any(a.optional for a in arguments):
        third = runs[2]

        def ordered(facts: Any) -> bool:
            middle = second(facts)
            return compare(first(facts), middle) and compare(middle, third(facts))

        return ordered

    def run(facts: Any) -> bool:
        values = [read(facts) for read in runs]
        if None in values:
            return False
        return all(compare(a, b) for a, b in itertools.pairwise(values))

    return run


def ranged(name: str, test: Read) -> Read:
    """some, all or none of the lines; of no line: false, false, true."""
    if name == "all":

        def every(facts: Any) -> bool:
            for line in facts.lines:
                if not test(line):
                    return False
            return bool(facts.lines)

        return every

    def some(facts: Any) -> bool:
        for line in facts.lines:  # noqa: SIM110 (a generator costs more than most clauses)
            if test(line):
                return True
        return False

    return some if name == "some" else lambda facts: not some(facts)


def defaulted(read: Read, default: Any) -> Read:
    """A field, or the default where it is missing."""

    def run(facts: Any) -> Any:
        value = read(facts)
        return default if value is None else value

    return run
