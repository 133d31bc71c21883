"""Bare double entry, the yardstick: what one connection can post when nothing else is asked of it.

A batch is a transaction: transfers known by id are left out, balances move under a floor, each
transfer has two legs with account number and running balance, a batch row and an offset row. No
lots, holds, stored outcomes, log or Kafka. Source: ledger reference 2 and 3.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import asyncpg

from lab.bench.ledger.workloads import FIRST_MEMBER, Command, Kind, Size, Workload, lots_before

_SCHEMA: Final = """
create table accounts (
    account bigint primary key,
    floor bigint,
    balance bigint not null,
    legs bigint not null default 0
) with (fillfactor = 50);
create table transfers (
    id uuid primary key,
    batch bigint not null,
    debit bigint not null,
    credit bigint not null,
    amount bigint not null check (amount > 0)
);
create table legs (
    account bigint not null,
    leg bigint not null,
    transfer uuid not null,
    amount bigint not null,
    balance bigint not null,
    primary key (account, leg)
);
create table batches (
    batch bigint generated always as identity primary key,
    transfers int not null
);
create table offsets (partition int primary key, next bigint not null);
insert into offsets values (0, 0);
"""
_BATCH: Final = "insert into batches (transfers) values ($1) returning batch"
_POST: Final = """
with asked as (
    select * from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) with ordinality
        as u (id, debit, credit, amount, place)
), posted as (
    insert into transfers (id, batch, debit, credit, amount)
    select id, $1, debit, credit, amount from asked
    on conflict (id) do nothing returning id
), halves as (
    select a.id, h.account, h.amount, 2 * a.place + h.side as place
    from asked a join posted using (id)
        cross join lateral (values (a.debit, -a.amount, 0), (a.credit, a.amount, 1))
            as h (account, amount, side)
), before as (
    select account, floor, balance, legs from accounts
    where account in (select account from halves) order by account for update
), numbered as (
    select h.account, h.id, h.amount, b.legs + row_number() over so_far as leg,
        b.balance + sum(h.amount) over so_far as balance
    from halves h join before b using (account)
    window so_far as (partition by h.account order by h.place)
), written as (
    insert into legs (account, leg, transfer, amount, balance)
    select account, leg, id, amount, balance from numbered
), sums as (
    select account, sum(amount) as amount, count(*) as legs from numbered group by account
), moved as (
    update accounts a set balance = a.balance + s.amount, legs = a.legs + s.legs
    from sums s where a.account = s.account
    returning a.balance < a.floor as below
)
select (select count(*) from posted) as posted, (select bool_or(below) from moved) as below
"""
_OFFSET: Final = "update offsets set next = $1 where partition = 0"


class Batch(NamedTuple):
    """A batch as columns."""

    ids: list[str]
    debits: list[int]
    credits: list[int]
    amounts: list[int]


async def fill(dsn: str, workload: Workload, size: Size) -> None:
    """Tables, and accounts with what they start with; only members have a floor."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_SCHEMA)
        members = [(m, 0, sum(x.points for x in lots)) for m, lots in lots_before(workload, size)]
        merchants = [(m, None, 0) for m in range(1, FIRST_MEMBER)]
        await connection.copy_records_to_table(
            "accounts", columns=("account", "floor", "balance"), records=merchants + members
        )
    finally:
        await connection.close()


class Yardstick:
    """One connection that posts batches of earns and spends."""

    name = "yardstick"

    def __init__(self, connection: Any, pid: int) -> None:
        self._connection = connection
        self._post: Any = None
        self._done = 0
        self.backend = pid

    @classmethod
    async def open(cls, dsn: str) -> "Yardstick":
        """Connect, statements prepared."""
        connection = await asyncpg.connect(dsn)
        yardstick = cls(connection, await connection.fetchval("select pg_backend_pid()"))
        yardstick._post = await connection.prepare(_POST)
        return yardstick

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()

    def prepare(self, commands: Sequence[Command]) -> Batch:
        """Columns of a batch, made before the clock starts."""
        for command in commands:
            if command.kind not in (Kind.EARN, Kind.SPEND):
                raise ValueError(f"the yardstick knows no {command.kind}")
        return Batch(
            [c.id for c in commands],
            [c.debit for c in commands],
            [c.credit for c in commands],
            [c.amount for c in commands],
        )

    async def post(self, batch: Batch) -> None:
        """One transaction. Raises RuntimeError where a balance would fall below its floor."""
        connection, count = self._connection, len(batch.ids)
        async with connection.transaction():
            number = await connection.fetchval(_BATCH, count)
            row = await self._post.fetchrow(number, *batch)
            if row["below"] or row["posted"] > count:
                raise RuntimeError(f"batch {number}: {row['posted']} posted, below {row['below']}")
            self._done += count
            await connection.execute(_OFFSET, self._done)


async def check(dsn: str, transfers: int) -> None:
    """Twice as many legs as transfers, zero in all, running balances. Raises RuntimeError."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "select (select count(*) from transfers) as transfers, count(*) as legs,"
            " coalesce(sum(amount), 0) as sum from legs"
        )
        off = await connection.fetchval(
            "select count(*) from accounts a join (select account, count(*) as legs,"
            " (array_agg(balance order by leg desc))[1] as last from legs group by account) l"
            " using (account) where l.last <> a.balance or l.legs <> a.legs"
        )
    finally:
        await connection.close()
    if (row["transfers"], row["legs"], row["sum"], off) != (transfers, 2 * transfers, 0, 0):
        raise RuntimeError(f"the yardstick's book is wrong: {dict(row)}, {off} accounts off")
