"""Transactions of tests."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from kit.base.db import Database, Tx


class _Undone(Exception):
    """Ends a test's transaction without a commit."""


@asynccontextmanager
async def rolled_back(database: Database) -> AsyncGenerator[Tx]:
    """A transaction that is undone at the end; what was sent in it goes nowhere."""
    with suppress(_Undone):
        async with database.transaction() as tx:
            yield tx
            raise _Undone
