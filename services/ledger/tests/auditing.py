"""Books for the auditor's program: a story told to a real database, then spoilt here and there."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from house import connections, postgres_server
from kit.db import Database
from ledger import usecases
from ledger.domain import chunks
from verifier import audit

from . import house_of, stories

SHARDS = (0, 1)
COMMANDS = 310


def no_progress(_done, _total):
    """Nobody looks."""


async def check(dsn="", folder="", *, keys=None, checkpoints=None):
    """The report of an audit in this process."""
    return await asyncio.to_thread(
        audit.audit, audit.Source(dsn=dsn, folder=str(folder)), keys=keys or {},
        checkpoints=checkpoints, cores=1, progress=no_progress,
    )  # fmt: skip


async def run(*arguments):
    """Exit status of the command line, in a process of its own."""
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


async def tell(database, seeds=SHARDS):
    """A story on each shard, in batches of odd sizes; names of one are not those of another."""
    for shard, seed in zip(SHARDS, seeds, strict=True):
        lots = {}
        story = stories.Story(
            seed,
            accounts=tuple(1000 + 10 * shard + n for n in range(3)),
            lots=lambda held=lots: held,
        )
        story.count = 100_000 * shard
        story.at += stories.timedelta(seconds=shard)
        rng = story.rng
        left = COMMANDS
        while left > 0:
            size = min(left, rng.choice((1, 3, 20, 70)))
            left -= size
            batch = house_of.events(shard, story.batch(size))
            if rng.random() < 0.2:
                batch.append(house_of.undecodable(shard, b"{" + bytes([97 + shard]) * left))
            async with database.transaction() as tx:
                await usecases.post_batch(tx, batch)
            async with database.read() as tx:
                rows = await tx.fetch(
                    "select l.lot, a.owner from lots l join accounts a using (shard, account_id)"
                    " where l.shard = $1", shard,
                )  # fmt: skip
            lots.update({row["lot"]: row["owner"] for row in rows})


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
        rows = await self.connection.fetch(
            "select conrelid::regclass::text as t, conname from pg_constraint"
            " where contype = 'c' and connamespace = 'public'::regnamespace and coninhcount = 0"
        )
        for row in rows:
            await self.connection.execute(
                f'alter table {row["t"]} drop constraint "{row["conname"]}"'
            )

    async def columns(self, table):
        """Names and types."""
        rows = await self.connection.fetch(
            "select attname, atttypid::regtype::text as type from pg_attribute"
            " where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
            table,
        )
        return {row["attname"]: row["type"] for row in rows}

    @asynccontextmanager
    async def spoilt(self, table):
        """What happens to a table inside is undone at the end."""
        await self.execute(f"create temporary table kept as select * from {table}")
        try:
            yield
        finally:
            await self.execute(f"truncate {table}")
            await self.execute(f"insert into {table} select * from kept")
            await self.execute("drop table kept")

    async def last(self, table):
        """The last row of shard 0, with where it lies."""
        order = ", ".join(f"{name} desc" for name in table.order.split(", "))
        where = "order by shard" if table.name == "shards" else f"where shard = 0 order by {order}"
        rows = await self.rows(
            f"select tableoid::regclass::text as part, ctid, * from {table.name} {where} limit 1"
        )
        return rows[0]

    async def alter_last(self, table, column, value):
        row = await self.last(table)
        await self.execute(
            f"update {table.name} set {column} = {value}"
            " where tableoid = $1::text::regclass and ctid = $2", row["part"], row["ctid"],
        )  # fmt: skip

    async def remove(self, row):
        await self.execute(f"delete from {row['part']} where ctid = $1", row["ctid"])

    async def add_like_last(self, table, column, value):
        row = await self.last(table)
        names = list(await self.columns(table.name))
        given = {column: value} | ({"account_id": "account_id + 1"} if column == "owner" else {})
        values = ", ".join(given.get(name, name) for name in names)
        await self.execute(
            f"insert into {table.name} ({', '.join(names)}) select {values} from {table.name}"
            " where tableoid = $1::text::regclass and ctid = $2", row["part"], row["ctid"],
        )  # fmt: skip

    async def exchange(self, table, column):
        """Two rows of shard 0 whose values differ exchange them."""
        rows = await self.rows(
            f"select tableoid::regclass::text as part, ctid, {column} as v from {table}"
            f" where shard = 0 order by {column} desc"
        )
        one, other = rows[0], rows[-1]
        assert one["v"] != other["v"]
        for row, value in ((one, other["v"]), (other, one["v"])):
            await self.execute(
                f"update {row['part']} set {column} = $2 where ctid = $1", row["ctid"], value
            )

    async def execute(self, statement, *values):
        return await self.connection.execute(statement, *values)

    async def rows(self, statement, *values):
        return await self.connection.fetch(statement, *values)
