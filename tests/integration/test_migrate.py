"""kit.migrate on a real database: order, checksum, timeouts, one at a time; and local tables."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kit.base import db
from kit.base.db import Database
from kit.base.migrate import MigrationError, migrate, pending, refuse_other_version
from kit.stream import local_tables

Fresh = Callable[[str], Awaitable[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations, the second needing the first."""
    (tmp_path / "0001_lot.sql").write_text("create table lots (lot int primary key);")
    (tmp_path / "0002_price.sql").write_text("alter table lots add price int default :price;")
    return tmp_path


async def test_files_run_in_order_and_once(
    fresh_database: Fresh, owner_dsn: Callable[[str], str], folder: Path
) -> None:
    owner = owner_dsn(await fresh_database("test"))
    names = ["0001_lot.sql", "0002_price.sql"]
    assert await migrate(owner, folder, variables={"price": "7"}) == names
    assert await migrate(owner, folder, variables={"price": "7"}) == []
    session = await db.connect(owner)
    rows = await session.fetch("insert into lots (lot) values (1) returning price")
    done = await session.fetch("select number from migrations order by number")
    await session.close()
    assert rows[0]["price"] == 7
    assert [r["number"] for r in done] == [-6, -5, -4, -3, -2, -1, 0, 1, 2]  # kit's own come first


async def test_an_edited_file_is_refused(
    fresh_database: Fresh, owner_dsn: Callable[[str], str], folder: Path
) -> None:
    owner = owner_dsn(await fresh_database("test"))
    await migrate(owner, folder, variables={"price": "7"})
    (folder / "0001_lot.sql").write_text("create table lots (lot bigint primary key);")
    with pytest.raises(MigrationError, match="edited"):
        await migrate(owner, folder, variables={"price": "7"})


async def test_a_database_of_another_version_is_refused_by_name(
    fresh_database: Fresh, owner_dsn: Callable[[str], str], folder: Path
) -> None:
    """Newcomer 25: old code over a newer schema started and sold, without a word."""
    own = await fresh_database("test")
    owner = owner_dsn(own)
    (folder / "0002_price.sql").write_text("alter table lots add price int;")
    assert await pending(own, folder) == ["0001_lot.sql", "0002_price.sql"]
    with pytest.raises(MigrationError, match=r"lacks 0001_lot\.sql, 0002_price\.sql: run migrate"):
        await refuse_other_version(own, folder)
    await migrate(owner, folder)
    await refuse_other_version(own, folder)
    (folder / "0002_price.sql").unlink()
    for refused in (migrate(owner, folder), refuse_other_version(own, folder)):
        with pytest.raises(MigrationError, match=r"newer than this program.*0002_price\.sql"):
            await refused


async def test_a_missing_number_and_a_bad_name_are_refused(
    fresh_database: Fresh, owner_dsn: Callable[[str], str], folder: Path
) -> None:
    owner = owner_dsn(await fresh_database("test"))
    (folder / "0004_late.sql").write_text("select 1;")
    with pytest.raises(MigrationError, match="gap"):
        await migrate(owner, folder)
    (folder / "0004_late.sql").rename(folder / "late.sql")
    with pytest.raises(MigrationError, match="NNNN_noun"):
        await migrate(owner, folder)


async def test_two_at_once_apply_each_file_once(
    fresh_database: Fresh, owner_dsn: Callable[[str], str], folder: Path
) -> None:
    owner = owner_dsn(await fresh_database("test"))
    both = await asyncio.gather(
        *(migrate(owner, folder, variables={"price": "1"}) for _ in range(2))
    )
    assert sorted(map(len, both)) == [0, 2]


async def test_a_failing_file_leaves_nothing(
    fresh_database: Fresh, owner_dsn: Callable[[str], str], tmp_path: Path
) -> None:
    owner = owner_dsn(await fresh_database("test"))
    file = tmp_path / "0001_lot.sql"
    file.write_text("create table lots (lot int); insert into lots values (1/0);")
    with pytest.raises(db.DataError):
        await migrate(owner, tmp_path)
    file.write_text("-- statement_timeout: 60s\ncreate table lots (lot int);")
    assert await migrate(owner, tmp_path) == ["0001_lot.sql"]


NEWEST = local_tables.Table(
    name="terms", columns={"who": "int", "version": "bigint", "text": "text"},
    key=("who",), version="version",
)  # fmt: skip
EVERY = local_tables.Table(
    name="versions", columns={"who": "int", "version": "bigint", "text": "text"},
    key=("who", "version"), version="version",
)  # fmt: skip
TABLES = """
create table terms (who int primary key, version bigint not null, text text);
create table versions (who int, version bigint, text text, primary key (who, version));
grant all on terms, versions to public;
"""


async def test_a_local_table_only_moves_forward(
    fresh_database: Fresh, owner_dsn: Callable[[str], str]
) -> None:
    dsn = await fresh_database("test")
    session = await db.connect(owner_dsn(dsn))
    await session.execute(TABLES)
    await session.close()
    database = await Database.open(dsn, size=1)
    said = [{"who": w, "version": v, "text": f"{w}.{v}"} for w, v in ((1, 2), (2, 1), (1, 1))]
    late = [{"who": 1, "version": 1, "text": "late"}, {"who": 2, "version": 3, "text": "2.3"}]
    async with database.transaction() as tx:
        assert await local_tables.upsert(tx, NEWEST, said) == 2
        assert await local_tables.upsert(tx, NEWEST, said) == 0
        assert await local_tables.upsert(tx, NEWEST, late) == 1
        assert await local_tables.upsert(tx, NEWEST, []) == 0
        assert await local_tables.upsert(tx, EVERY, said) == 3
        assert await local_tables.upsert(tx, EVERY, [*said, *late]) == 1
    async with database.read() as tx:
        rows = await tx.fetch("select who, text from terms order by who")
        kept = await tx.fetch("select text from versions order by who, version")
    await database.close()
    assert [r["text"] for r in rows] == ["1.2", "2.3"]
    assert [r["text"] for r in kept] == ["1.1", "1.2", "2.1", "2.3"]
