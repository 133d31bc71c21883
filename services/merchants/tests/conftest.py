"""A migrated database, a transaction that is rolled back, the application on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from kit.base import auth
from kit.base.db import Database, Tx
from merchants.main import SERVICE
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock
from support.transactions import rolled_back

SECRET = "the actor secret of these tests"
SHARDS = 3
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
TABLES = (
    "delete from dispute_files; delete from dispute_steps; delete from disputes;"
    " delete from clearing_correction_payments; delete from clearing_corrections;"
    " delete from application_transitions; delete from applications;"
    " delete from onboarding_documents where version > 1;"
    " delete from settlement_bookings; delete from settlement_pairs;"
    " delete from settlement_parties; delete from payment_instructions; delete from bank_answers;"
    " delete from settlements; delete from sheba_changes;"
    " delete from clearing_positions; delete from clearing_windows; delete from clearing_progress;"
    " delete from clearing_markers; delete from clearing_entries; delete from clearing_pairs;"
    " delete from daily_totals; delete from daily_totals_progress; delete from activation_codes;"
    " delete from activations;"
    " delete from requests; delete from party_status_changes;"
    " delete from terminal_status_changes;"
    " delete from terminal_keys; delete from terminals; delete from programmes;"
    " delete from terms; delete from branches; delete from merchants;"
    " delete from parties where party <> 1; delete from outbox_messages"
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(fresh_database: Callable[[str], Awaitable[str]]) -> str:
    return await fresh_database("merchants")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(dsn, size=4)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def tx(pool: Database) -> AsyncIterator[Tx]:
    async with rolled_back(pool) as tx:
        yield tx


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def at() -> StoppedClock:
    return StoppedClock(NOW)


class GatewayClient:
    """The application called as the gateway calls it."""

    def __init__(self, client: httpx.AsyncClient, app: FastAPI) -> None:
        self._client = client
        self.app = app

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        roles: tuple[str, ...] = auth.STAFF,
        subject: str = "tester",
        approved_by: str = "",
        content_type: str = "application/json",
    ) -> httpx.Response:
        vouched = Vouched("merchants", SECRET, roles, subject=subject, approved_by=approved_by)
        signed = vouched if roles else None
        if isinstance(body, bytes):
            headers = {"content-type": content_type}
            return await self._client.request(
                method, path, content=body, headers=headers, auth=signed
            )
        return await self._client.request(method, path, json=body, auth=signed)


@pytest_asyncio.fixture
async def door(
    pool: Database, owner_dsn: Callable[[str], str], dsn: str, at: StoppedClock
) -> AsyncIterator[GatewayClient]:
    resources = services.opened(
        SERVICE,
        pool,
        at,
        actor_secret=SECRET,
        shards=SHARDS,
        settlement_sheba="IR820540102680020817909002",
        minimum_payout_rial=500,
    )
    app = services.application(SERVICE, resources)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://merchants") as client:
        yield GatewayClient(client, app)
    owner = await Database.open(owner_dsn(dsn), size=1)
    async with owner.transaction() as tx:
        await tx.execute(TABLES)
    await owner.close()
