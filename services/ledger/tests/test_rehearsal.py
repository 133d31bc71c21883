"""Migrations rehearsed on a loaded book while two writers go on: what it costs them, what it keeps.

The operations are those of the ledger's own migrations: columns, checks, indexes, a table of the
book, and a backfill in batches, one transaction each. What changes several tables, or rows that
writers change, takes the writers' gate first: the table shards, or the shard's row of it.
"""

import asyncio
import inspect
import random
import shutil
import time
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from cluster import paths
from contracts.value import CaptureHold, HoldValue, RedemptionTerms
from contracts.values import Kind
from kit.base import db, errors
from kit.base.db import Database
from kit.base.migrate import migrate

from . import auditing, generators, invariants, postgres
from .one_shard import BAKER, GROCER, OneShard, award, terms

OURS = paths.PROJECT / "services" / "ledger" / "migrations"
SHARDS = (3, 7)
LOADED, BATCH, MEMBERS = 20, 200, 1_500  # batches a shard before anything is migrated
BACKFILL_ROWS = 500
LOCK_S = 4.0  # lock_timeout of kit.migrate
READ_S = 40.0  # of a reading in a migration's way: far longer than anybody may wait for it

EXPAND = """-- statement_timeout: 30s
alter table shards add column rehearsed boolean not null default false;  -- the writers' gate first
alter table lots
    add column born_day date,           -- null until it was filled
    alter column issuer set default 0;
alter table accounts add constraint accounts_rehearsed check (role <> 'value' or balance >= 0);

create function fill_born_day() returns trigger language plpgsql as $$
begin
    new.born_day := (new.born_at at time zone 'UTC')::date;
    return new;
end $$;
create trigger born_day before insert on lots for each row execute function fill_born_day();
"""
INDEX = """
create index lots_rehearsed on lots (shard, issuer, lot) where open;
create index holds_rehearsed on holds (shard, name);
"""
TABLE = """
create table remarks (
    sequence bigint not null,
    shard smallint not null,
    text text not null,
    primary key (shard, sequence)
);
create trigger append_only before update or delete or truncate on remarks
    for each statement execute function refuse_change();
grant select, insert on remarks to ledger;
"""
BACKFILL = """
create function fill_born_days(a_shard int, after bigint, rows int) returns bigint
language plpgsql as $$
declare
    last bigint;
begin
    -- the gate that a writer takes first: without it, rows taken in another order are a deadlock
    perform from shards where shard = a_shard for update;
    with piece as (
        select lot from lots where shard = a_shard and lot > after order by lot limit rows
    ), filled as (
        update lots set born_day = (born_at at time zone 'UTC')::date from piece
        where lots.shard = a_shard and lots.lot = piece.lot and born_day is null
    )
    select max(lot) from piece into last;
    return last;
end $$;
"""
CHECK = "alter table lots add constraint lots_born_day check (born_day is not null) not valid;\n"
VALID = "alter table lots validate constraint lots_born_day;\n"
NOTE = """
alter table shards add column noted boolean not null default false;
alter table lots add column note text collate "C" not null default '';
"""
NOW = [("expand", EXPAND), ("index", INDEX), ("table", TABLE), ("backfill", BACKFILL)]
THEN = [("check", CHECK), ("valid", VALID)]


class Writer:
    """Posts batches of purchases, spends, holds and captures of one shard, one after another."""

    def __init__(self, database, shard):
        self.database = database
        self.one_shard = OneShard(shard)
        self.one_shard.count = 10**6 * shard  # tills of two shards share no name
        self.rng = random.Random(shard)
        self.shard = shard
        self.holds = []
        self.told = 0
        self.waits = []  # seconds of each batch
        self.stopped = False

    def one(self):
        one_shard, rng = self.one_shard, self.rng
        account = 1_000_000 + rng.randrange(MEMBERS)
        what = rng.random()
        if what < 0.6:
            gives = award(rng.choice((10, 100)), issuer=rng.choice((BAKER, GROCER)))
            return one_shard.transaction(Kind.PURCHASE, BAKER, awards=(gives,), account=account)
        if what < 0.85:
            spent = terms(rng.choice((5, 20)))
            return one_shard.transaction(Kind.REDEMPTION, GROCER, redemption=spent, account=account)
        if what < 0.95 or not self.holds:
            self.holds.append(one_shard.name())
            return HoldValue(
                name=self.holds[-1], account=account, member=1, acceptor=GROCER, merchant=GROCER,
                points=5, due_at=one_shard.at + timedelta(days=9),
            )  # fmt: skip
        return CaptureHold(
            name=one_shard.name(),
            original=self.holds.pop(0),
            spend=RedemptionTerms(points=5, worth_rial=500),
        )

    async def post(self):
        self.one_shard.later(seconds=1)
        batch = [generators.wrap(self.one(), self.one_shard.at) for _ in range(BATCH)]
        events = postgres.events(self.shard, batch)
        began = time.monotonic()
        await postgres.post(self.database, events)
        self.waits.append(time.monotonic() - began)
        self.told += len(batch)

    async def go_on(self):
        while not self.stopped:
            await self.post()
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def place(fresh_database, owner_dsn, tmp_path_factory):
    """(address, the owner's, a folder with the ledger's migrations)."""
    folder = tmp_path_factory.mktemp("rehearsal") / "migrations"
    shutil.copytree(OURS, folder)
    dsn = await fresh_database("ledger")
    return dsn, owner_dsn(dsn), folder


@pytest.fixture(scope="module")
async def writers(place):
    """Two shards with a book."""
    database = await Database.open(place[0], size=4, command_timeout_s=30)
    made = [Writer(database, shard) for shard in SHARDS]
    for _ in range(LOADED):
        await asyncio.gather(*(writer.post() for writer in made))
    yield made
    await database.close()


@asynccontextmanager
async def at_work(writers):
    """The writers go on meanwhile; a batch that fails ends the test."""
    for writer in writers:
        writer.waits.clear()
    async with asyncio.TaskGroup() as tasks:
        for writer in writers:
            tasks.create_task(writer.go_on())
        await asyncio.sleep(0.3)
        try:
            yield
            await asyncio.sleep(0.3)
        finally:
            for writer in writers:
                writer.stopped = True
    for writer in writers:
        writer.stopped = False


def add(folder, files):
    """Put files behind those that are there."""
    last = max(int(path.name[:4]) for path in folder.glob("*.sql"))
    names = []
    for number, (noun, text) in enumerate(files, start=last + 1):
        names.append(f"{number:04}_{noun}.sql")
        (folder / names[-1]).write_text(text)
    return names


async def backfill(owner):
    """Fill in batches, each a transaction of its own; gives how many there were."""
    session, batches = await db.connect(owner), 0
    try:
        for shard in SHARDS:
            after = 0
            while after is not None:
                after = await session.fetchval(
                    "select fill_born_days($1, $2, $3)", shard, after, BACKFILL_ROWS
                )
                batches += 1
    finally:
        await session.close()
    return batches


async def check(writers):
    """Each command is booked once, and the book adds up."""
    for writer in writers:
        async with writer.database.read() as tx:
            last = await tx.fetchval(
                "select last_sequence from shards where shard = $1", writer.shard
            )
        assert last == writer.told
        await invariants.check_book(writer.database, writer.shard)


async def test_a_migration_that_cannot_have_its_lock_lets_the_writers_go_and_is_run_again(
    place, writers
):
    """A long reading of lots is in its way: it gives up; who queued behind it waited so long."""
    _, owner, folder = place
    assert inspect.signature(Database.open).parameters["command_timeout_s"].default > LOCK_S
    reader = await db.connect(owner)
    pid = await reader.fetchval("select pg_backend_pid()")
    async with at_work(writers), asyncio.TaskGroup() as tasks:
        names = add(folder, [("note", NOTE)])

        async def read():
            with suppress(errors.Unavailable), db.translated():
                await reader.execute(
                    "select pg_sleep($1) from (select lot from lots limit 1) as l", READ_S
                )

        reading = tasks.create_task(read())
        await asyncio.sleep(0.2)
        with pytest.raises(errors.Unavailable, match="lock timeout"):
            await migrate(owner, folder)
        assert not reading.done()
        posted = [len(writer.waits) for writer in writers]
        while not all(len(w.waits) > n for w, n in zip(writers, posted, strict=True)):
            assert not reading.done(), "the writers waited for the reading"
            await asyncio.sleep(0.1)
        longest = max(wait for writer in writers for wait in writer.waits)
        assert longest > LOCK_S - 1
        ender = await db.connect(owner)
        assert await ender.fetchval("select pg_cancel_backend($1)", pid)
        await reading
        known = "select count(*) from migrations where name = $1"
        assert await ender.fetchval(known, names[0]) == 0
        await ender.close()
        assert await migrate(owner, folder) == names
    await reader.close()
    await check(writers)


async def test_columns_indexes_tables_and_a_backfill_while_writers_go_on(place, writers):
    dsn, owner, folder = place
    before = sum(writer.told for writer in writers)
    async with at_work(writers):
        names = add(folder, NOW)
        assert await migrate(owner, folder) == names
        posted = sum(len(writer.waits) for writer in writers)
        assert await backfill(owner) > 10
        assert sum(len(writer.waits) for writer in writers) > posted
        assert await migrate(owner, folder) == []
        names = add(folder, THEN)
        assert await migrate(owner, folder) == names
    assert sum(writer.told for writer in writers) >= before + 8 * BATCH
    async with writers[0].database.read() as tx:
        wrong = "select count(*) from lots where born_day <> (born_at at time zone 'UTC')::date"
        assert await tx.fetchval(wrong + " or born_day is null") == 0
        assert await tx.fetchval("select count(*) from lots") > before // 2
    await check(writers)
    assert auditing.told(await auditing.check(dsn)) == ""
