"""A ledger's database, read only: every connection reads the same snapshot."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import Any

import asyncpg

from verifier.books import Unreadable
from verifier.copying import EMPTY
from verifier.tables import ALL, LEAVES, Table

_CONNECT_S = 30
_BLOCKS_WAITING_MAX = 4
_SETTINGS = {
    "application_name": "verifier",
    "work_mem": "64MB",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",  # the first keeps the snapshot for all others
}


class Database:
    """A book in PostgreSQL. Streams have connections of their own, on one snapshot.

    filled: (table, shard) with any rows in it; None: not counted.
    """

    def __init__(
        self, dsn: str, connection: Any, snapshot: str, filled: Collection[tuple[str, int]] | None
    ) -> None:
        self.dsn = dsn
        self.snapshot = snapshot
        self.filled = filled
        self._connection = connection
        self._idle: list[Any] = []

    @classmethod
    async def open(
        cls, dsn: str, snapshot: str = "", filled: Collection[tuple[str, int]] | None = None
    ) -> "Database":
        """Open it as it is now, or at another connection's snapshot. Raises Unreadable."""
        connection = await _connect(dsn, snapshot)
        named = snapshot or await connection.fetchval("select pg_export_snapshot()")
        return cls(dsn, connection, named, filled)

    async def blocks(self, table: Table, shard: int) -> AsyncIterator[bytes]:
        """As Book.blocks."""
        if self.filled is not None and (table.name, shard) not in self.filled:
            yield EMPTY
            return
        connection = self._idle.pop() if self._idle else await _connect(self.dsn, self.snapshot)
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(_BLOCKS_WAITING_MAX)

        async def copy() -> None:
            try:
                query = table.select(f"shard = {int(shard)}")
                await connection.copy_from_query(query, output=waiting.put, format="binary")
            finally:
                await waiting.put(None)

        copying = asyncio.create_task(copy())
        try:
            while (block := await waiting.get()) is not None:
                yield block
            await _readable(copying)
            self._idle.append(connection)
        except BaseException:
            connection.terminate()
            raise
        finally:
            copying.cancel()
            await asyncio.wait([copying])

    async def chunks_at(self, shard: int, sequences: Iterable[int]) -> Mapping[int, bytes]:
        """As Book.chunks_at."""
        needed = sorted(set(sequences))
        if not needed:
            return {}
        rows = await self._connection.fetch(
            "select l.first, l.packed from leaves l where l.shard = $1 and l.first in ("
            " select (select m.first from leaves m where m.shard = $1 and m.first <= w.sequence"
            "  order by m.first desc limit 1) from unnest($2::bigint[]) as w (sequence))",
            shard,
            needed,
        )
        return {row["first"]: row["packed"] for row in rows}

    async def counts(self) -> dict[str, dict[int, int]]:
        """As Book.counts."""
        counts: dict[str, dict[int, int]] = {}
        for table in ALL:
            measure = "sum(count)" if table is LEAVES else "count(*)"
            rows = await self._connection.fetch(
                f"select shard, {measure}::bigint as n from {table.name} group by shard"  # noqa: S608 - names of this file
            )
            counts[table.name] = {row["shard"]: row["n"] for row in rows}
        return counts

    async def close(self) -> None:
        """As Book.close."""
        for connection in (self._connection, *self._idle):
            connection.terminate()


async def _connect(dsn: str, snapshot: str) -> Any:
    try:
        connection: Any = await asyncpg.connect(
            dsn, timeout=_CONNECT_S, server_settings=_SETTINGS, statement_cache_size=0
        )
        await connection.execute("begin isolation level repeatable read read only")
        if snapshot:
            await connection.execute(f"set transaction snapshot '{snapshot}'")
        return connection
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise Unreadable(f"the database cannot be read: {error}") from error


async def _readable(copying: "asyncio.Task[None]") -> None:
    try:
        await copying
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreadable(f"the database cannot be read: {error}") from error
