"""Old rows are deleted in short transactions."""

from collections.abc import Awaitable, Callable
from typing import Final

from kit.base.db import Database

EVERY_S: Final = 600.0
ROWS: Final = 5_000  # a transaction
ROUNDS_MAX: Final = 200  # a run


async def in_rounds(
    database: Database,
    prune: Callable[..., Awaitable[int]],
    *,
    rows: int = ROWS,
    rounds_max: int = ROUNDS_MAX,
    **arguments: object,
) -> None:
    """Call prune(tx, limit=rows, **arguments) until one round is not full, within a bound.

    prune: gives how many rows it dealt with.
    """
    for _ in range(rounds_max):
        async with database.transaction() as tx:
            done = await prune(tx, limit=rows, **arguments)
        if done < rows:
            return
