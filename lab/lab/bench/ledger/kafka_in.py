"""The runs with Kafka in: W1 from a full topic, W6 and the latency of one command."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from kit.stream.outbox import Message
from lab.bench.ledger import checks, singles, workloads
from lab.bench.ledger.model import Model
from lab.bench.ledger.place import Place
from lab.bench.ledger.records import Translator
from lab.bench.ledger.road import Replies, Road
from lab.bench.ledger.rounds import Rounds
from lab.bench.ledger.runs import MILLION
from lab.bench.ledger.workloads import Command, Workload
from lab.bench.meter import median

COMMANDS: Final = 60_000  # of W1 from a full topic
_STOCK: Final = 60_000  # messages made before W6's clock starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long each step is, in seconds; pairs of the latency; commands from a full topic."""

    commands: int = COMMANDS
    pairs: int = 2
    latency_s: float = 6.0
    step_s: float = 6.0


@dataclass(slots=True)
class KafkaIn:
    """The same books as the rounds', with the road before them."""

    rounds: Rounds
    length: Length
    place: Place = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.rounds.place

    async def full_topic(self) -> dict[str, Any]:
        """W1 from a topic that is full: as fast as the consumer goes."""
        path = self.rounds.file(Workload.W1).path
        async with self.place.copy(await self.rounds.mold(Workload.W1)) as database:
            born = await self._born(database)
            translator = Translator(Workload.W1, offset=born)
            async with Road.open(self.place, database, translator) as road:
                for commands in self._slices():
                    await road.send(road.messages(commands))
                async with road.working() as worker:
                    done, took, cpu = await road.drain(worker, born + road.sent)
                again = await road.check()
            model = Model.of(Workload.W1, self.rounds.plan.size)
            model.apply(itertools.islice(workloads.read(path), road.sent))
            counted = await checks.check(self.place, database, model, born=born)
        per_million = MILLION / done
        return {
            "commands": road.sent,
            "sent_again": again,
            "per_s": round(done / took),
            "cpu_s_per_million": {name: round(s * per_million, 1) for name, s in cpu.items()},
            "counted": counted,
        }

    async def one_at_a_time(self) -> dict[str, Any]:
        """Latency of single commands in pairs with plain Kafka; then W6."""
        await singles.ensure_plain(self.place.home.bootstrap)
        async with self.place.copy(await self.rounds.mold(Workload.W6)) as database:
            born = await self._born(database)
            translator = Translator(Workload.W6, offset=born)
            async with Road.open(self.place, database, translator) as road, road.working():
                stock = self._stock(road)
                latency = await self._latency(road, iter(stock))
            sent = latency["sent"]
            model = Model.of(Workload.W6, self.rounds.plan.size)
            model.apply(itertools.islice(self._commands(), sent))
            latency["counted"] = await checks.check(self.place, database, model, born=born)
        return latency

    async def _latency(self, road: Road, drawn: Iterator[Message]) -> dict[str, Any]:
        bootstrap = self.place.home.bootstrap
        stock = Counted(drawn)
        same = singles.plain([stock.first] * _STOCK)
        place = (singles.PLAIN.name, 0)
        pairs: list[dict[str, Any]] = []
        async with Replies.open(bootstrap) as replies, Replies.open(bootstrap, place) as plain:
            await singles.closed_loop(replies, road.producer, stock, 1, 1.0)
            for _ in range(self.length.pairs):
                seconds = self.length.latency_s
                bare = await singles.closed_loop(plain, road.producer, same, 1, seconds)
                ours = await singles.closed_loop(replies, road.producer, stock, 1, seconds)
                pairs.append({"plain": bare, "ledger": ours})
            closed = [
                await singles.closed_loop(
                    replies, road.producer, stock, callers, self.length.step_s
                )
                for callers in singles.CALLERS
            ]
            peak = max(row["per_s"] for row in closed)
            opened = [
                await singles.open_loop(
                    replies,
                    road.producer,
                    list(itertools.islice(stock, int(peak * share * self.length.step_s))),
                    peak * share,
                )
                for share in singles.SHARES
            ]
        return {
            "sent": stock.count,
            "pairs": pairs,
            "p50_ms": median([pair["ledger"]["p50_ms"] for pair in pairs]),
            "plain_p50_ms": median([pair["plain"]["p50_ms"] for pair in pairs]),
            "closed_loop": closed,
            "open_loop": opened,
        }

    def _stock(self, road: Road) -> list[Message]:
        """Messages of W6, made before any clock starts."""
        return road.messages(list(itertools.islice(self._commands(), _STOCK)))

    def _commands(self) -> Iterator[Command]:
        return workloads.read(self.rounds.file(Workload.W6).path)

    def _slices(self) -> Iterator[list[Command]]:
        left = self.length.commands
        for commands in workloads.slices(self.rounds.file(Workload.W1).path, 5_000):
            if left <= 0:
                return
            yield commands[:left]
            left -= len(commands)

    async def _born(self, database: str) -> int:
        async with self.place.superuser(database) as connection:
            return int(await connection.fetchval("select sum(last_sequence) from shards"))


class Counted:
    """An iterator that counts what was taken. first: what will be taken first."""

    def __init__(self, drawn: Iterator[Message]) -> None:
        self.first = next(drawn)
        self.count = 0
        self._drawn = itertools.chain([self.first], drawn)

    def __iter__(self) -> "Counted":
        return self

    def __next__(self) -> Message:
        taken = next(self._drawn)
        self.count += 1
        return taken
