"""A migrated database, a transaction that is rolled back, the application on it."""

import base64
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from kit.base import auth
from kit.base.db import Database, Tx
from members.additions.domain import Enroller
from members.main import SERVICE
from members.memberships import usecases
from members.memberships.domain import Request
from members.memberships.usecases import Membership
from members.settings import Settings
from members.terms import Terms, terms_of
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock
from support.transactions import rolled_back

SECRET = "the actor secret of these tests"
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
TABLES = (
    "delete from requests; delete from account_status_changes; delete from balances;"
    " delete from adjustments;"
    " delete from enrolments; delete from consents;"
    " delete from bindings; delete from identifiers; delete from members; delete from accounts;"
    " delete from outbox_messages; delete from additions"
)


def root(letter: bytes) -> str:
    """A root of keys as a setting has it."""
    return base64.b64encode(letter * 32).decode()


SETTINGS: dict[str, Any] = {
    "actor_secret": SECRET,
    "identifier_keys": (root(b"i"),),
    "contact_keys": (root(b"c"),),
    "member_keys": (root(b"m"),),
    "additions_key_day": 20,
}
TERMS = terms_of(Settings(room="members", kafka_bootstrap="127.0.0.1:1", http_port=1, **SETTINGS))


async def enrol_one(
    tx: Tx, enrolment: uuid.UUID, request: Request, *, by: Enroller, terms: Terms, now: datetime
) -> tuple[Membership, bool]:
    """One enrolment that is not refused."""
    outcome = await usecases.enrol(tx, enrolment, request, by=by, terms=terms, now=now)
    return usecases.accepted(outcome)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(fresh_database: Callable[[str], Awaitable[str]]) -> str:
    return await fresh_database("members")


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
def terms() -> Terms:
    return TERMS


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
        party: int | None = None,
        approved_by: str = "",
    ) -> httpx.Response:
        signed = None
        if roles:
            signed = Vouched("members", SECRET, roles, party=party, approved_by=approved_by)
        if isinstance(body, bytes):
            headers = {"content-type": "application/json"}
            return await self._client.request(
                method, path, content=body, headers=headers, auth=signed
            )
        return await self._client.request(method, path, json=body, auth=signed)


@pytest_asyncio.fixture
async def door(
    pool: Database, owner_dsn: Callable[[str], str], dsn: str, at: StoppedClock
) -> AsyncIterator[GatewayClient]:
    app = services.application(SERVICE, services.opened(SERVICE, pool, at, **SETTINGS))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://members") as client:
        yield GatewayClient(client, app)
    owner = await Database.open(owner_dsn(dsn), size=1)
    async with owner.transaction() as tx:
        await tx.execute(TABLES)
    await owner.close()
