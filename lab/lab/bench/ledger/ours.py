"""The ledger as the bench drives it: the posting transaction of kit's consumer, Kafka left out."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kit.base.db import Database, Tx
from kit.base.migrate import migrate
from kit.stream import outbox
from kit.stream.consumer import Event
from kit.stream.kafka import Place
from kit.stream.outbox import Message, StreamSequences
from kit.stream.streams import Positions
from lab.bench.ledger.records import SHARD, Translator
from lab.bench.ledger.workloads import Command, Size, Workload, lots_before
from ledger import main
from ledger.posting import consumer, usecases

TIMEOUT_S: Final = 60.0
BIRTHS: Final = 500
SWEEP_LOTS: Final = 500
_PLACE: Final[Place] = (consumer.SUBSCRIPTIONS[0].topic.name, SHARD)
_CLUSTER: Final = "bench"
_ROOM: Final = main.SERVICE.name


class Ours:
    """One writer of one shard: what kit.consumer does for a poll, step by step.

    Outbox rows count as acknowledged at once: the next poll deletes them, as with a quick broker.
    """

    name = "ledger"

    def __init__(self, database: Database, translator: Translator, pid: int) -> None:
        self._database = database
        self._translator = translator
        self._positions = Positions(consumer.GROUP)
        self._numbers = StreamSequences(_ROOM, consumer.GROUP, 1, {})
        self._acked: list[int] = []
        self.backend = pid
        self.watch: Callable[[Tx], Any] = lambda tx: tx  # a profile looks on
        self.tell: Callable[[str], None] = lambda step: None  # and hears of each step

    @classmethod
    async def open(cls, dsn: str, workload: Workload, *, epoch: int = 1) -> "Ours":
        """Connect as the room does, with one connection, and take the shard over.

        epoch: of the tills; the same commands under another one are others.
        """
        database = await Database.open(dsn, size=1, command_timeout_s=TIMEOUT_S)
        async with database.transaction() as tx:
            pid = await tx.fetchval("select pg_backend_pid()")
            positions = await Positions.claim(tx, consumer.GROUP, [_PLACE], _CLUSTER, 1)
        offset = max(0, positions.next[_PLACE])
        side = cls(database, Translator(workload, offset=offset, epoch=epoch), pid)
        side._positions = positions
        async with database.read() as tx:
            await side._numbers.load(tx, [_PLACE])
        return side

    @property
    def sequence(self) -> int:
        """Records heard so far: sequence numbers too, as long as none was a repeat."""
        return self._positions.next[_PLACE] if self._positions.next[_PLACE] > 0 else 0

    async def close(self) -> None:
        """Forget the last outbox rows, as kit.consumer does when nothing more comes; disconnect."""
        async with self._database.transaction() as tx:
            await outbox.delete_sent(tx, self._acked)
        await self._database.close()

    def prepare(self, commands: Sequence[Command]) -> list[Event]:
        """Records of a batch, made before the clock starts."""
        return self._translator.events(commands)

    async def post(self, batch: Sequence[Event]) -> None:
        """One poll, one transaction: offsets, handler, outbox, commit."""
        await self.hear(batch)

    async def hear(self, batch: Sequence[Event]) -> list[Message]:
        """Post a batch; gives what was said."""
        fresh, streams = self._positions.sift(batch)
        ends: dict[Place, int] = {_PLACE: batch[-1].offset + 1}
        self.tell("begin")
        async with self._database.transaction() as opened:
            self.tell("client")
            tx = self.watch(opened)
            await self._positions.advance(tx, ends, streams, self._acked)
            await usecases.post_batch(tx, fresh)
            messages = tx.take_messages()
            batches = await self._numbers.insert(tx, self._numbers.plan(messages, list(ends)))
            self.tell("commit")
        self.tell("client")
        self._positions.settle(ends, streams)
        self._numbers.settle(batches)
        self._acked = [batch.id for batch in batches]
        self.tell("end")
        return messages

    async def sweep(self, now: datetime) -> int:
        """Book the expiry of all that is due, as the job does each few seconds; gives how many."""
        after, swept = {SHARD: usecases.SWEEP_START}, 0
        while True:
            async with self._database.transaction() as tx:
                after = await usecases.sweep_due_lots(tx, after, now=now, limit=SWEEP_LOTS)
                messages = tx.take_messages()
            if not messages:
                return swept
            await self.post(self._translator.others(messages))
            swept += len(messages)

    async def give_birth(self, workload: Workload, size: Size) -> None:
        """Post every member's first lots."""
        waiting: list[Any] = []
        for born in lots_before(workload, size):
            waiting.append(born)
            if len(waiting) == BIRTHS:
                await self.post(self._translator.births(waiting))
                waiting = []
        if waiting:
            await self.post(self._translator.births(waiting))


async def fill(owner_dsn: str, dsn: str, workload: Workload, size: Size) -> float:
    """A migrated database in which every member has its first lots, all by posting.

    Gives the seconds that the posting took.
    """
    folder: Path = main.MIGRATIONS
    await migrate(owner_dsn, folder)
    ours = await Ours.open(dsn, workload)
    started = time.perf_counter()
    try:
        await ours.give_birth(workload, size)
    finally:
        await ours.close()
    return time.perf_counter() - started
