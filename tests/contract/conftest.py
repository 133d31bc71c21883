"""The public edge in this process, with two tenants."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from .edge import Edge
from .matrix import FORGED, Tenants
from .tenants import registered


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def edge(fresh_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Edge]:
    made = await Edge.opened(fresh_database)
    made.keys |= FORGED
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tenants(edge: Edge) -> Tenants:
    return (
        await registered(edge, "one", party=2, merchant=5),
        await registered(edge, "two", party=3, merchant=6),
    )
