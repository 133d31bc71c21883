"""Servers and databases for tests: one broker and one PostgreSQL for a run of pytest.

A run has a folder of its own under var/test-servers and removes it at its end; what an
interrupted run left behind is ended by the next. With KEEP_SERVERS=1 the runs share
var/test-servers/kept instead, whose servers stay up until `make clean` or `stop_kept`.
"""

import base64
import hashlib
import importlib
import json
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute

from house import children, connections, lockfile, paths, postgres_server, servers
from kit import auth, clock, room
from kit.consumer import Event
from kit.db import Database, Tx

FOLDER = paths.PROJECT / "var" / "test-servers"
KEPT = FOLDER / "kept"
OWNER_SUFFIX = "_owner"

SERVICES = ("merchants", "members", "campaigns", "fraud", "ledger", "notify")
ADDRESSES = {"kafka_bootstrap": "127.0.0.1:1", "http_port": 1, "actor_secret": "of these tests"}


def root(letter: bytes) -> str:
    """A root of keys as a setting has it."""
    return base64.b64encode(letter * 32).decode()


TOLD: dict[str, dict[str, Any]] = {
    "members": {
        "identifier_keys": (root(b"i"),),
        "contact_keys": (root(b"c"),),
        "member_keys": (root(b"m"),),
    },
    "notify": {
        "sms_url": "http://127.0.0.1:1",
        "sms_api_key": "k",
        "sms_sender": "1",
        "contact_keys": (root(b"c"),),
        "callback_secret": "s",
    },
}

Migrate = Callable[[str, Path], Awaitable[object]]


class Vouched(httpx.Auth):
    """Signs each request to a room as the gateway does for whoever it vouches for."""

    requires_request_body = True

    def __init__(
        self,
        room: str,
        secret: str,
        roles: Collection[str],
        *,
        subject: str = "tester",
        party: int | None = None,
    ) -> None:
        self.room = room
        self.secret = secret
        self.actor = auth.Actor(subject, frozenset(roles), party)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the header to one request."""
        path, _, query = request.url.raw_path.decode().partition("?")
        call = auth.Call(self.room, request.method, unquote(path), query)
        signed = auth.sign(self.actor, self.secret, call, clock.wall(), body=request.content)
        request.headers[auth.HEADER] = signed
        yield request


def opened(
    service: room.Service, database: Database, at: clock.Clock, **told: Any
) -> room.Resources:
    """What kit would open for a service that is told so, with no broker behind it."""
    given: dict[str, Any] = {
        **ADDRESSES,
        "room": service.name,
        **TOLD.get(service.name, {}),
        **told,
    }
    nobody: Any = None
    return room.Resources(
        settings=service.settings(**given), producer=nobody, clock=at, opened=database
    )


def application(service: room.Service, resources: room.Resources) -> FastAPI:
    """The service's HTTP doors, of all its parts."""
    return room.application(service.name, [part(resources) for part in service.parts], resources)


def service(name: str) -> room.Service:
    """A service by its name."""
    found: room.Service = importlib.import_module(f"{name}.main").SERVICE
    return found


async def hand_out(
    service: room.Service, resources: room.Resources, tx: Tx, batch: Sequence[Event]
) -> None:
    """Give a batch of one topic to every part of the service that hears it, in their order."""
    for part in service.parts:
        for one in part(resources).hears:
            mine = [event for event in batch if one.takes(event)]
            if mine:
                await one.handle(tx, mine)


def routes_of(app: FastAPI) -> dict[str, APIRoute]:
    """The routes of a room's application below /v1 and /internal: "PUT /v1/…" to the route."""
    parts = [getattr(one, "original_router", app.router) for one in app.router.routes]
    found = [route for part in {id(p): p for p in parts}.values() for route in part.routes]
    return {
        f"{method} {route.path}": route
        for route in found
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if route.path.startswith(("/v1/", "/internal/"))
    }


class Trail:
    """What a room's trail kept since this was made."""

    def __init__(self, database: Database, after: int) -> None:
        self.database = database
        self.after = after

    @classmethod
    async def of(cls, database: Database) -> "Trail":
        """From now on."""
        async with database.read() as tx:
            return cls(database, await tx.fetchval("select coalesce(max(id), 0) from audit"))

    async def rows(self) -> list[dict[str, Any]]:
        """Its rows in order; target, before and after as they were told."""
        async with self.database.read() as tx:
            rows = await tx.fetch(
                "select id, subject, act, route, body_sha256, target::text as target,"
                " before::text as before, after::text as after from audit"
                " where id > $1 order by id",
                self.after,
            )
        told = ("target", "before", "after")
        return [
            {k: json.loads(v) if k in told and v is not None else v for k, v in row.items()}
            for row in rows
        ]


class Run:
    """The servers of one run of pytest, each started when first asked for."""

    def __init__(self, *, keep: bool) -> None:
        """keep: share the servers that stay up between runs."""
        self.keep = keep
        self.folder = KEPT if keep else FOLDER / f"run-{os.getpid()}"
        self.databases: list[str] = []
        end_orphans()
        self.lock = None if keep else lockfile.take(self.folder / "run.lock")

    def postgres(self) -> servers.Servers:
        """The run's PostgreSQL, without Kafka."""
        return servers.start_servers(self.folder, kafka=False)

    def both(self) -> servers.Servers:
        """The run's Kafka and PostgreSQL."""
        return servers.start_servers(self.folder)

    async def fresh_database(self, room: str, migrate: Migrate) -> str:
        """A new database of a room, migrated; the address for the role that runs the room.

        migrate(owner's dsn, folder of migrations) is kit.migrate.migrate.
        """
        chosen = postgres_server.server(self.folder)
        template = await _template(chosen, room, migrate)
        name = f"{room}_{secrets.token_hex(6)}"
        connection = await connections.connect(postgres_server.superuser_dsn(chosen))
        try:
            await connection.execute(
                f'create database "{name}" template "{template}" owner "{room}{OWNER_SUFFIX}"'
            )
        finally:
            await connection.close()
        self.databases.append(name)
        return chosen.dsn(name, room)

    async def drop_databases(self) -> None:
        """Drop the databases that this run made (for servers that stay)."""
        chosen = postgres_server.server(self.folder)
        connection = await connections.connect(postgres_server.superuser_dsn(chosen))
        try:
            while self.databases:
                name = self.databases.pop()
                await connection.execute(f'drop database if exists "{name}" with (force)')
        finally:
            await connection.close()

    def close(self) -> None:
        """Stop the run's servers and remove its folder, unless they are shared."""
        if self.lock is None:
            return
        _remove(self.folder)
        self.lock.close()


def owner_dsn(folder: Path, dsn: str) -> str:
    """The address of the same database for the role that owns it (migrations, breaking rules)."""
    room = dsn.split("://")[1].split(":")[0]
    name = dsn.rpartition("/")[2]
    return postgres_server.server(folder).dsn(name, f"{room}{OWNER_SUFFIX}")


def end_orphans() -> None:
    """End the servers of runs that were killed, and remove their folders."""
    for folder in FOLDER.glob("run-*"):
        try:
            with lockfile.held(folder / "run.lock", wait_s=0):
                _remove(folder)
        except lockfile.Locked:
            continue  # that run is at work


def stop_kept() -> None:
    """Stop the servers that runs share, and remove their folder."""
    _remove(KEPT)


def _remove(folder: Path) -> None:
    """A test's data is thrown away: nothing to close in good order."""
    children.end_all(folder)
    postgres_server.remove(folder)
    shutil.rmtree(folder, ignore_errors=True)


async def _template(chosen: postgres_server.Server, room: str, migrate: Migrate) -> str:
    """The room's migrated database from which tests' databases are copied; made once."""
    folder = _migrations(room)
    template = f"{room}_{_digest(folder)}"
    connection = await connections.connect(postgres_server.superuser_dsn(chosen))
    try:
        await connection.execute("select pg_advisory_lock(hashtext($1))", template)
        await _create_roles(connection, chosen, room, template)
        ready = "select 1 from pg_database where datname = $1 and datistemplate"
        if not await connection.fetchval(ready, template):
            await connection.execute(f'drop database if exists "{template}" with (force)')
            await connection.execute(f'create database "{template}" owner "{room}{OWNER_SUFFIX}"')
            await migrate(chosen.dsn(template, f"{room}{OWNER_SUFFIX}"), folder)
            await connection.execute(f'alter database "{template}" is_template true')
    finally:
        await connection.close()
    return template


async def _create_roles(
    connection: connections.Connection, chosen: postgres_server.Server, room: str, template: str
) -> None:
    """The room's two roles, and one named like the template, as what kit grants is granted to."""
    await postgres_server.create_roles(connection, chosen, room)
    if not await connection.fetchval("select 1 from pg_roles where rolname = $1", template):
        await connection.execute(f'create role "{template}" nologin')
        await connection.execute(f'grant "{template}" to "{room}"')


def _migrations(room: str) -> Path:
    return paths.PROJECT / "services" / room / "migrations"


def _digest(folder: Path) -> str:
    """Changes with every migration of the room and with kit's own tables."""
    content = hashlib.sha256()
    for path in (*sorted(folder.glob("*.sql")), *sorted((paths.PROJECT / "kit").glob("kit/*.sql"))):
        content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:10]
