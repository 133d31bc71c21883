"""Is a true book found true, and does a lie in any column of any table find its name?"""

import json
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from contracts.values import Kind
from kit.base.db import Database
from ledger.log.domain import checkpoints, merkle
from ledger.log.domain.checkpoints import Checkpoint
from verifier import folder, signed, tables
from verifier import shard as passes

from . import auditing, generators, postgres

SHARD = auditing.SHARDS[0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def book(fresh_database):
    """A database with a story over two shards."""
    dsn = await fresh_database("ledger")
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    await auditing.tell(database, auditing.story())
    await database.close()
    return dsn


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spoiler(book, server_run):
    """Whoever may change it."""
    made = await auditing.Spoiler.open(server_run.folder, book)
    await made.drop_checks()
    yield made
    await made.connection.close()


async def test_a_true_book_is_found_true(book, spoiler):
    report = await auditing.check(book)
    assert auditing.told(report) == ""
    said = report.as_json()
    assert said["ok"]
    assert said["leaves"] > 500
    assert said["entries"] > 500
    for table in tables.ALL:  # each has something to be wrong
        assert await spoiler.last(table), table.name


# ------------------------------------------------------------------------- one value made another

ALTERED = {
    "smallint": "({0} + 1000)::smallint",
    "integer": "{0} + 1000",
    "bigint": "coalesce({0}, 0) + 1000000",
    "bigint[]": "array_append({0}, 1)",
    "integer[]": "array_append({0}, 1)",
    "boolean": "not {0}",
    "text": "{0} || 'x'",
    "bytea": "case when coalesce(length({0}), 0) = 0 then '\\x00'::bytea"
    " else set_byte({0}, length({0}) / 2, get_byte({0}, length({0}) / 2) # 1) end",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
}
KEYS = {  # columns that name a row
    "leaves": ("first",), "outcomes": ("sequence", "name"), "entries": ("sequence", "line"),
    "consumptions": ("sequence", "ordinal"), "lot_dates": ("sequence", "lot"),
    "sends": ("sequence", "owner"), "shards": ("shard",), "accounts": ("account_id",),
    "lots": ("lot",),
    "holds": ("hold",), "originals": ("name",), "nodes": ("level", "number"),
    "standings": ("is_party", "number"), "terms": ("kind", "id", "version"),
    "cards": ("account",), "windows": ("closed",), "positions": ("debtor", "creditor", "closed"),
    "settlements": ("debtor", "creditor"),
}  # fmt: skip
ONE_BY_ONE = ("leaves", "shards")  # a lie in one row of these hides others


def named(report, table):
    """What findings name of a table: (row, column)."""
    return {(f.row, f.column) for f in report.findings.listed if f.table == table.name}


def row_of(table, row):
    """A row as findings name it."""
    return ", ".join(f"{name} {row[name]}" for name in KEYS[table.name])


def is_named(found, table, row, column):
    """Whether findings name a column of a row; where it is another row now, any row."""
    if column == "shard" or column in KEYS[table.name]:
        return bool(found)
    columns = {"packed", "digest"} if column in ("packed", "digest") else {column}
    return any((row_of(table, row), one) in found for one in columns)


@pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
async def test_a_value_that_was_altered_is_named(book, spoiler, table):
    """Each column is altered in a row of its own, in as many audits as there are too few rows."""
    kinds = await spoiler.columns(table.name)
    assert set(kinds) == set(table.names)
    columns = list(table.names)
    while columns:
        async with spoiler.spoilt(table.name):
            limit = 1 if table.name in ONE_BY_ONE else len(columns)
            rows = await spoiler.last(table, limit)
            lies = list(zip(rows, columns, strict=False))
            for row, column in lies:
                value = "77" if column == "shard" else ALTERED[kinds[column]].format(column)
                if column == "shard" and table.name in ("leaves", "entries", "consumptions"):
                    value = "11"  # where these have ranges, and nothing ever happened
                await spoiler.alter(row, column, value)
            report = await auditing.check(book)
        found = named(report, table)
        for row, column in lies:
            assert is_named(found, table, row, column), (column, auditing.told(report))
        columns = columns[len(lies) :]


# ----------------------------------------------------------------------------- rows gone or added


# What the leaves do not say shows in its own table alone: so all others are spoilt at once.
TOGETHER = [(tables.LEAVES,), tuple(table for table in tables.ALL if table is not tables.LEAVES)]


@pytest.mark.parametrize("spoilt", TOGETHER, ids=["leaves", "others"])
async def test_a_row_that_was_removed_is_named(book, spoiler, spoilt):
    """The last row of each table."""
    gone = []
    async with spoiler.spoilt(*[table.name for table in spoilt]):
        for table in spoilt:
            (row,) = await spoiler.last(table)
            await spoiler.remove(row)
            gone.append((table, row_of(table, row)))
        report = await auditing.check(book)
    for table, row in gone:
        found = named(report, table)
        assert found, (table.name, auditing.told(report))
        if table is not tables.LEAVES:  # of which it is said where the next is missing
            assert (row, None) in found, (table.name, found)


ADDED = {  # what makes a row another one
    "leaves": {"first": "first + 100"},
    "outcomes": {"name": "name || '9'"},
    "entries": {"account_sequence": "account_sequence + 1000"},
    "consumptions": {"ordinal": "(ordinal + 1)::smallint"},
    "lot_dates": {"sequence": "sequence + 1"},
    "sends": {"sequence": "sequence + 1"},
    "shards": {"shard": "99::smallint"},
    "accounts": {"account_id": "account_id + 1", "owner": "owner + 77"},
    "lots": {"lot": "lot + 1"},
    "holds": {"hold": "hold + 1000"},
    "originals": {"name": "name || '9'"},
    "nodes": {"number": "number + 1"},
    "standings": {"number": "number + 77"},
    "terms": {"version": "version + 77"},
    "cards": {"account": "account + 77"},
    "windows": {"closed": "closed + 1"},
    "positions": {"closed": "closed + 77"},
    "settlements": {"debtor": "debtor + 77"},
}


@pytest.mark.parametrize("spoilt", TOGETHER, ids=["leaves", "others"])
async def test_a_row_that_was_added_is_named(book, spoiler, spoilt):
    """One like the last of each table, but for what makes it another one."""
    async with spoiler.spoilt(*[table.name for table in spoilt]):
        for table in spoilt:
            (row,) = await spoiler.last(table)
            await spoiler.add_like(row, **ADDED[table.name])
        report = await auditing.check(book)
    for table in spoilt:
        assert named(report, table), (table.name, auditing.told(report))


@pytest.mark.parametrize(
    ("table", "column"),
    [("entries", "amount"), ("entries", "line"), ("consumptions", "ordinal"), ("lots", "remaining"),
     ("outcomes", "sequence"), ("accounts", "balance"), ("holds", "amounts")],
)  # fmt: skip
async def test_rows_that_changed_places_are_named(book, spoiler, table, column):
    """Two rows of one shard exchange a value, so that every sum stays."""
    async with spoiler.spoilt(table):
        await spoiler.exchange(table, column)
        report = await auditing.check(book)
    assert any(finding.table == table for finding in report.findings.listed)


# ----------------------------------------------------------------------------------- two processes


async def test_two_halves_find_what_the_whole_finds(book, spoiler, tmp_path):
    """Lies of the ledger itself in its leaves, and of somebody else beside them."""
    whole, rows, outcomes = passes.Half
    (tmp_path / "true").mkdir()
    assert not any((await auditing.in_parts(book, SHARD, tmp_path / "true")).values())
    async with spoiler.spoilt("leaves", "entries"):
        bought = await spoiler.rows(
            "select min(sequence) as first, max(sequence) as last from entries"
            f" where shard = {SHARD} and line = 0"
        )
        first, last = bought[0]["first"], bought[0]["last"]
        await spoiler.rewrite(SHARD, {first: declined, last: one_more, last - 1: late})
        (row,) = await spoiler.last(tables.ENTRIES)
        await spoiler.alter(row, "amount", "amount + 1000")
        found = await auditing.in_parts(book, SHARD, tmp_path)
    assert found[rows] | found[outcomes] == found[whole]
    assert not found[rows] & found[outcomes]
    assert any(f"sequence {first}," in text and "status" in text for text in found[outcomes])
    assert any(f"sequence {last}," in text for text in found[outcomes])
    assert any(f"sequence {last}" in text and "balance" in text for text in found[rows])


def declined(leaf):
    """A yes that was told as a no."""
    return leaf._replace(head=(*leaf.head[:3], "declined", "limit", *leaf.head[5:]))


def one_more(leaf):
    """An amount that the running balance does not bear out."""
    (line, account, number, amount, balance), *others = leaf.rows["entries"]
    entries = [(line, account, number, amount + 1, balance), *others]
    return leaf._replace(rows=leaf.rows | {"entries": entries})


def late(leaf):
    """Another time."""
    return leaf._replace(head=(*leaf.head[:2], leaf.head[2] + 1, *leaf.head[3:]))


# ------------------------------------------------------------------------- names, checkpoints, log


async def test_a_name_answered_on_two_shards_is_named(fresh_database):
    dsn = await fresh_database("ledger")
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    told = generators.Story(1)
    twice = [told.purchase(), generators.AdvanceClock(name="k.1")]
    for shard in (3, 4):
        batch = [generators.wrap(body, told.at) for body in twice]
        await postgres.post(database, postgres.events(shard, batch))
    await database.close()
    report = await auditing.check(dsn)
    (finding,) = report.findings.listed
    assert finding.check == "names"
    assert twice[0].name in finding.text
    assert "shard 3, sequence 1; shard 4, sequence 1" in finding.text


async def told_to(dsn, shards):
    """Commands told to shards, a batch each."""
    database = await Database.open(dsn, size=2, command_timeout_s=30)
    for shard, batch in shards:
        await postgres.post(database, postgres.events(shard, batch))
    await database.close()


async def test_a_name_that_a_till_sent_to_two_shards_is_told_apart_from_a_lie(fresh_database):
    """Findings A14: many of those, listed apart, and a lie that stays a finding among them."""
    told = generators.Story(1)
    *sold, lie, late = [
        told.post(Kind.PURCHASE, name=f"t.10000017.1.{sequence}", amount_rial=50_000)
        for sequence in range(1, 7)
    ]
    others = [replace(one, account=1_000_000, member=2) for one in sold]
    undo = told.post(Kind.REVERSAL, original=late.name, account=0, merchant=late.merchant)
    dsn = await fresh_database("ledger")
    first = [generators.wrap(one, told.at) for one in [*sold, lie, undo]]
    second = [generators.wrap(one, told.at) for one in [*others, lie, late]]
    await told_to(dsn, [(3, first), (4, second)])
    report = await auditing.check(dsn)
    (finding,) = report.findings.listed
    assert lie.name in finding.text
    said = report.as_json()
    assert said["names_answered_in_more_than_one_shard_count"] == len(sold) + 1
    listed = said["names_answered_in_more_than_one_shard"]
    assert len(listed) == len(sold) + 1
    names = {one.name for one in [*sold, late]}
    assert all(one["name"] in names and one["shards"] == [3, 4] for one in listed)
    assert all(one["terminal"] == 10_000_017 for one in listed)


async def test_names_that_tills_sent_to_two_shards_do_not_fail_the_audit(fresh_database, capsys):
    told = generators.Story(1)
    sale = told.post(Kind.PURCHASE, amount_rial=50_000)
    other = replace(sale, account=1_000_000, member=2)
    dsn = await fresh_database("ledger")
    batches = [(shard, [generators.wrap(one, told.at)]) for shard, one in ((3, sale), (4, other))]
    await told_to(dsn, batches)
    assert await auditing.run("audit", "--dsn", dsn) == 0
    shown = capsys.readouterr().err
    assert f"merchant {sale.merchant}: {sale.name} in shards 3, 4" in shown
    assert "nothing is wrong" in shown


ORIGIN = "peyvand.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest_asyncio.fixture(loop_scope="session")
async def published(book, tmp_path):
    """Two checkpoints of a shard, as they are published, and their folder."""
    async with auditing.reading(book) as tx:
        raw = await auditing.log_of(tx, SHARD)
    hashes = merkle.leaf_hashes(raw)
    texts = []
    for size in (100, len(raw)):
        root = merkle.root(merkle.grow(merkle.EMPTY, hashes[:size]).frontier)
        at = datetime(2026, 11, 21, tzinfo=UTC)
        texts.append(checkpoints.sign(Checkpoint(ORIGIN, SHARD, size, root, at), KEY))
    (tmp_path / f"{SHARD}.checkpoints").write_text("".join(texts))
    line = checkpoints.verifier_key(ORIGIN, SHARD, KEY.public_key())
    (tmp_path / signed.KEYS_FILE).write_text(f"{line}\n")
    return tmp_path


def keys(published):
    """The ledger's key, as an auditor is given it."""
    return signed.keys_of([str(published / signed.KEYS_FILE)])


async def test_true_checkpoints_are_found_true(book, published):
    report = await auditing.check(book, keys=keys(published), checkpoints=published)
    assert auditing.told(report) == ""
    assert report.checkpoints == 2


async def test_a_spoilt_checkpoint_is_named(book, published):
    path = published / f"{SHARD}.checkpoints"
    path.write_text(path.read_text().replace("\n100\n", "\n101\n"))
    report = await auditing.check(book, keys=keys(published), checkpoints=published)
    assert f"{path.name}, from line 1" in auditing.told(report)


@pytest.mark.parametrize(("size", "words"), [(100, "root of the first 100"), (9000, "signed over")])
async def test_a_checkpoint_of_another_log_is_named(book, published, size, words):
    at = datetime(2026, 11, 21, tzinfo=UTC)
    text = checkpoints.sign(Checkpoint(ORIGIN, SHARD, size, bytes(32), at), KEY)
    (published / "other.txt").write_text(text)
    report = await auditing.check(book, keys=keys(published), checkpoints=published)
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


async def test_lies_before_the_export_are_named_too(book, spoiler, tmp_path):
    async with spoiler.spoilt("entries"), spoiler.spoilt("accounts"):
        for table in (tables.ENTRIES, tables.ACCOUNTS):
            (row,) = await spoiler.last(table)
            await spoiler.remove(row)
        assert await auditing.run("export", "--dsn", book, "--book", tmp_path / "book") == 0
    report = await auditing.check(folder=tmp_path / "book")
    assert named(report, tables.ENTRIES)
    assert named(report, tables.ACCOUNTS)


async def test_a_spoilt_byte_of_an_exported_file_is_found(book, tmp_path):
    """In the file of each table, one after the other."""
    exported = tmp_path / "book"
    await auditing.run("export", "--dsn", book, "--book", exported)
    for table in tables.ALL:
        path = folder.file_of(exported, table, SHARD)
        true = path.read_bytes()
        raw = bytearray(true)
        raw[len(raw) * 2 // 3] ^= 1
        path.write_bytes(raw)
        assert named(await auditing.check(folder=exported), table), table.name
        path.write_bytes(true)
    assert auditing.told(await auditing.check(folder=exported)) == ""


async def test_the_command_line_reports(book, spoiler, tmp_path):
    report = tmp_path / "report.json"
    assert await auditing.run_apart("audit", "--dsn", book, "--report", report) == 0
    said = json.loads(report.read_text())
    assert said["ok"]
    assert not said["findings"]
    assert {"entries", "seconds", "entries_per_s"} <= said.keys()
    async with spoiler.spoilt("entries"):
        (row,) = await spoiler.last(tables.ENTRIES)
        await spoiler.alter(row, "amount", "amount + 1")
        assert await auditing.run("audit", "--dsn", book, "--report", report) == 1
    assert not json.loads(report.read_text())["ok"]
    assert await auditing.run("audit", "--book", tmp_path / "nowhere") == 2
    assert await auditing.run("audit", "--dsn", f"{book}_not", "--report", report) == 2
