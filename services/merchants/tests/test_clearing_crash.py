"""Clearing killed before any statement of any step, and restarted: as if it had lived."""

# pyright: reportPrivateUsage=false

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kit.base import db
from kit.base.db import Database, Tx
from kit.stream import outbox
from merchants.clearing import consumer, usecases

from .conftest import SHARDS
from .ledger_outcomes import event
from .test_clearing import ENDS, SALES, cut, markers, positions


class Killed(Exception):
    """The process ends here."""


class MortalTx(Tx):
    """A transaction whose process is killed before its n-th statement."""

    def __init__(self, tx: Tx, statements: int) -> None:
        super().__init__(tx._connection)
        self.messages = tx.messages
        self._left = statements

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed

    async def fetch(self, sql: Any, *args: Any) -> list[db.Record]:
        self._step()
        return await super().fetch(sql, *args)

    async def fetchrow(self, sql: Any, *args: Any) -> db.Record | None:
        self._step()
        return await super().fetchrow(sql, *args)

    async def fetchval(self, sql: Any, *args: Any) -> Any:
        self._step()
        return await super().fetchval(sql, *args)

    async def execute(self, sql: Any, *args: Any) -> str:
        self._step()
        return await super().execute(sql, *args)


@asynccontextmanager
async def dying(pool: Database, statements: int) -> AsyncIterator[Tx]:
    async with pool.transaction() as tx:
        yield MortalTx(tx, statements)


async def _survive(pool: Database, step: Any) -> int:
    """Do a step, killed before each of its statements in turn, until it is done; how often."""
    for count in range(60):
        try:
            async with dying(pool, count) as tx:
                await step(tx)
            return count
        except Killed:
            continue
    raise AssertionError("no end of statements")


async def _kept(pool: Database) -> tuple[Any, ...]:
    async with pool.read() as tx:
        report = await usecases.get_window(tx, 1)
        return report, await positions(tx, 1), await usecases.list_pairs(tx, 1, after=None, limit=9)


async def test_killed_before_any_statement_and_restarted_it_goes_on(
    pool: Database, door: Any
) -> None:
    """Cut, counted and closed with a death before every statement: as without one."""
    steps: list[Any] = [
        lambda tx: consumer.on_ledger_entries(tx, [event(n, one) for n, one in SALES]),
        lambda tx: cut(tx, 1),
        *(
            lambda tx, n=n, one=one: consumer.on_ledger_entries(tx, [event(n, one)])
            for n, one in markers(1, ENDS)
        ),
    ]
    deaths = [await _survive(pool, step) for step in steps]
    assert min(deaths) >= 3
    async with pool.transaction() as tx:
        messages, _ = await outbox.take_messages(tx, 100)
    assert [one.partition for one in messages] == list(range(SHARDS))
    report, netted, pairs = await _kept(pool)
    assert report.window.state.value == "closed"
    assert (report.sums.claims_rial, report.sums.outcomes_count) == (22_000, 8)
    assert sum(one.position_rial for one in netted.values()) == 0
    assert sum(one.entries_count for one in pairs.values()) == 8
