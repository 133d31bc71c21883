"""Jobs of posting: due lots and holds, the minute's tick, the next range."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from kit.base.clock import Clock
from kit.base.db import Database, Tx
from kit.room import Job
from ledger import settings
from ledger.posting import usecases
from ledger.settings import Settings


class Sweep(Protocol):
    """One bounded sweep of all shards. It gives where each goes on."""

    async def __call__(
        self, tx: Tx, after: Mapping[int, usecases.Cursor], /, *, now: datetime, limit: int
    ) -> dict[int, usecases.Cursor]: ...


@dataclass(slots=True)
class Ticker:
    """Sends advance-clock to every shard, once a minute of the platform's time."""

    database: Database
    clock: Clock
    shards: int
    sandbox: bool
    announced: set[int] = field(default_factory=set[int])

    async def run(self) -> None:
        """Send this minute's tick once, unless the clock is off (a sandbox's may be)."""
        now = self.clock.now()
        minute = usecases.minute_of(now)
        if minute in self.announced:
            return
        async with self.database.transaction() as tx:
            if not self.sandbox and not await usecases.clock_is_right(tx, now):
                return
            usecases.tick_shards(tx, shards=self.shards, now=now)
        self.announced = {minute}


@dataclass(slots=True)
class Sweeper:
    """Commands the expiry of lots past their date, or the release of holds that fell due.

    It goes on from where it stopped, so that a lot whose command is still on its way is not named
    again and again. It begins anew after a while: lots can be born past their date.
    """

    database: Database
    clock: Clock
    shards: int
    sweep: Sweep = usecases.sweep_due_lots
    reached: dict[int, usecases.Cursor] = field(default_factory=dict[int, usecases.Cursor])
    runs: int = 0

    async def run(self) -> None:
        """One bounded transaction."""
        if self.runs % settings.SWEEP_ANEW_RUNS == 0:
            self.reached = dict.fromkeys(range(self.shards), usecases.SWEEP_START)
        async with self.database.transaction() as tx:
            reached = await self.sweep(
                tx, self.reached, now=self.clock.now(), limit=settings.SWEEP_LOTS
            )
        self.reached = reached
        self.runs += 1


async def extend_ranges(database: Database) -> None:
    """Keep a free range of the book ahead of every shard."""
    async with database.transaction() as tx:
        await usecases.extend_ranges(tx)


def jobs(database: Database, clock: Clock, config: Settings) -> list[Job]:
    """What the ledger does as time passes, in one process of all."""
    ticker = Ticker(database, clock, config.shards, config.sandbox)
    return [
        Job(
            name="sweep-due-lots",
            every_s=settings.SWEEP_EVERY_S,
            run=Sweeper(database, clock, config.shards).run,
        ),
        Job(
            name="sweep-due-holds",
            every_s=settings.SWEEP_EVERY_S,
            run=Sweeper(database, clock, config.shards, usecases.sweep_due_holds).run,
        ),
        Job(name="advance-clock", every_s=settings.TICK_EVERY_S, run=ticker.run),
        Job(
            name="extend-ranges",
            every_s=settings.RANGES_EVERY_S,
            run=partial(extend_ranges, database),
        ),
    ]
