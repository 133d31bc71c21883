"""Is a true book found true, and does a lie in any column of any table find its name?"""

import pytest
import pytest_asyncio

from kit.db import Database
from verifier import tables

from . import auditing


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def book(fresh_database):
    """A database with a story on two shards."""
    dsn = await fresh_database("ledger")
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    await auditing.tell(database)
    await database.close()
    return dsn


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spoiler(book, server_run):
    """Whoever may change it."""
    made = await auditing.Spoiler.open(server_run.folder, book)
    await made.drop_checks()
    yield made
    await made.connection.close()


async def test_a_true_book_is_found_true(book):
    report = await auditing.check(book)
    assert auditing.told(report) == ""
    said = report.as_json()
    assert said["ok"]
    assert said["entries"] > 300
    assert said["leaves"] > 200


# ------------------------------------------------------------------------- one value made another

ALTERED = {
    "smallint": "({0} + 1)::smallint",
    "integer": "{0} + 1000",
    "bigint": "coalesce({0}, 0) + 1",
    "bigint[]": "array_append({0}, 1)",
    "boolean": "not {0}",
    "text": "{0} || 'x'",
    "bytea": "case when coalesce(length({0}), 0) = 0 then '\\x00'::bytea"
    " else set_byte({0}, length({0}) / 2, get_byte({0}, length({0}) / 2) # 1) end",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
}
COLUMNS = [(table, column.name) for table in tables.ALL for column in table.columns]
OTHER_SHARD = 7  # where nothing ever happened


def named(report, table):
    """Columns of a table that findings name; None among them: whole rows."""
    return {finding.column for finding in report.findings.listed if finding.table == table.name}


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda v: getattr(v, "name", v))
async def test_a_value_that_was_altered_is_named(book, spoiler, table, column):
    kind = (await spoiler.columns(table.name))[column]
    value = str(OTHER_SHARD) if column == "shard" else ALTERED[kind].format(column)
    async with spoiler.spoilt(table.name):
        await spoiler.alter_last(table, column, value)
        report = await auditing.check(book)
    found = named(report, table)
    if column in KEYS[table.name]:  # the row is another row now
        assert found
    elif table is tables.LEAVES and column in ("packed", "digest"):
        assert found & {"packed", "digest"}
    else:
        assert column in found, auditing.told(report)
    report = await auditing.check(book)
    assert auditing.told(report) == ""


KEYS = {
    "leaves": ("first", "shard"),
    "outcomes": ("sequence", "shard", "name"),
    "entries": ("sequence", "line", "shard"),
    "consumptions": ("sequence", "ordinal", "shard"),
    "shards": ("shard",),
    "accounts": ("account_id", "shard"),
    "lots": ("lot", "shard"),
    "originals": ("name", "shard"),
    "nodes": ("level", "number", "shard"),
}


# ----------------------------------------------------------------------------- rows gone or added


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_a_row_that_was_removed_is_named(book, spoiler, table):
    async with spoiler.spoilt(table.name):
        row = await spoiler.last(table)
        await spoiler.remove(row)
        report = await auditing.check(book)
    assert named(report, table), auditing.told(report)


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_a_row_that_was_added_is_named(book, spoiler, table):
    key, value = ADDED[table.name]
    async with spoiler.spoilt(table.name):
        await spoiler.add_like_last(table, key, value)
        report = await auditing.check(book)
    assert named(report, table), auditing.told(report)


ADDED = {  # which column makes a row another one
    "leaves": ("first", "first + 100"),
    "outcomes": ("name", "name || '9'"),
    "entries": ("account_sequence", "account_sequence + 1"),
    "consumptions": ("ordinal", "(ordinal + 1)::smallint"),
    "shards": ("shard", "99::smallint"),
    "accounts": ("account_id", "account_id + 1"),
    "lots": ("lot", "lot + 1"),
    "originals": ("name", "name || '9'"),
    "nodes": ("number", "number + 1"),
}


@pytest.mark.parametrize(
    ("table", "column"),
    [("entries", "amount"), ("entries", "line"), ("consumptions", "ordinal"), ("lots", "remaining"),
     ("outcomes", "sequence"), ("accounts", "balance")],
)  # fmt: skip
async def test_rows_that_changed_places_are_named(book, spoiler, table, column):
    """Two rows of one shard exchange a value, so that every sum stays."""
    async with spoiler.spoilt(table):
        await spoiler.exchange(table, column)
        report = await auditing.check(book)
    assert any(finding.table == table for finding in report.findings.listed)
