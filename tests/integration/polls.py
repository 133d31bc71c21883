"""A room's own consumers, as its main wires them, fed polls from memory on a real database."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from contracts import topics
from contracts.topics import Spread, Topic
from kit import run
from kit.base.db import Database
from kit.run import Wired
from kit.stream.consumer import Consumer
from kit.stream.kafka import Place
from kit.stream.outbox import Message
from support import services
from support.clocks import StoppedClock

SHARD: Final = 7  # of the golden examples
AT: Final = datetime(2026, 11, 21, 9, 30, 2, tzinfo=UTC)


@dataclass
class Sent:
    """A broker that takes everything: what consumers say, in order."""

    messages: list[Message] = field(default_factory=list[Message])

    async def send(
        self,
        messages: Sequence[Message],
        *,
        deadline_s: float = 5.0,
        homeless: set[Place] | None = None,
    ) -> None:
        """Keep them."""
        del deadline_s, homeless
        self.messages += messages


@dataclass(frozen=True)
class Record:
    """A record as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # ms since the epoch
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@asynccontextmanager
async def wired(name: str, database: Database, sent: Any) -> AsyncIterator[Wired]:
    """A service as its main lists it; nothing of it runs yet."""
    service = services.service(name)
    resources = replace(services.opened(service, database, StoppedClock(AT)), producer=sent)
    async with run.wired(service, resources) as app:
        yield app


def topics_of(consumer: Consumer) -> list[Topic]:
    """What a consumer reads."""
    return list(consumer._hearers.topics.values())


def partition_of(topic: str) -> int:
    """Where the examples of a topic belong."""
    found = next(one for one in topics.TOPICS if one.name == topic)
    return SHARD if found.spread is Spread.SHARDS else 0


@dataclass
class Polls:
    """What a consumer reads from: polls from memory, one after another, then the end."""

    polls: AsyncIterator[Mapping[Place, Sequence[Record]]]
    places: Sequence[Place]
    ended: Any
    generation: int = 1
    joined: bool = True
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def assigned(self) -> list[Place]:
        """All places."""
        return sorted(self.places)

    async def beginnings(self, places: Sequence[Place]) -> dict[Place, int]:
        """The start of each."""
        return dict.fromkeys(places, 0)

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """As told: the polls follow one another."""

    def lag(self) -> int:
        """Nothing."""
        return 0

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """No broker hears it."""

    async def poll(self, size: int) -> Mapping[Place, Sequence[Record]]:
        """The next; none left: the consumer is told to stop."""
        del size
        async for one in self.polls:
            return one
        self.ended()
        return {}


async def drive(
    consumer: Consumer, topics: Sequence[AsyncIterator[Mapping[Place, Sequence[Record]]]]
) -> None:
    """Have a consumer work through polls, one topic after another, as it does at work.

    Raises what would end its process.
    """
    places = [(topic.name, partition_of(topic.name)) for topic in topics_of(consumer)]
    reader: Any = Polls(_chained(topics), places, consumer.stop)
    publishing = asyncio.ensure_future(consumer._publisher.run())
    try:
        await consumer._consume(reader)
    finally:
        publishing.cancel()


async def _chained(
    topics: Sequence[AsyncIterator[Mapping[Place, Sequence[Record]]]],
) -> AsyncIterator[Mapping[Place, Sequence[Record]]]:
    for polls in topics:
        async for one in polls:
            yield one


def records(topic: str, values: Iterable[bytes], first: int) -> list[Record]:
    """Records of a topic with these values, from an offset on, whose senders wait for answers."""
    place, at_ms = partition_of(topic), int(AT.timestamp() * 1000)
    address = (("reply-topic", b"gateway.replies"), ("reply-partition", b"0"))
    return [
        Record(topic, place, n, at_ms, b"7", value, (*address, ("correlation-id", b"%d" % n)))
        for n, value in enumerate(values, first)
    ]
