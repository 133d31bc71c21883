"""kit.base.db on a real database: transactions, searches, and what its errors become."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from contracts import topics
from kit.base import db, errors
from kit.base.db import Database, DataError, Tx
from kit.stream import outbox
from kit.stream.outbox import Message

EFFECTS = sa.table("rows", sa.column("number", sa.Integer), sa.column("text", sa.Text))


@pytest_asyncio.fixture(loop_scope="session")
async def database(
    fresh_database: Callable[[str], Awaitable[str]], owner_dsn: Callable[[str], str]
) -> AsyncGenerator[Database]:
    """A database with one table of two columns."""
    dsn = await fresh_database("test")
    session = await db.connect(owner_dsn(dsn))
    await session.execute(
        "create table rows (number int primary key, text text not null, at timestamptz,"
        " id uuid, price numeric)"
    )
    await session.execute("grant all on rows to public")
    await session.close()
    made = await Database.open(dsn, size=2, command_timeout_s=1)
    yield made
    await made.close()


async def fill(tx: Tx) -> None:
    """Ten rows."""
    await tx.copy("rows", ["number", "text"], [(n, f"t{n % 3}") for n in range(10)])


async def test_the_caller_shapes_the_query_and_the_same_connection_runs_it(
    database: Database,
) -> None:
    async with database.transaction() as tx:
        await fill(tx)
        wanted = (
            sa.select(EFFECTS.c.number)
            .where(EFFECTS.c.text == "t1", EFFECTS.c.number.in_([1, 4, 5]))
            .order_by(EFFECTS.c.number.desc())
            .limit(5)
        )
        assert [row["number"] for row in await tx.select(wanted)] == [4, 1]
        row = await tx.fetchrow("select text from rows where number = $1", 4)
        assert row is not None
        assert (row["text"], await tx.fetchval("select count(*) from rows")) == ("t1", 10)


async def test_an_error_rolls_everything_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await fill(tx)
            raise ZeroDivisionError
    async with database.read() as tx:
        assert await tx.fetchval("select count(*) from rows") == 0


async def test_a_bad_datum_says_which_rule_it_breaks(database: Database) -> None:
    with pytest.raises(DataError) as twice:
        async with database.transaction() as tx:
            await fill(tx)
            await tx.execute("insert into rows values (1, 'x')")
    assert (twice.value.state, twice.value.constraint) == ("23505", "rows_pkey")
    with pytest.raises(DataError):
        async with database.transaction() as tx:
            await tx.execute("insert into rows values ($1, 'x')", "not a number")
    with pytest.raises(DataError):
        async with database.transaction() as tx:
            await tx.execute("insert into rows values (1, $1)", "\x00")


@pytest.mark.parametrize(
    "row",
    [
        (2**31, "too large for int4"),
        (2**70, "too large for any"),
        ("7", "not a number"),
        (7, 7),
        (7, "\ud800"),
        (7, "\x00"),
        (7, "at", "2026-03-21"),
        (7, "at", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
        (7, "id", None, "no uuid"),
        (7, "price", None, None, "no decimal"),
    ],
)
async def test_a_row_that_copy_cannot_take_is_a_bad_datum(
    database: Database, row: tuple[Any, ...]
) -> None:
    columns = ["number", "text", "at", "id", "price"]
    good = [(1, "one", None, None, None), (2, "two", None, None, None)]
    bad = (*row, *[None] * (len(columns) - len(row)))
    with pytest.raises(DataError) as refused:
        async with database.transaction() as tx:
            await tx.copy("rows", columns, [good[0], bad, good[1]])
    assert refused.value.state.startswith("22")
    async with database.transaction() as tx:  # the connection is whole, and nothing was kept
        await tx.copy("rows", columns, good)
        assert await tx.fetchval("select count(*) from rows") == 2


async def test_a_fault_of_ours_while_rows_are_made_is_no_bad_datum(database: Database) -> None:
    def rows() -> Iterator[tuple[int, str]]:
        yield 1, "one"
        raise TypeError("ours")

    with pytest.raises(TypeError, match="ours"):
        async with database.transaction() as tx:
            await tx.copy("rows", ["number", "text"], rows())


async def test_what_may_pass_is_unavailable_and_what_is_ours_is_not(database: Database) -> None:
    with pytest.raises(errors.TimedOut):
        async with database.read() as tx:
            await tx.execute("select pg_sleep(3)")
    with pytest.raises(errors.Unavailable):
        async with database.read() as tx:
            await tx.execute("select pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(errors.Unavailable):
        await Database.open("postgres://nobody@127.0.0.1:1/none")
    with pytest.raises(errors.Alarm, match="does not exist"):
        async with database.read() as tx:
            await tx.execute("select no_such_column")
    with pytest.raises(Exception, match="syntax error") as ours:
        async with database.read() as tx:
            await tx.execute("selectt")
    assert not isinstance(ours.value, errors.Problem)
    async with database.read() as tx:  # the pool has healed
        assert await tx.fetchval("select 1") == 1


ENDLESS = [
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1, 1, 1),  # noqa: DTZ001 - as an infinity reads back
    datetime(9999, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
    date.min,
    date.max,
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3, minutes=30))),
]


@pytest.mark.parametrize("at", ENDLESS, ids=repr)
async def test_no_time_is_written_that_reads_back_as_an_infinity(
    database: Database, at: date
) -> None:
    writes: list[Callable[[Tx], Awaitable[Any]]] = [
        lambda tx: tx.execute("insert into rows (number, text, at) values (1, '', $1)", at),
        lambda tx: tx.fetch("select u from unnest($1::timestamptz[]) as u", [None, at]),
        lambda tx: tx.fetchval("select $1::timestamptz", at),
        lambda tx: tx.fetchrow("select $1::date", at),
        lambda tx: tx.copy("rows", ["number", "text", "at"], [(1, "", None), (2, "", at)]),
    ]
    for write in writes:
        with pytest.raises(DataError) as refused:
            async with database.transaction() as tx:
                await write(tx)
        assert refused.value.state.startswith("22")


BEYOND = ("infinity", "-infinity", "10000-01-01", "294000-01-01", "0044-03-15 BC", "4713-01-01 BC")


@pytest.mark.parametrize("kept", BEYOND)
async def test_a_time_beyond_all_times_that_is_kept_already_reads_as_one_that_compares(
    database: Database, owner_dsn: Callable[[str], str], kept: str
) -> None:
    """What was written before the bound, or by hand: no reading may fail for it or say it (S1)."""
    last = datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    first = datetime(2, 1, 1, tzinfo=UTC)
    wanted = first if "-inf" in kept or "BC" in kept else last
    async with database.transaction() as tx:
        await tx.execute(
            "insert into rows (number, text, at) values (1, '', $1::text::timestamptz)", kept
        )
        found = await tx.fetchrow("select at, array[at, null] as two, at::date as day from rows")
        selected = await tx.select(sa.select(sa.column("at")).select_from(sa.table("rows")))
    assert found is not None
    assert (found["at"], selected[0]["at"]) == (wanted, wanted)
    assert found["two"] == [wanted, None]
    assert found["day"] == wanted.date()
    assert found["at"].tzinfo is not None


async def test_a_time_that_is_written_reads_back_as_it_was(database: Database) -> None:
    tehran = timezone(timedelta(hours=3, minutes=30))
    for at in (
        datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 21, 0, 0, 0, 1, tzinfo=tehran),
        datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ):  # fmt: skip
        async with database.transaction() as tx:
            assert await tx.fetchval("select $1::timestamptz", at) == at
            assert await tx.fetchval("select $1::timestamptz::text", at)
            same = await tx.fetchval("select $1::timestamptz = $2::text::timestamptz", at, f"{at}")
            assert same is True
            assert await tx.fetchval("select $1::date", at.date()) == at.date()
            await tx.copy("rows", ["number", "text", "at"], [(1, "", at), (2, "", None)])
            kept = await tx.fetch("select at from rows order by number")
            assert [row["at"] for row in kept] == [at, None]
            await tx.execute("delete from rows")


@pytest.mark.parametrize(
    ("at_work", "said"), [(True, errors.Overlong), (False, errors.Unavailable)]
)
async def test_a_paused_transaction_lets_go_after_three_seconds(
    database: Database, at_work: bool, said: type[Exception]
) -> None:
    with pytest.raises(said):
        async with database.transaction() as tx:
            await tx.execute("select 1")
            await tx.fetchval(
                "select set_config('idle_in_transaction_session_timeout', '50', true)"
            )
            if at_work:
                time.sleep(0.3)  # noqa: ASYNC251 - computing, the loop hears nothing meanwhile
            else:
                await asyncio.sleep(0.3)
            await tx.execute("select 1")
    async with database.read() as tx:
        shown = await tx.fetchval("show idle_in_transaction_session_timeout")
    assert shown == "3s"


async def test_what_cannot_be_sent_is_refused_when_it_is_said(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(errors.Invalid):
            outbox.add(tx, [Message("t", 0, b"k", b"x" * 900_001)])
        with pytest.raises(errors.Invalid):
            outbox.add(tx, [Message(topics.LEDGER_COMMANDS.name, None, b"k", b"x", (), True)])
        assert tx.messages == []
