"""A migrated database for the ledger's tests, emptied between them by starting on a new shard."""

import itertools

import pytest
import pytest_asyncio

from kit.db import Database


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(fresh_database):
    return await fresh_database("ledger")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(dsn):
    opened = await Database.open(dsn, size=4, command_timeout_s=30)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def empty(fresh_database):
    """A database of its own, for what counts every row."""
    opened = await Database.open(await fresh_database("ledger"), size=2, command_timeout_s=30)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def shards():
    """Numbers of shards nobody used: the book cannot be emptied, and shards do not meet."""
    return itertools.count(100)


@pytest.fixture
def shard(shards):
    return next(shards)
