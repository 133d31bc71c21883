"""Is a true book found true, and does a lie in any column of any table find its name?"""

import json
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.db import Database
from ledger.domain import checkpoints, merkle
from ledger.domain.checkpoints import Checkpoint
from verifier import folder, signed, tables

from . import auditing, house_of, stories


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


def named(report, table):
    """Columns of a table that findings name; None among them: whole rows."""
    return {finding.column for finding in report.findings.listed if finding.table == table.name}


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda v: getattr(v, "name", v))
async def test_a_value_that_was_altered_is_named(book, spoiler, table, column):
    kind = (await spoiler.columns(table.name))[column]
    value = ALTERED[kind].format(column)
    if column == "shard":  # to where nothing ever happened
        value = "77" if table is tables.SHARDS else "7"
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
    "accounts": ("owner", "owner + 1"),
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


# ------------------------------------------------------------------------- names, checkpoints, log


async def test_a_name_answered_on_two_shards_is_named(fresh_database):
    dsn = await fresh_database("ledger")
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    story = stories.Story(1)
    twice = [story.purchase(), stories.TickClock(name="k.1")]
    for shard in (3, 4):
        batch = [stories.wrap(body, story.at) for body in twice]
        await house_of.post(database, house_of.events(shard, batch))
    await database.close()
    report = await auditing.check(dsn)
    (finding,) = report.findings.listed
    assert finding.check == "names"
    assert twice[0].name in finding.text
    assert "shard 3, sequence 1; shard 4, sequence 1" in finding.text


ORIGIN = "peyvand.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest_asyncio.fixture(loop_scope="session")
async def published(book, tmp_path):
    """Two checkpoints of shard 0, as they are published, and their folder."""
    async with auditing.reading(book) as tx:
        raw = await auditing.log_of(tx, 0)
    hashes = merkle.leaf_hashes(raw)
    for size in (100, len(raw)):
        root = merkle.root(merkle.grow(merkle.EMPTY, hashes[:size]).frontier)
        at = datetime(2026, 11, 21, tzinfo=UTC)
        signed = checkpoints.sign(Checkpoint(ORIGIN, 0, size, root, at), KEY)
        (tmp_path / f"{size}.txt").write_text(signed)
    return tmp_path


def keys():
    """The ledger's key, as an auditor is given it."""
    return signed.keys_of([checkpoints.verifier_key(ORIGIN, 0, KEY.public_key())])


async def test_true_checkpoints_are_found_true(book, published):
    report = await auditing.check(book, keys=keys(), checkpoints=published)
    assert auditing.told(report) == ""
    assert report.checkpoints == 2


async def test_a_spoilt_checkpoint_is_named(book, published):
    text = (published / "100.txt").read_text()
    (published / "100.txt").write_text(text.replace("\n100\n", "\n101\n"))
    report = await auditing.check(book, keys=keys(), checkpoints=published)
    assert "100.txt" in auditing.told(report)


@pytest.mark.parametrize(
    ("size", "words"), [(100, "the root of the first 100"), (900, "signed over")]
)
async def test_a_checkpoint_of_another_log_is_named(book, published, size, words):
    at = datetime(2026, 11, 21, tzinfo=UTC)
    text = checkpoints.sign(Checkpoint(ORIGIN, 0, size, bytes(32), at), KEY)
    (published / "other.txt").write_text(text)
    report = await auditing.check(book, keys=keys(), checkpoints=published)
    (finding,) = report.findings.listed
    assert finding.check == "checkpoints"
    assert words in finding.text


# --------------------------------------------------------------------------------- an exported book


async def test_an_exported_book_is_audited_alike(book, tmp_path):
    assert await auditing.run("export", "--dsn", book, "--book", tmp_path / "book") == 0
    report = await auditing.check(book)
    exported = await auditing.check(folder=tmp_path / "book")
    assert auditing.told(exported) == ""
    assert (exported.entries, exported.leaves) == (report.entries, report.leaves)
    assert await auditing.run("export", "--dsn", book, "--book", tmp_path / "book") == 2


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_a_lie_before_the_export_is_named_too(book, spoiler, tmp_path, table):
    async with spoiler.spoilt(table.name):
        await spoiler.remove(await spoiler.last(table))
        assert await auditing.run("export", "--dsn", book, "--book", tmp_path / "book") == 0
    assert named(await auditing.check(folder=tmp_path / "book"), table)


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_a_spoilt_byte_of_an_exported_file_is_found(book, tmp_path, table):
    await auditing.run("export", "--dsn", book, "--book", tmp_path / "book")
    path = folder.file_of(tmp_path / "book", table, 0)
    raw = bytearray(path.read_bytes())
    raw[len(raw) * 2 // 3] ^= 1
    path.write_bytes(raw)
    assert named(await auditing.check(folder=tmp_path / "book"), table)


async def test_the_command_line_reports(book, spoiler, tmp_path):
    report = tmp_path / "report.json"
    assert await auditing.run("audit", "--dsn", book, "--report", report) == 0
    said = json.loads(report.read_text())
    assert said["ok"]
    assert not said["findings"]
    assert {"entries", "seconds", "entries_per_s"} <= said.keys()
    async with spoiler.spoilt("entries"):
        await spoiler.alter_last(tables.ENTRIES, "amount", "amount + 1")
        assert await auditing.run("audit", "--dsn", book, "--report", report) == 1
    assert not json.loads(report.read_text())["ok"]
    assert await auditing.run("audit", "--book", tmp_path / "nowhere") == 2
    assert await auditing.run("audit", "--dsn", f"{book}_not", "--report", report) == 2
