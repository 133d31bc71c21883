"""A small house for kit's promises: topics of its own, a writer, what came out downstream."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from contracts import topics
from contracts.envelope import Envelope
from contracts.topics import Spread, Topic
from house.servers import Servers
from kit import db, kafka, outbox, settings
from kit.kafka import Assigned, Producer, Record

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARTITIONS = 4


class Noted(msgspec.Struct, frozen=True):
    """`noted.v1`: what the test's stages say to one another."""

    number: int
    text: str = ""


def topic(name: str, **changes: Any) -> Topic:
    """A topic of the test: four partitions unless told otherwise."""
    given: dict[str, Any] = {
        "name": name,
        "owner": "test",
        "key": "number",
        "spread": Spread.FOUR,
        "events": {"noted.v1": Noted},
        "consumers": (),
        "numbered": True,
    }
    return Topic(**{**given, **changes})


def note(number: int, text: str = "") -> Envelope[Noted]:
    """An envelope whose id and key are the number."""
    return Envelope(
        id=str(number),
        type="noted.v1",
        key=str(number),
        occurred_at=NOW,
        accepted_at=NOW,
        data=Noted(number, text),
    )


@dataclass(frozen=True)
class Stage:
    """Topics and database of one test."""

    servers: Servers
    dsn: str
    source: Topic
    sink: Topic
    group: str

    @property
    def room(self) -> settings.Room:
        """Settings of a process of this test."""
        return settings.Room(
            room="test",
            kafka_bootstrap=self.servers.bootstrap,
            database_dsn=self.dsn,
            http_port=0,
            actor_secret="s",
        )

    async def records(self, of: Topic) -> list[Record]:
        """All that lies on a topic now, by partition."""
        places = [(of.name, p) for p in range(PARTITIONS if of.spread is Spread.FOUR else 1)]
        start: dict[tuple[str, int], int | None] = dict.fromkeys(places, 0)
        reader = await Assigned.open(self.servers.bootstrap, client_id="look", start=start)
        try:
            ends = await reader.end_offsets()
            seen: list[Record] = []
            while {p: await reader.position(*p) for p in places} != ends:
                seen += await reader.poll(timeout_ms=50)
            return sorted(seen, key=lambda r: (r.partition, r.offset))
        finally:
            await reader.close()

    async def feed(self, producer: Producer, numbers: Sequence[int], **headers: bytes) -> None:
        """Put notes on the source, unnumbered, number n on partition n % 4."""
        await producer.send(
            [
                outbox.Message(
                    self.source.name,
                    n % PARTITIONS,
                    str(n).encode(),
                    outbox.message(self.source, note(n)).value,
                    tuple((k.replace("_", "-"), v) for k, v in headers.items()),
                )
                for n in numbers
            ]
        )


EFFECTS = """
create table effects (number int not null, text text not null, at bigserial);
grant all on effects, effects_at_seq to public;
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def producer(servers: Servers) -> Any:
    """One producer for the tests' own sends."""
    made = await Producer.open(servers.bootstrap, client_id="tests")
    yield made
    await made.close()


@pytest.fixture
def new_stage(
    servers: Servers,
    fresh_database: Callable[[str], Awaitable[str]],
    owner_dsn: Callable[[str], str],
) -> Callable[..., Awaitable[Stage]]:
    """`await new_stage()`: a database with kit's tables and `effects`, a source and a sink."""

    async def make(**changes: Any) -> Stage:
        tag = secrets.token_hex(4)
        dsn = await fresh_database("test")
        session = await db.connect(owner_dsn(dsn))
        await session.execute(EFFECTS)
        await session.close()
        made = Stage(
            servers=servers,
            dsn=dsn,
            source=topic(f"t.{tag}.source", **changes),
            sink=topic(f"t.{tag}.sink"),
            group=f"g-{tag}",
        )
        wanted = [made.source, made.sink, topics.DEAD_LETTERS]
        await kafka.ensure_topics(servers.bootstrap, wanted, shards=4)
        return made

    return make
