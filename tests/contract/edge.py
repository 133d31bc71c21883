"""The whole public edge in one process: the gateway's router over all services, no broker.

Keys are real ones: the gateway's tables are empty, so it asks the services for every key. What a
road would book is not there: whatever is refused must be refused before it.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from gateway.access import domain as keys
from gateway.access.usecases import Access, OpenSessions, ProgramKeys, Quotas
from gateway.clients import ForwardedRequest, PoolKey, Service, ServiceResponse, Services
from gateway.openapi.usecases import DocumentCache
from gateway.proxy.api import ReverseProxy
from gateway.road.api import Transactions
from gateway.road.domain.unsold_identifiers import UnsoldIdentifiers
from gateway.road.usecases.sending import Road
from gateway.routing import Router
from gateway.settings import Settings
from gateway.tables.usecases.identifier_keys import identifier_keys
from gateway.tables.usecases.lookups import make_lookups
from kit.base import auth, clock
from kit.base.db import Database
from support import services
from support.asgi import Answer, call
from support.clocks import StoppedClock

MASTER: Final = "the actor secret of these tests"
NOW: Final = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
PLENTY: Final = 1_000_000.0
STAFF_KEYS: Final = {role.value: role.value for role in auth.STAFF}
NUMBERED_KEYS: Final = {
    "reader-of-one": "merchant:5",
    "reader-of-two": "merchant:6",
    "partner-of-one": "enrol:2",
    "partner-of-two": "enrol:3",
}


class InProcess(Services):
    """The services, each called in this process with the signature that its door checks."""

    def __init__(self, settings: Settings, apps: Mapping[Service, Any]) -> None:
        super().__init__(settings)
        self._apps = apps

    async def forward(
        self, request: ForwardedRequest, actor: auth.Actor, headers: Mapping[str, str]
    ) -> ServiceResponse:
        """As over a connection."""
        body = request.body or b""
        secret = self._secrets[request.pool[0]]
        signed = auth.sign(actor, secret, request.call(), clock.wall(), body=body)
        app = self._apps[request.pool[0]]
        sent = {**headers, auth.HEADER: signed}
        answer = await call(app, request.method, request.target, sent, body)
        return ServiceResponse(answer.status, answer.headers, answer.body)

    async def _ask(self, pool: PoolKey, path: str) -> bytes | None:
        actor = auth.Actor("gateway", frozenset({auth.SERVICE}))
        answer = await self.forward(ForwardedRequest(pool, "GET", path, None), actor, {})
        assert answer.status in (200, 404), (path, answer)
        return answer.body if answer.status == 200 else None


class NoTables:
    """The gateway's tables before anything came: it asks the services."""

    terminals_changed = 0
    merchants_stopped: frozenset[int] = frozenset()

    def find_terminal(self, _: int) -> None:
        """None."""

    find_session = find_api_key = find_identifier = find_terminal


def settings_of(**changes: Any) -> Settings:
    """Settings of a gateway that limits nobody, unless a change says so."""
    fields: dict[str, Any] = {
        "room": "gateway",
        "kafka_bootstrap": "127.0.0.1:1",
        "http_port": 1,
        "actor_secret": MASTER,
        "identifier_keys": services.TOLD["members"]["identifier_keys"],
        "tables_dir": "",
        "operators": tuple(
            f"{name}:{role}:{keys.digest(f'{name}-secret')}"
            for name, role in {**STAFF_KEYS, **NUMBERED_KEYS, "all": "+".join(STAFF_KEYS)}.items()
        ),
        "refusal_delay_ms": 0,
        **{f"{service.value}_url": "http://nowhere" for service in Service},
    }
    limited = (
        "terminal",
        "merchant",
        "tenant",
        "history",
        "status",
        "administration",
        "reading",
        "stranger",
        "lookup",
    )
    fields |= {f"{who}_{what}": PLENTY for who in limited for what in ("rate_per_s", "burst")}
    return Settings(**(fields | changes))


def router_of(settings: Settings, behind: Services) -> Router:
    """The gateway's router over these services."""
    at, quotas = StoppedClock(NOW), Quotas.of(settings)
    readiness: Any = SimpleNamespace(refuse_unready=lambda: None, sessions_fresh=lambda: True)
    tables: Any = NoTables()
    lookups = make_lookups(settings, tables, behind)
    access = Access(
        lookups,
        keys.parse_operators(settings.operators),
        at,
        quotas,
        OpenSessions(lookups, readiness, behind, at),
        ProgramKeys(lookups, readiness, behind, at),
    )
    nobody: Any = None
    road = Road(
        settings=settings,
        identifier_keys=identifier_keys(settings),
        lookups=lookups,
        pending_replies=nobody,
        readiness=readiness,
        quotas=quotas,
        unsold_identifiers=UnsoldIdentifiers(200, 600.0),
        producer=nobody,
        clock=at,
    )
    return Router(
        Transactions(road, access, behind),
        ReverseProxy(access, behind, quotas),
        DocumentCache(behind),
        quotas,
        SimpleNamespace(readiness={}),
    )


@dataclass
class Edge:
    """The router, and the keys of whoever calls it, by name."""

    router: Router
    databases: dict[Service, Database]
    keys: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    async def opened(
        cls, fresh_database: Callable[[str], Awaitable[str]], **changes: Any
    ) -> "Edge":
        """Over all services, each on a new database."""
        settings, apps, databases = settings_of(**changes), {}, {}
        dsns = await asyncio.gather(*(fresh_database(service.value) for service in Service))
        for service, dsn in zip(Service, dsns, strict=True):
            databases[service] = await Database.open(dsn, size=2)
            program = services.service(service.value)
            secret = auth.room_secret(MASTER, service.value)
            resources = services.opened(
                program, databases[service], StoppedClock(NOW), actor_secret=secret, shards=1
            )
            apps[service] = services.application(program, resources)
        names = [*STAFF_KEYS, *NUMBERED_KEYS, "all"]
        known = {name: f"pvo_{name}_{name}-secret" for name in names}
        return cls(router_of(settings, InProcess(settings, apps)), databases, known)

    async def close(self) -> None:
        """Close the databases."""
        for database in self.databases.values():
            await database.close()

    async def call(
        self, who: str, method: str, target: str, body: Any = None, **headers: str
    ) -> Answer:
        """One request of somebody; empty: of a stranger. body: JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else b"" if body is None else _encoded(body)
        sent = {"content-type": "application/json", **headers}
        if who:
            sent["authorization"] = f"Bearer {self.keys[who]}"
        return await call(self.router, method, target, sent, content)

    async def put(self, target: str, body: Any = None, *, who: str = "all") -> Any:
        """Set something up."""
        answer = await self.call(who, "PUT", target, body)
        assert answer.status in (200, 201), f"{target}: {answer.status} {answer.text}"
        return answer.json()


def _encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def uuid_of(*parts: object) -> str:
    """A UUID made of what it is for: the same in each run."""
    return str(uuid.UUID(bytes=hashlib.sha256(repr(parts).encode()).digest()[:16], version=4))
