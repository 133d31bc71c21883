"""Rows as the columns that a statement unnests.

asyncpg checks of every element of an array whether it is an array itself. Where a statement takes
thousands of numbers they go as one text, which costs a third, the server's reading of it included.
The posting transaction's statements unnest `(select $n)` first. The planner sees how long an array
is, but not through a subselect; otherwise it would make a plan of its own for a few rows at every
poll.
"""

from collections.abc import Iterable, Sequence
from typing import Any

Rows = Sequence[tuple[Any, ...]]


def arrays(rows: Rows, width: int) -> list[list[Any]]:
    """One list a column, of any type."""
    if not rows:
        return [[] for _ in range(width)]
    return [list(column) for column in zip(*rows, strict=True)]


def literals(rows: Rows, width: int) -> list[str]:
    """One array literal a column, of whole numbers or plain words: $n::text::bigint[]."""
    if not rows:
        return ["{}"] * width
    return [literal(column) for column in zip(*rows, strict=True)]


def literal(column: Iterable[object]) -> str:
    """Whole numbers, or words without quotes, commas, braces and spaces, as an array literal."""
    return f"{{{','.join(map(str, column))}}}"


def quoted(column: Sequence[str]) -> str:
    """Texts of any kind as an array literal: $n::text::text[]."""
    if not column:
        return "{}"
    text = '","'.join(column)
    if "\\" in text or text.count('"') > 2 * (len(column) - 1):
        text = '","'.join(item.replace("\\", "\\\\").replace('"', '\\"') for item in column)
    return f'{{"{text}"}}'
