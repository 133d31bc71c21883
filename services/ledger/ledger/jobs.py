"""Clock door: lots past their date, the minute's tick, the book's next range, checkpoints."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit import errors, telemetry
from kit.clock import Clock
from kit.db import Database, Tx
from kit.room import Job
from kit.telemetry import Metric
from ledger import settings, usecases
from ledger.clients import Archive, Unreadable, signing_key
from ledger.domain import checkpoints
from ledger.domain.checkpoints import BadCheckpoint, Checkpoint
from ledger.domain.merkle import EMPTY_ROOT
from ledger.readings import proofs
from ledger.readings.proofs import Head
from ledger.settings import Settings

log = logging.getLogger(__name__)


class Sweep(Protocol):
    """One bounded sweep of all shards; gives where each goes on."""

    async def __call__(
        self, tx: Tx, after: Mapping[int, usecases.Cursor], /, *, now: datetime, limit: int
    ) -> dict[int, usecases.Cursor]: ...


@dataclass(slots=True)
class Ticker:
    """Says tick-clock to every shard, once a minute of the house's time."""

    database: Database
    clock: Clock
    shards: int
    sandbox: bool
    said: set[int] = field(default_factory=set[int])

    async def run(self) -> None:
        """Say this minute's tick, unless it was said or the clock is off (a sandbox's may be)."""
        now = self.clock.now()
        minute = usecases.minute_of(now)
        if minute in self.said:
            return
        async with self.database.transaction() as tx:
            if not self.sandbox and not await usecases.clock_is_right(tx, now):
                return
            usecases.tick_shards(tx, shards=self.shards, now=now)
        self.said = {minute}


@dataclass(slots=True)
class Sweeper:
    """Commands the expiry of lots past their date, or the release of holds that fell due.

    It goes on from where it was, so that what has its command still on its way is not named
    over and over, and begins anew after a while: lots may be born past their date.
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


@dataclass(slots=True)
class Publisher:
    """Signs the head of every log that grew, and adds it to what was published outside.

    A head that does not continue the last published one is not signed, and raises an alarm: the
    database was set back, or rows of the log were changed.
    """

    database: Database
    clock: Clock
    archive: Archive
    key: Ed25519PrivateKey
    origin: str
    named: set[int] = field(default_factory=set[int])

    async def run(self) -> None:
        """One checkpoint of each shard that grew since its last."""
        async with self.database.read() as tx:
            shards = [head.shard for head in await proofs.list_heads(tx)]
        # what is published is read before the book, which can then be ahead of it and never behind
        known = await asyncio.to_thread(self._published, shards)
        async with self.database.read() as tx:
            heads = [head for head in await proofs.list_heads(tx) if head.shard in known]
        for head in heads:
            try:
                await self._publish_if_due(head, known[head.shard])
            except errors.Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - it holds up no other shard
                _alarm("ledger-checkpoint-failed", head.shard, why=repr(error))

    async def _publish_if_due(self, head: Head, last: str | None) -> None:
        async with self.database.read() as tx:
            due = await self._is_due(tx, head, last)
        if due:
            await asyncio.to_thread(self._publish, head, last)

    async def _is_due(self, tx: Tx, head: Head, last: str | None) -> bool:
        """Whether the log grew, and only grew, since its last checkpoint; an alarm otherwise."""
        size, root = 0, EMPTY_ROOT
        if last is not None:
            before = checkpoints.parse(last).checkpoint
            size, root = before.size, before.root
        if (size, root) == (head.size, head.root):
            return False
        if not await proofs.continues(tx, head, size=size, root=root):
            _alarm("ledger-log-inconsistent", head.shard, size=head.size, was=size)
            return False
        return True

    def _published(self, shards: list[int]) -> dict[int, str | None]:
        """The last checkpoint of each shard; a file that does not read is left out, with alarm."""
        found: dict[int, str | None] = {}
        for shard in shards:
            try:
                text = self.archive.last(shard)
                if text is not None:
                    checkpoints.parse(text)
                found[shard] = text
            except (Unreadable, BadCheckpoint) as error:
                _alarm("ledger-checkpoints-unreadable", shard, why=str(error))
        return found

    def _publish(self, head: Head, after: str | None) -> None:
        if head.root is None:
            return
        if head.shard not in self.named:
            public = self.key.public_key()
            self.archive.keep_key(checkpoints.verifier_key(self.origin, head.shard, public))
            self.named.add(head.shard)
        at = self.clock.now()
        signed = Checkpoint(self.origin, head.shard, head.size, head.root, at)
        if not self.archive.append(head.shard, checkpoints.sign(signed, self.key), after=after):
            log.warning("another process published first", extra={"shard": head.shard})


def _alarm(name: str, shard: int, **said: object) -> None:
    telemetry.count(Metric.ALARMS, name)
    log.error(name, extra={"shard": shard, **said})


def publisher(database: Database, clock: Clock, archive: Archive, given: Settings) -> Job:
    """The job that publishes checkpoints. Raises SettingsError on a key that cannot sign."""
    key = signing_key(Path(given.checkpoint_key_file))
    return Job(
        name="publish-checkpoints",
        every_s=settings.PUBLISH_EVERY_S,
        run=Publisher(database, clock, archive, key, given.checkpoint_origin).run,
    )


def jobs(database: Database, clock: Clock, given: Settings) -> list[Job]:
    """What time passing makes the ledger do, in one process of all."""
    ticker = Ticker(database, clock, given.shards, given.sandbox)
    return [
        Job(
            name="sweep-due-lots",
            every_s=settings.SWEEP_EVERY_S,
            run=Sweeper(database, clock, given.shards).run,
        ),
        Job(
            name="sweep-due-holds",
            every_s=settings.SWEEP_EVERY_S,
            run=Sweeper(database, clock, given.shards, usecases.sweep_due_holds).run,
        ),
        Job(name="tick-clock", every_s=settings.TICK_EVERY_S, run=ticker.run),
        Job(
            name="extend-ranges",
            every_s=settings.RANGES_EVERY_S,
            run=partial(extend_ranges, database),
        ),
    ]
