"""What the database itself refuses and keeps."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from contracts import envelope as envelopes
from kit.base import errors
from kit.base.db import Database, DataError
from ledger.book.errors import InvariantBroken
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.read import batch_read
from ledger.posting.write import batch_write

from . import generators, postgres

BOOK = ("outcomes", "leaves", "entries", "consumptions")
MAKE_LEAF = "insert into leaves values ($2, now(), $1, 1, '', '')"


@pytest.fixture
async def written(database, shard):
    await postgres.post(database, postgres.events(shard, generators.Story(11).batch(60)))
    return shard


@pytest.mark.parametrize("table", BOOK)
@pytest.mark.parametrize(
    "statement", ["update {} set shard = shard", "delete from {}", "truncate {}"]
)
async def test_the_run_role_may_not_change_the_book(database, written, table, statement):
    with pytest.raises(Exception, match="permission denied"):
        async with database.transaction() as tx:
            await tx.execute(statement.format(table))


@pytest.mark.parametrize("table", BOOK)
@pytest.mark.parametrize(
    "statement", ["update {} set shard = shard", "delete from {}", "truncate {}"]
)
async def test_even_the_owner_is_refused_by_trigger(
    database, dsn, owner_dsn, written, table, statement
):
    owner = await Database.open(owner_dsn(dsn), size=1, command_timeout_s=30)
    try:
        parts = [table]
        if table != "outcomes":
            parts.append(f"{table}_{written}_0")  # a partition alone, too
        for part in parts:
            with pytest.raises(DataError, match="append-only"):
                async with owner.transaction() as tx:
                    await tx.execute(statement.format(part))
    finally:
        await owner.close()
    assert (await postgres.tables(database, written))["entries"]


async def test_a_row_without_a_range_fails_loudly(database, written):
    with pytest.raises(DataError):
        async with database.transaction() as tx:
            await tx.execute(MAKE_LEAF, written, 20_000_001)


async def ranges(database, shard):
    """Numbers of the ranges that each partitioned table of the book has of a shard."""
    async with database.read() as tx:
        rows = await tx.fetch(
            "select p.relname as book, c.relname as part from pg_inherits i"
            " join pg_class c on c.oid = i.inhrelid and c.relkind = 'r'"
            " join pg_class p on p.oid = i.inhparent and p.relkind = 'p' order by c.relname"
        )
    found = {}
    for book, part in rows:
        if part.startswith(f"{book}_{shard}_"):
            found.setdefault(book, []).append(int(part.rpartition("_")[2]))
    return found


async def test_the_next_range_is_made_before_it_is_needed(database, written):
    books = ("consumptions", "entries", "leaves")
    reached = "update shards set last_sequence = $2 where shard = $1"
    made = []
    for last in (4_999_999, 5_000_000, 5_000_001):
        async with database.transaction() as tx:
            await tx.execute(reached, written, last)
            await tx.execute("select extend_ranges()")
            await tx.execute("select extend_ranges()")
        made.append(await ranges(database, written))
    assert made[0] == {book: [0] for book in books}
    assert made[1] == made[2] == {book: [0, 1] for book in books}
    async with database.transaction() as tx:
        await tx.execute(MAKE_LEAF, written, 10_000_001)
        where = "select tableoid::regclass::text from leaves where shard = $1 and first = $2"
        assert await tx.fetchval(where, written, 10_000_001) == f"leaves_{written}_1"


async def test_a_shard_nobody_prepared_is_prepared_at_its_first_command(database, shard):
    async with database.read() as tx:
        assert not await tx.fetch("select 1 from shards where shard = $1", shard)
    await postgres.post(database, postgres.events(shard, generators.Story(1).batch(3)))
    assert (await postgres.tables(database, shard))["leaves"]


async def test_accounts_are_numbered_without_a_gap_in_order_of_first_use(database, written):
    found = await postgres.tables(database, written)
    numbers = [row[0] for row in found["accounts"]]
    assert numbers == list(range(1, len(numbers) + 1))
    first_use = []
    for _, _, account, account_sequence, *_ in found["entries"]:
        if account_sequence == 1:
            first_use.append(account)
    assert first_use == numbers
    assert [row[:3] for row in found["shards"]] == [
        (len(found["leaves"]), found["leaves"][-1][1], len(numbers))
    ]


async def test_lots_are_found_by_a_probe_an_account(database, written):
    async with database.read() as tx:
        await tx.execute("set local enable_seqscan = off")
        plan = await tx.fetch(
            "explain select lot from lots where shard = $1 and account_id = 3 and open", written
        )
    assert "lots_open" in "\n".join(row[0] for row in plan)


async def post_with(database, shard, spoil):
    """Decide a batch, spoil what was decided, and try to write it."""
    heard = [
        records.command_from(shard, envelopes.encode(e)) for e in generators.Story(3).batch(30)
    ]
    async with database.transaction() as tx:
        reading = await batch_read.read(tx, heard)
        made = [r.decision for r in commands.decide(reading.book, heard) if r.decision]
        await batch_write.write(tx, reading, spoil(made))


async def test_nothing_wrong_is_ever_committed(database, shard):
    def missing(made):
        return made[:5] + made[6:]

    def off_zero(made):
        place = next(n for n, d in enumerate(made) if d.legs)
        made[place] = replace(made[place], legs=made[place].legs[:-1])
        return made

    def off_lots(made):
        place = next(n for n, d in enumerate(made) if d.legs)
        less = tuple(leg._replace(amount=leg.amount * 2) for leg in made[place].legs)
        made[place] = replace(made[place], legs=less)
        return made

    for spoil in (missing, off_zero, off_lots):
        with pytest.raises(InvariantBroken):
            await post_with(database, shard, spoil)
    assert (await postgres.tables(database, shard))["leaves"] == []
    await post_with(database, shard, lambda made: made)
    assert (await postgres.tables(database, shard))["leaves"]


async def test_a_writer_that_read_before_another_wrote_cannot_write(database, shard):
    heard = postgres.events(shard, generators.Story(8).batch(20))
    first = heard[:10]
    await postgres.post(database, first)
    commands_of = [records.command_of(shard, e.raw, e.envelope) for e in heard[10:]]
    async with database.transaction() as tx:
        stale = await batch_read.read(tx, commands_of)
    await postgres.post(database, heard[10:])
    made = [r.decision for r in commands.decide(stale.book, commands_of) if r.decision]
    with pytest.raises((InvariantBroken, errors.Permanent)):
        async with database.transaction() as tx:
            await batch_write.write(tx, stale, made)


async def test_time_is_kept_to_the_microsecond(database, shard):
    at = datetime(2026, 3, 21, 8, 0, 0, 123457, tzinfo=UTC)
    body = generators.AdvanceClock(name="k.1")
    await postgres.post(database, postgres.events(shard, [generators.wrap(body, at)]))
    assert (await postgres.tables(database, shard))["leaves"][0][1] == at
