"""What is past its time goes in short transactions."""

from collections.abc import Awaitable, Callable
from typing import Final

from kit.base.db import Database

EVERY_S: Final = 600.0
ROWS: Final = 5_000  # a transaction
ROUNDS_MAX: Final = 200  # a run


async def in_rounds(
    database: Database,
    work: Callable[..., Awaitable[int]],
    *,
    rows: int = ROWS,
    rounds_max: int = ROUNDS_MAX,
    **asked: object,
) -> None:
    """Call work(tx, limit=rows, **asked) until one round is not full, within a bound.

    work: gives how many rows it dealt with.
    """
    for _ in range(rounds_max):
        async with database.transaction() as tx:
            done = await work(tx, limit=rows, **asked)
        if done < rows:
            return
