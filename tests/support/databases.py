"""Servers and databases for tests: one broker and one PostgreSQL for a run of pytest.

A run has a folder of its own under var/test-servers and removes it at its end; what an
interrupted run left behind is ended by the next. With KEEP_SERVERS=1 the runs share
var/test-servers/kept instead, whose servers stay up until `make clean`. A worker of `pytest -n`
is a run of its own, and keeps servers of its own.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from cluster import children, connections, lockfile, paths, postgres_server, servers
from support import workers

FOLDER = paths.PROJECT / "var" / "test-servers"
ORPHANS_WAIT_S = 120.0
OWNER_SUFFIX = "_owner"

Migrate = Callable[[str, Path], Awaitable[object]]


class Run:
    """The servers of one run of pytest, each started when first asked for."""

    def __init__(self, *, keep: bool) -> None:
        """keep: share the servers that stay up between runs."""
        self.keep = keep
        kept = "-".join(filter(None, ("kept", workers.name())))
        self.folder = FOLDER / (kept if keep else f"run-{os.getpid()}")
        self.databases: list[str] = []
        # one at a time: else a run could take another one that begins for one that was killed
        with lockfile.held(FOLDER / "orphans.lock", wait_s=ORPHANS_WAIT_S):
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
    for path in (
        *sorted(folder.glob("*.sql")),
        *sorted((paths.PROJECT / "kit").glob("kit/**/*.sql")),
    ):
        content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:10]
