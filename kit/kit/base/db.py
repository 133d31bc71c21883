"""PostgreSQL: one pool, transactions, and the translation of its errors; alone imports asyncpg."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
# asyncpg carries no types: what leaves this module is annotated by hand.

import asyncio
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Any, Final, LiteralString, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from kit.base import errors
from kit.base.message import Message, encode

Record = asyncpg.Record
Connection = Any  # asyncpg's, for what needs a session of its own (advisory locks, migrations)
ATTEMPTS_MAX: Final = 5  # of a creation that loses its race each time
Created = TypeVar("Created")
IDLE_IN_TRANSACTION_MS: Final = 3_000  # a writer paused inside its transaction must let go

_DIALECT: Final = dialect.dialect()
_Unencodable: Final[type[Exception]] = asyncpg.exceptions._base.DataError  # pyright: ignore[reportPrivateUsage]
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "57", "58")
_TRANSIENT_STATES: Final = ("25006", "25P02")
_IDLE_TOO_LONG: Final = "25P03"
_OUT_OF_TIME: Final = ("57014", "55P03")  # of a statement, and of waiting for a lock
_MICRO, _DAY = timedelta(microseconds=1), timedelta(days=1)
_NOT_AS_THE_CODE_EXPECTS: Final = ("28", "3D", "42501", "42703", "42P01")
_OF_OTHERS: Final = ("23503", "23505", "23P01")  # what another row refers to, or holds already


class DataError(errors.Permanent):
    """A datum that the database refuses (class 22 or 23); state and constraint say which.

    Its text is the database's own, for the log. The caller gets ours: 409 where another request
    was first, otherwise 422 (findings S17).
    """

    status, code, title = 422, "bad-datum", "A value that cannot be kept"
    fa = "مقداری در این درخواست نگه‌داشتنی نیست؛ عددها و متن‌ها را با مستندات بسنجید."

    def __init__(self, words: str, state: str, constraint: str) -> None:
        super().__init__(words)
        self.state = state
        self.constraint = constraint
        self.detail = "a value cannot be kept; compare numbers and texts with the documentation"
        if state in _OF_OTHERS:
            self.status, self.code, self.title = 409, "already-exists-differently", "Conflict"
            self.detail = "another request was first; read what is there, then send yours again"
            self.fa = "درخواست دیگری زودتر رسید؛ آنچه هست را بخوانید و سپس دوباره بفرستید."

    @property
    def lost(self) -> bool:
        """Whether another transaction created the same row first; a second try finds that row."""
        return self.state == "23505"


@contextmanager
def translated() -> Generator[None]:
    """Turn asyncpg's errors into DataError, Unavailable (TimedOut, Overlong) or Alarm.

    Alarm: the role, a table or a column is missing, so no datum is at fault. Errors of our own
    code pass unchanged.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        state = _state(error)
        if state[:2] in ("22", "23"):
            raise DataError(
                str(error), state, getattr(error, "constraint_name", None) or ""
            ) from error
        if _IDLE_TOO_LONG in (state, _state(error.__cause__)):  # why the connection was closed
            raise errors.Overlong(f"database: {error}") from error
        if state in _OUT_OF_TIME:
            raise errors.TimedOut(f"database: {error}") from error
        if state.startswith(_NOT_AS_THE_CODE_EXPECTS):
            raise errors.Alarm(f"the database is not as this code expects: {error}") from error
        if state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES:
            raise errors.Unavailable(f"database: {error}") from error
        raise
    except _Unencodable as error:  # an argument that does not encode
        raise DataError(str(error), "22000", "") from error
    except TimeoutError as error:
        raise errors.TimedOut(f"database: {error!r}") from error
    except (OSError, asyncpg.InternalClientError, asyncpg.InterfaceError) as error:
        raise errors.Unavailable(f"database: {error!r}") from error


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


class Tx:
    """One transaction on one connection; belongs to one task. SQL is literal, arguments are not."""

    __slots__ = ("_asked_at", "_connection", "messages")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._asked_at = time.monotonic()
        self.messages: list[Message] = []

    @contextmanager
    def _asking(self) -> Generator[None]:
        """Translate errors; a connection lost because we were idle too long raises Overlong."""
        idle_s = time.monotonic() - self._asked_at
        try:
            with translated():
                yield
        except errors.Unavailable as lost:
            if idle_s * 1000 < IDLE_IN_TRANSACTION_MS:
                raise
            raise errors.Overlong(f"{idle_s:.1f} s within a transaction: {lost.detail}") from lost
        finally:
            self._asked_at = time.monotonic()

    async def fetch(self, sql: LiteralString, *args: Any) -> list[Record]:
        """All rows. Raises DataError, Unavailable; so do the others."""
        with self._asking():
            return await self._connection.fetch(sql, *args)

    async def fetchrow(self, sql: LiteralString, *args: Any) -> Record | None:
        """First row, or None."""
        with self._asking():
            return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: LiteralString, *args: Any) -> Any:
        """First column of the first row, or None."""
        with self._asking():
            return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: LiteralString, *args: Any) -> str:
        """The command's tag, such as "UPDATE 3"."""
        with self._asking():
            return await self._connection.execute(sql, *args)

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """What fails within leaves the transaction as it was before."""
        async with self._connection.transaction():
            yield

    async def copy(
        self, table: LiteralString, columns: Sequence[str], records: Iterable[tuple[Any, ...]]
    ) -> None:
        """COPY rows in; conflicts raise, so deduplicate before. All rows are built first.

        asyncpg wraps an argument that does not encode, but not a row of COPY: it is a bad datum
        in both. Raises TypeError where building the rows does: that is an error of our own code.
        """
        rows = records if isinstance(records, list) else list(records)
        try:
            with self._asking():
                await self._connection.copy_records_to_table(table, columns=columns, records=rows)
        except (ArithmeticError, TypeError, ValueError, struct.error) as error:
            raise DataError(f"a row for {table}: {error}", "22000", "") from error

    async def select(self, statement: sa.Select[Any]) -> list[Record]:
        """Rows of a statement whose shape the caller chose (searches, reports), same connection."""
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        values = compiled.params
        names: Sequence[str] = compiled.positiontup or ()  # pyright: ignore[reportAttributeAccessIssue]
        args = [values[name] for name in names]
        with self._asking():
            return await self._connection.fetch(str(compiled), *args)

    def take_messages(self) -> list[Message]:
        """The messages of this transaction; the taker writes them to an outbox."""
        taken, self.messages = self.messages, []
        return taken

    async def keep_messages(self) -> None:
        """Store the messages for the relay, in their order; kit.stream.publish sends them."""
        await self.execute(
            "insert into outbox_messages (body) select u.body"
            " from unnest($1::bytea[]) with ordinality as u (body, place) order by u.place",
            [encode(message) for message in self.take_messages()],
        )


class Database:
    """One pool. `on_messages` is called after a commit that left messages for the relay."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.on_messages: Callable[[], None] = lambda: None

    @classmethod
    async def open(cls, dsn: str, *, size: int = 8, command_timeout_s: float = 5.0) -> "Database":
        """Connect. Raises Unavailable."""
        with translated():
            pool = await asyncpg.create_pool(
                dsn, min_size=min(2, size), max_size=size,
                max_inactive_connection_lifetime=0,  # a new one costs 20 to 80 ms, in mid-poll
                command_timeout=command_timeout_s, timeout=command_timeout_s,
                reset=_keep,  # no session state is ever left behind: spare the round trip
                init=_learn_types, server_settings=_SERVER_SETTINGS,
            )  # fmt: skip
        return cls(pool)

    async def ask(self) -> None:
        """Have a query of the pool answered. Raises where it is not."""
        await self._pool.fetchval("select 1")

    async def close(self) -> None:
        """Close every connection, waiting at most two seconds for those in use."""
        try:
            async with asyncio.timeout(2):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """READ COMMITTED; what outbox.add collected leaves with the commit, by the relay."""
        async with self._begun(readonly=False) as tx:
            yield tx
            left = bool(tx.messages)
            if left:
                await tx.keep_messages()
        if left:
            self.on_messages()

    async def create_once(self, create: Callable[[Tx], Awaitable[Created]]) -> Created:
        """Run `create` in a transaction; again where another one created the same row first.

        The second run finds that row and answers the same, or that the two differ. For every
        creation under an id that the caller chose. Raises DataError when it loses every time.
        """
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                async with self.transaction() as tx:
                    return await create(tx)
            except DataError as error:
                if not error.lost:
                    raise
        async with self.transaction() as tx:
            return await create(tx)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Tx]:
        """A read-only transaction; messages added here are never sent."""
        async with self._begun(readonly=True) as tx:
            yield tx

    @asynccontextmanager
    async def _begun(self, *, readonly: bool) -> AsyncGenerator[Tx]:
        with translated():
            connection = await self._pool.acquire(timeout=5)
        try:
            block = connection.transaction(readonly=readonly)
            with translated():
                await block.start()
            try:
                yield Tx(connection)
            except BaseException:
                with suppress(errors.Unavailable):  # a lost connection has rolled back by itself
                    await _rolled_back(connection, block)
                raise
            with translated():
                await block.commit()
        finally:
            await self._pool.release(connection)


async def connect(dsn: str) -> Connection:
    """A session of its own, outside the pool: advisory locks, migrations. Raises Unavailable."""
    with translated():
        session = await asyncpg.connect(dsn, timeout=5)
        await _learn_types(session)
        return session


_SERVER_SETTINGS: Final = {
    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
    "application_name": "peyvand",
    "jit": "off",  # set-based statements of a few hundred rows: compiling costs more than it saves
    # a plan lives as long as its connection: made for a small table, it would go on scanning
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
# asyncpg asks the server what an array type is when it first meets it: once, when we connect
_ARRAYS: Final = ", ".join(
    f"${place}::{kind}[]"
    for place, kind in enumerate(
        ("bool", "int2", "int4", "int8", "float8", "text", "bytea", "date", "timestamptz", "jsonb"),
        start=1,
    )
)


async def _learn_types(session: Connection) -> None:
    """Have every type that our statements pass known before the first of them runs.

    asyncpg writes the ends of Python's calendar as PostgreSQL's infinities and reads those back
    naive (findings S1). Our codecs refuse to write times in the years 1 and 9999, and read such a
    time as the nearest one that they write.
    """
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    for name, first, step in (("timestamptz", epoch, _MICRO), ("date", epoch.date(), _DAY)):
        codec = _counted(first, step)
        await session.set_type_codec(name, schema="pg_catalog", format="tuple", **codec)
    await session.prepare(f"select {_ARRAYS}")


def _counted(epoch: Any, step: timedelta) -> dict[str, Callable[[Any], Any]]:
    """Encoder and decoder of times that PostgreSQL counts from epoch in steps."""
    least: int = (epoch.replace(year=MINYEAR + 1) - epoch) // step
    most: int = (epoch.replace(year=MAXYEAR) - epoch) // step - 1

    def encoder(at: Any) -> tuple[int]:
        count: int = (at - epoch) // step
        if not least <= count <= most:
            raise ValueError("a time at the end of all times")
        return (count,)

    def decoder(count: tuple[int]) -> Any:
        since = count[0]  # compared in line: some 50 times a transaction with many lots
        if not least <= since <= most:
            since = least if since < least else most
        return epoch + since * step

    return {"encoder": encoder, "decoder": decoder}


async def _keep(connection: Connection) -> None:
    """Leave a returned connection as it is."""


async def _rolled_back(connection: Connection, block: Any) -> None:
    with translated():  # a connection that broke is already out of the pool and says so
        if not connection.is_closed():
            await block.rollback()
