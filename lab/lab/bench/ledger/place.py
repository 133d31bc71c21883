"""Where the bench runs: a server with the cluster's settings, databases made from molds."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil

from cluster import children, connections, postgres_server, servers
from lab.bench.report import FOLDER

HOME: Final = FOLDER / "ledger-servers"
ROOM: Final = "ledger"
_OURS: Final = "bench_"


class Place:
    """The servers of the bench. A mold is a database made once, of which each run gets a copy."""

    def __init__(self, home: servers.Servers) -> None:
        self.home = home
        self.molds: set[str] = set()

    @classmethod
    def open(cls, *, kafka: bool = False, folder: Path = HOME) -> "Place":
        """Start the servers, or keep those that run."""
        return cls(servers.start_servers(folder, kafka=kafka))

    def close(self) -> None:
        """Stop them; what they hold stays until `make clean`."""
        self.home.stop()

    @property
    def postmaster(self) -> psutil.Process:
        """The server's first process."""
        process = children.find(self.home.folder, postgres_server.NAME)
        if process is None:
            raise servers.NotRunning("postgres does not run")
        return process

    def dsn(self, database: str, role: str = postgres_server.SUPERUSER) -> str:
        """The address of a database; by default for whoever may do everything."""
        return self.home.dsn(database, role)

    @asynccontextmanager
    async def superuser(self, database: str = "postgres"):
        """A connection that may do everything."""
        connection = await connections.connect(self.dsn(database))
        try:
            yield connection
        finally:
            await connection.close()

    async def clear(self) -> None:
        """Drop every database that an earlier run left."""
        async with self.superuser() as connection:
            rows = await connection.fetch(
                "select datname from pg_database where starts_with(datname, $1)", _OURS
            )
            for row in rows:
                await _drop(connection, row["datname"])
        self.molds.clear()

    async def mold(self, name: str, fill: Callable[[str], Awaitable[object]]) -> str:
        """The database that fill(database) fills; made when first asked for."""
        mold = f"{_OURS}mold_{name}"
        if mold in self.molds:
            return mold
        async with self.superuser() as connection:
            await postgres_server.create_roles(connection, self.home.postgres, ROOM)
            await _drop(connection, mold)
            await connection.execute(f'create database "{mold}" owner {ROOM}_owner')
            await self._name_role(connection, mold)
        await fill(mold)
        async with self.superuser(mold) as connection:
            await connection.execute("vacuum analyze")
        self.molds.add(mold)
        return mold

    @asynccontextmanager
    async def copy(self, mold: str):
        """A fresh copy of a mold, gone at the end. Its pages are as if just written: no checkpoint
        lies between them and the run, on either side."""
        name = mold.replace("mold", "run")
        async with self.superuser() as connection:
            await _drop(connection, name)
            await connection.execute(
                f'create database "{name}" template "{mold}" strategy wal_log owner {ROOM}_owner'
            )
            await self._name_role(connection, name)
        try:
            yield name
        finally:
            async with self.superuser() as connection:
                await _drop(connection, name)

    async def _name_role(self, connection: connections.Connection, name: str) -> None:
        """A role named like the database, as what kit grants is granted to."""
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", name):
            await connection.execute(f'create role "{name}" nologin')
        await connection.execute(f'grant "{name}" to {ROOM}')


async def _drop(connection: connections.Connection, name: str) -> None:
    await connection.execute(f'drop database if exists "{name}" with (force)')
