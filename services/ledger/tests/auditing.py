"""Books for the auditor's program: stories told to a real database, then spoilt here and there."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from cluster import connections, postgres_server
from kit.base.db import Database
from ledger.log.domain import chunks
from ledger.posting import usecases
from verifier import __main__, audit
from verifier import leaves as their_leaves
from verifier import shard as passes

from . import postgres
from .test_shard_stories import SHARDS, ShardStory

SEED, STEPS = 7, 700
JUNK_SHARD = 5  # a sequence number more would change what the story says next
BATCHES = (1, 3, 20, 70)


class Recorded(ShardStory):
    """A story over two shards, with every record in the order in which it was heard."""

    def __init__(self, seed):
        self.records = []
        super().__init__(seed)

    def hear(self, shard, envelope):
        self.records.append((shard, envelope))
        return super().hear(shard, envelope)

    def deliver(self, place):
        """One message of those on their way."""
        self.hear(*self.generator.arriving(*self.on_the_way.pop(place)))


def story(seed=SEED, steps=STEPS):
    """Records of a story; what the ledger says next arrives, some of it late, some not yet."""
    recorded = Recorded(seed)
    rng = recorded.generator.rng
    for place, road in enumerate(recorded.generator.roads.values()):
        road.count = 100_000 * place  # tills of two shards share no name
    for _ in range(steps):
        recorded.hear(*recorded.generator.one())
        while len(recorded.on_the_way) > 1 and rng.random() < 0.5:
            recorded.deliver(rng.randrange(len(recorded.on_the_way)))
    return recorded


async def tell(database, recorded):
    """Post a story's records in batches of odd sizes, with a record now and then that is none."""
    rng, start = recorded.generator.rng, 0
    while start < len(recorded.records):
        size = rng.choice(BATCHES)
        batch = []
        for shard, envelope in recorded.records[start : start + size]:
            batch += postgres.events(shard, [envelope])
        if rng.random() < 0.2:
            batch.append(postgres.undecodable(JUNK_SHARD, b"{" * (start + 1)))
        async with database.transaction() as tx:
            await usecases.post_batch(tx, batch)
        start += size


# -------------------------------------------------------------------------------------- the audit


def no_progress(_done, _total):
    """Nobody looks."""


async def check(dsn="", folder="", *, keys=None, checkpoints=None):
    """The report of an audit in this process."""
    return await asyncio.to_thread(
        audit.audit, audit.Source(dsn=dsn, folder=str(folder)), keys=keys or {},
        checkpoints=checkpoints, cores=1, progress=no_progress,
    )  # fmt: skip


async def in_parts(dsn, shard, folder):
    """What each way of going over a shard finds, in words: as a whole, and in two halves."""
    found = {}
    for half in passes.Half:
        (folder / half.value).mkdir()
        book = await audit.Source(dsn=dsn).open()
        try:
            one = passes.Audit(book, shard, folder / half.value, [], half)
            result = await one.run(lambda _leaves: None)
        finally:
            await book.close()
        found[half] = {finding.text for finding in result.findings.listed}
    return found


async def run(*arguments):
    """Exit status of the command line; an audit in this process alone."""
    alone = ("--cores", "1") if arguments[0] == "audit" else ()
    return await asyncio.to_thread(__main__.main, [*map(str, arguments), *alone])


async def run_apart(*arguments):
    """Exit status of the command line in a process of its own, with as many as there are cores."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "verifier", *map(str, arguments), stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@asynccontextmanager
async def reading(dsn):
    """A reading transaction."""
    database = await Database.open(dsn, size=1, command_timeout_s=30)
    try:
        async with database.read() as tx:
            yield tx
    finally:
        await database.close()


async def log_of(tx, shard):
    """A shard's leaves."""
    rows = await tx.fetch("select packed from leaves where shard = $1 order by first", shard)
    return [leaf for row in rows for leaf in chunks.unpack(row["packed"])]


def told(report):
    """All that is wrong, in one text."""
    return "\n".join(finding.text for finding in report.findings.listed)


# -------------------------------------------------------------------------------------- the liar


class Spoiler:
    """Someone with all rights on the database, who leaves no trace but in the rows."""

    def __init__(self, connection):
        self.connection = connection

    @classmethod
    async def open(cls, folder: Path, dsn: str):
        chosen = postgres_server.server(folder)
        address = chosen.dsn(dsn.rpartition("/")[2], postgres_server.SUPERUSER)
        connection = await connections.connect(address)
        await connection.execute("set session_replication_role = replica")
        return cls(connection)

    async def drop_checks(self):
        """Checks of the tables stand in the way of most lies; their owner can drop them."""
        rows = await self.rows(
            "select conrelid::regclass::text as t, conname from pg_constraint"
            " where contype = 'c' and connamespace = 'public'::regnamespace and coninhcount = 0"
        )
        for row in rows:
            await self.execute(f'alter table {row["t"]} drop constraint "{row["conname"]}"')

    async def columns(self, table):
        """Names and types."""
        rows = await self.rows(
            "select attname, atttypid::regtype::text as type from pg_attribute"
            " where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
            table,
        )
        return {row["attname"]: row["type"] for row in rows}

    @asynccontextmanager
    async def spoilt(self, *tables):
        """What happens to these tables inside is undone at the end."""
        for table in tables:
            await self.execute(f"create temporary table kept_{table} as select * from {table}")
        try:
            yield
        finally:
            for table in tables:
                await self.execute(f"truncate {table}")
                await self.execute(f"insert into {table} select * from kept_{table}")
                await self.execute(f"drop table kept_{table}")

    async def last(self, table, limit=1):
        """The last rows of the story's shards, with where they lie."""
        order = ", ".join(f"{name} desc" for name in table.order.split(", "))
        return await self.rows(
            f"select '{table.name}' as named, tableoid::regclass::text as part, ctid, *"
            f" from {table.name} where shard in {SHARDS} order by shard, {order} limit {limit}"
        )

    async def alter(self, row, column, value):
        """Put another value, an expression, into a row's column."""
        await self.execute(
            f"update {row['named']} set {column} = {value}"
            " where tableoid = $1::text::regclass and ctid = $2", row["part"], row["ctid"],
        )  # fmt: skip

    async def remove(self, row):
        await self.execute(f"delete from {row['part']} where ctid = $1", row["ctid"])

    async def add_like(self, row, **values):
        """One row more, like one that is there but for some values, expressions."""
        names = list(await self.columns(row["named"]))
        selected = ", ".join(values.get(name, name) for name in names)
        await self.execute(
            f"insert into {row['named']} ({', '.join(names)}) select {selected}"
            f" from {row['named']}"
            " where tableoid = $1::text::regclass and ctid = $2", row["part"], row["ctid"],
        )  # fmt: skip

    async def exchange(self, table, column):
        """Two rows of a shard whose values differ exchange them."""
        rows = await self.rows(
            f"select tableoid::regclass::text as part, ctid, {column} as v from {table}"
            f" where shard = {SHARDS[0]} order by {column} desc"
        )
        one, other = rows[0], rows[-1]
        assert one["v"] != other["v"]
        for row, value in ((one, other["v"]), (other, one["v"])):
            await self.execute(
                f"update {row['part']} set {column} = $2 where ctid = $1", row["ctid"], value
            )

    async def rewrite(self, shard, changes):
        """Leaves of a shard written anew, digest and all; changes: by number, what makes it so."""
        rows = await self.rows(
            "select first, packed from leaves where shard = $1 order by first", shard
        )
        for row in rows:
            raws = chunks.unpack(row["packed"])
            for place, raw in enumerate(raws):
                change = changes.get(row["first"] + place)
                if change is not None:
                    leaf = change(their_leaves.from_bytes(raw))
                    raws[place] = their_leaves.to_bytes(leaf)
            made = chunks.pack(row["first"], raws)
            await self.execute(
                "update leaves set packed = $3, digest = $4 where shard = $1 and first = $2",
                shard, row["first"], made.packed, made.digest,
            )  # fmt: skip

    async def execute(self, statement, *values):
        return await self.connection.execute(statement, *values)

    async def rows(self, statement, *values):
        return await self.connection.fetch(statement, *values)
