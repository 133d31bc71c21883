"""A router and a service behind it, each a real server; no road."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
from fastapi import APIRouter, Request

from gateway.access import domain as keys
from gateway.access.usecases import Access, OpenSessions, ProgramKeys, Quotas
from gateway.clients import Services
from gateway.openapi.usecases import DocumentCache
from gateway.proxy.api import ReverseProxy
from gateway.proxy.domain import find_route
from gateway.road.api import Transactions
from gateway.road.domain.unsold_identifiers import UnsoldIdentifiers
from gateway.road.usecases.sending import Road
from gateway.routing import Router
from gateway.settings import Settings
from gateway.tables.usecases.identifier_keys import identifier_keys
from gateway.tables.usecases.lookups import make_lookups
from kit.base import auth, clock, web
from kit.server import http
from kit.server.connections import Connections, Limits

from .conftest import settings_of
from .fakes import SECRET, identifier, operator, terminal


@dataclass
class Members:
    """A real service on a real server, which remembers what reached it."""

    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    actors: list[auth.Actor] = field(default_factory=list)
    hold: asyncio.Event | None = None
    answers_another: bool = False

    def app(self) -> Any:
        router = APIRouter()

        async def answer(request: Request) -> dict[str, Any]:
            body = await request.body()
            self.requests.append((request.method, request.url.path, body))
            if self.hold is not None and request.method == "POST":
                await self.hold.wait()
            actor = auth.require(request)
            self.actors.append(actor)
            return {"path": request.url.path, "subject": actor.subject, "bytes": len(body)}

        async def find(digest: str) -> dict[str, Any]:
            record = identifier(
                "6037991234567893", digest="00" * 32 if self.answers_another else digest
            )
            return msgspec.to_builtins(record)

        router.add_api_route("/internal/identifiers/{digest}", find)
        nouns = ("members", "parties", "evidence")
        for path in (*(f"/v1/{noun}/{{rest:path}}" for noun in nouns), "/secret"):
            router.add_api_route(path, answer, methods=["GET", "HEAD", "PUT", "POST", "DELETE"])
        limits = {"/v1/members/import": 8 * 2**20, "/v1/evidence/": 5 * 2**20}
        app = web.app("members", routes=[router], body_bytes_max=limits)
        inside = {"identifiers": "members", "terminals": "merchants", "outcomes": "ledger"}

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            """One server stands for every room: each call is signed for the room it is of."""
            path: str = scope.get("path", "")
            route = find_route(path)
            room = inside.get(path.split("/")[2], "members") if path.count("/") > 1 else "members"
            if route is not None:
                room = route.service_of(path).value
            signing = auth.Signing(room, auth.room_secret(SECRET, room))
            await auth.Signed(app, signing, web.problem)(scope, receive, send)

        return serve


@asynccontextmanager
async def served(
    app: Any, *, tls: tuple[str, ...] = (), **limits: Any
) -> AsyncIterator[tuple[int, Connections]]:
    """An application on a port of its own. tls: files of a certificate and its key."""
    connections = Connections(Limits(**limits))
    server = http.server(app, "127.0.0.1", 0, connections, 1.0, tls)
    server.config.load()
    task = asyncio.ensure_future(server._serve())
    async with asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], connections
    finally:
        server.should_exit = server.force_exit = True
        await task


@dataclass
class Proxied:
    """A router and a service, each on its port; no road."""

    members: Members
    services: Services
    router: Router
    port: int
    members_connections: Connections

    async def raw(self, data: bytes) -> list[int]:
        """Send bytes on a connection of their own: the statuses of the answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        received = b""
        try:
            while piece := await reader.read(65_536):
                received += piece
        except ConnectionError:
            pass
        writer.close()
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", received)]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60)


def router_of(settings: Settings, services: Services, tables: Any = None) -> Router:
    """A gateway without a road: what is refused must be refused before it."""
    quotas = Quotas.of(settings)
    lookups: Any = make_lookups(settings, tables, services)
    operators = keys.parse_operators(settings.operators)
    readiness: Any = SimpleNamespace(refuse_unready=lambda: None, sessions_fresh=lambda: True)
    sessions = OpenSessions(lookups, readiness, services, clock.SystemClock())
    programs = ProgramKeys(lookups, readiness, services, clock.SystemClock())
    access = Access(lookups, operators, clock.SystemClock(), quotas, sessions, programs)
    road = Road(
        settings=settings, identifier_keys=identifier_keys(settings), lookups=lookups,
        pending_replies=None, readiness=readiness,  # type: ignore[arg-type]
        quotas=quotas, unsold_identifiers=UnsoldIdentifiers(200, 600.0),
        producer=None, clock=clock.SystemClock(),  # type: ignore[arg-type]
    )  # fmt: skip
    return Router(
        Transactions(road, access, services),
        ReverseProxy(access, services, quotas),
        DocumentCache(services),
        quotas,
        SimpleNamespace(readiness={}),
    )


@asynccontextmanager
async def proxied(tables: Any = None, **changes: Any) -> AsyncIterator[Proxied]:
    members = Members()
    async with served(members.app()) as (behind_port, members_connections):
        settings = settings_of("x:1", Path(), behind_port, **changes)
        services = Services(settings)
        app = router_of(settings, services, tables)
        async with served(app) as (port, _):
            try:
                yield Proxied(members, services, app, port, members_connections)
            finally:
                await services.close()


def head(method: str, path: str, who: str, *fields: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *fields]
    lines += [f"{k}: {v}" for k, v in operator(who).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Tables:
    """Tables that know one terminal."""

    terminals_changed = 0
    merchants_stopped: frozenset[int] = frozenset()

    def find_terminal(self, number: int) -> Any:
        return terminal(number) if number == 10000017 else None
