"""A migrated database for the ledger's tests, emptied between them by starting on a new shard."""

import itertools

import httpx
import pytest
import pytest_asyncio

from kit.base.db import Database
from ledger.main import SERVICE
from ledger.query.api import accounts, network, proofs
from support import services

from . import doors, generators


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


@pytest_asyncio.fixture
async def door(database):
    """The application over the shared database, its clock at the stories' start."""
    stopped = doors.Stopped(generators.START)
    app = services.application(
        SERVICE, services.opened(SERVICE, database, stopped, actor_secret=doors.SECRET)
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
        routes = [*accounts.router.routes, *network.router.routes, *proofs.router.routes]
        yield doors.GatewayClient(client, stopped, routes)


@pytest.fixture
def till(database, shard):
    """A till with an account and a shard of its own."""
    return doors.Till(database, shard)
