"""A migrated database, and the service called as the gateway calls it."""

import base64
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts import envelope, topics
from contracts.identity import Session
from identity.main import SERVICE
from identity.second_factors.domain import STEP_S, code_at
from kit.base import auth, message
from kit.base.db import Database
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock

SECRET = "the actor secret of these tests"
NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
HERE, ELSEWHERE = "10.0.0.1", "10.0.0.2"
PASSWORD = "چهار کلمهٔ بی‌ربط"
LOGIN = "+989123456789"
SARA = uuid.UUID(int=1)
TABLES = (
    "delete from proposals; update api_keys set successor = null; delete from api_keys;"
    " delete from recovery_codes; delete from second_factors; delete from sign_in_attempts;"
    " delete from sessions; delete from invitations; delete from passwords;"
    " delete from user_changes; delete from users; delete from outbox_messages"
)
Answer = httpx.Response


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(fresh_database: Callable[[str], Awaitable[str]]) -> str:
    return await fresh_database("identity")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(dsn, size=8)
    yield database
    await database.close()


@pytest.fixture
def at() -> StoppedClock:
    return StoppedClock(NOW)


@dataclass
class Person:
    """Somebody who signed in, as the gateway vouches for him."""

    user: str
    session: str
    token: str
    roles: list[str]
    withheld: list[str]


@dataclass
class Network:
    """The service, called by operators, strangers and people who signed in."""

    client: httpx.AsyncClient
    database: Database
    at: StoppedClock
    secrets: dict[str, bytes] = field(default_factory=dict[str, bytes])

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        roles: tuple[str, ...] = ("users",),
        address: str = HERE,
    ) -> Answer:
        """A request of an operator, or of whoever has these roles."""
        subject = auth.STRANGER if auth.STRANGER in roles else "tester"
        actor = auth.Actor(subject, frozenset(roles), address=address)
        return await self.send(method, path, body, actor)

    async def send(self, method: str, path: str, body: Any, actor: auth.Actor) -> Answer:
        """A request on behalf of an actor."""
        vouched = Vouched("identity", SECRET, actor.roles)
        vouched.actor = actor
        return await self.client.request(method, path, json=body, auth=vouched)

    async def of(self, person: Person, method: str, path: str, body: Any = None) -> Answer:
        """A request in a person's session."""
        roles = frozenset({*person.roles, auth.PERSON})
        actor = auth.Actor(person.user, roles, session=person.session, address=HERE)
        return await self.send(method, path, body, actor)

    async def register(
        self, user: uuid.UUID = SARA, login: str = LOGIN, grants: tuple[str, ...] = ("support",)
    ) -> str:
        """A user who is invited: the token."""
        body = {"login": login, "name_fa": "سارا", "name_en": "Sara", "grants": list(grants)}
        made = await self.call("PUT", f"/v1/users/{user}", body)
        assert made.status_code == 201, made.text
        return await self.invite(user)

    async def invite(self, user: uuid.UUID = SARA) -> str:
        """A new invitation's token."""
        made = await self.call("PUT", f"/v1/users/{user}/invitations/{uuid.uuid4()}")
        assert made.status_code == 201, made.text
        return made.json()["token"]

    async def accept(self, token: str, password: str = PASSWORD, **how: Any) -> Answer:
        """A stranger who accepts an invitation."""
        body = {"token": token, "password": password}
        return await self.call(
            "POST", "/v1/invitations/accept", body, roles=(auth.STRANGER,), **how
        )

    async def sign_in(
        self, login: str = LOGIN, password: str = PASSWORD, *, address: str = HERE, **more: Any
    ) -> Answer:
        """A stranger who signs in."""
        body = {"login": login, "password": password, **more}
        return await self.call(
            "POST", "/v1/sessions", body, roles=(auth.STRANGER,), address=address
        )

    async def signed_in(self, login: str = LOGIN, **more: Any) -> Person:
        """Somebody who has signed in."""
        answer = await self.sign_in(login, **more)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        names = ("user", "session", "token", "roles", "withheld")
        return Person(**{name: body[name] for name in names})

    async def member(self, grants: tuple[str, ...] = ("support",)) -> Person:
        """Sara, invited, accepted and signed in by a password alone."""
        assert (await self.accept(await self.register(grants=grants))).status_code == 200
        return await self.signed_in()

    async def enrol(self, person: Person, factor: uuid.UUID) -> bytes:
        """A second factor that waits for its first code: its secret, as an authenticator has it."""
        enrolled = await self.of(person, "PUT", f"/v1/second-factors/{factor}")
        assert enrolled.status_code == 201, enrolled.text
        secret = re.search("secret=([A-Z2-7]+)", enrolled.json()["uri"])
        assert secret is not None
        self.secrets[person.user] = base64.b32decode(secret[1])
        return self.secrets[person.user]

    async def confirm(self, person: Person, factor: uuid.UUID, code: str) -> Answer:
        """The first code of a factor."""
        path = f"/v1/second-factors/{factor}/confirmation"
        return await self.of(person, "PUT", path, {"code": code})

    def code(self, person: Person, steps: int = 0) -> str:
        """What the person's authenticator shows so many steps from now."""
        return code_at(self.secrets[person.user], int(self.at.at.timestamp()) // STEP_S + steps)

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.at.at += timedelta(**time)

    async def published(self) -> list[Session]:
        """What gateways are told of sessions, in order."""
        async with self.database.read() as tx:
            rows = await tx.fetch("select body from outbox_messages order by id")
        topic = topics.IDENTITY_SESSIONS
        sent = [message.decode(row["body"]) for row in rows]
        read = dict(topic.events)
        data = [
            envelope.decode(one.value or b"", read).data for one in sent if one.topic == topic.name
        ]
        return [one for one in data if isinstance(one, Session)]


@pytest_asyncio.fixture
async def network(
    pool: Database, owner_dsn: Callable[[str], str], dsn: str, at: StoppedClock
) -> AsyncIterator[Network]:
    resources = services.opened(SERVICE, pool, at, actor_secret=SECRET)
    app = services.application(SERVICE, resources)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://identity") as client:
        yield Network(client, pool, at)
    owner = await Database.open(owner_dsn(dsn), size=1)
    async with owner.transaction() as tx:
        await tx.execute(TABLES)
    await owner.close()
