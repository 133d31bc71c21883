"""Every service's local tables, emptied and filled again from their topics, row for row the same.

Which tables those are the parts of the services declare; tests/contract/test_local_tables.py holds
that no table is left out.
"""

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, LiteralString

import pytest

from cluster.servers import Servers
from contracts.topics import DEAD_LETTERS, TOPICS, Topic, partitions
from kit import room
from kit.base import clock, db, errors
from kit.base.message import Message
from kit.rebuild import rebuild_tables, tables_of
from kit.room import Part, Resources
from kit.stream import kafka
from kit.stream.event import Poison, Subscription
from kit.stream.kafka import Producer
from support import services

from .conftest import until
from .fields import encoded, examples

SHARDS = 2
KEYS = 3
VERSIONS = 4
FIRST = 1_000
ROOMS = sorted({table.room for topic in TOPICS for table in topic.local_tables} - {"gateway"})
GARBAGE = b'{"id": "1", "type": "nobody.v1"}'

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Rebuilt:
    """One service whose topics are this test's own, and the parts of it that fill local tables."""

    name: str
    parts: list[Part]
    opened: Resources
    owner: str
    producer: Producer

    @property
    def filling(self) -> list[Subscription]:
        return [one for _, one in tables_of(self.name, self.parts)]

    async def rows(self) -> Rows:
        """All rows of all its local tables."""
        async with self.opened.database.read() as tx:
            names: list[LiteralString] = [
                table.name for one in self.filling for table in one.tables
            ]
            return {
                name: sorted(map(tuple, await tx.fetch(f"select * from {name}"))) for name in names
            }

    async def as_owner(self, sql: str) -> None:
        session = await db.connect(self.owner)
        try:
            await session.execute(sql)
        finally:
            await session.close()

    async def rebuild(self) -> dict[str, int]:
        """As `python -m room rebuild-tables` does it: with the role that owns the tables."""
        database = await db.Database.open(self.owner, size=2)
        try:
            return await rebuild_tables(
                self.name, self.parts, replace(self.opened, opened=database)
            )
        finally:
            await database.close()

    async def is_read(self) -> bool:
        """Whether all that lies on its topics has been read."""
        ends = await kafka.end_offsets(
            self.opened.settings.kafka_bootstrap, [one.topic.name for one in self.filling]
        )
        async with self.opened.database.read() as tx:
            rows = await tx.fetch("select topic, partition, next from consumer_offsets")
        read = {(row["topic"], row["partition"]): row["next"] for row in rows}
        return all(read.get(place) == end for place, end in ends.items() if end)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Its consumers at work; all that lies on its topics is read at the end."""
        consumers = room.consumers(self.name, self.parts, self.opened)
        async with asyncio.TaskGroup() as tasks:
            for consumer in consumers:
                tasks.create_task(consumer.run())
            try:
                yield
                await until(self.is_read, 60)
            finally:
                for consumer in consumers:
                    consumer.stop()

    async def feed(self, versions: range) -> None:
        """Golden messages of each topic under several keys, in these versions, in any order."""
        said = [one for topic in self.filling for one in messages(topic.topic, versions)]
        random.Random(5).shuffle(said)
        await self.producer.send(said)


def messages(topic: Topic, versions: range) -> list[Message]:
    """The golden messages of a topic, each as several versions of several rows."""
    table = next(one for one in TOPICS if topic.name.endswith(one.name)).local_tables[0]
    said: list[Message] = []
    for kind in topic.events:
        for number, example in enumerate(examples(replaced_name(topic), kind)):
            if table.version not in example["data"]:
                continue  # a heartbeat
            for key in range(KEYS):
                for version in versions:
                    data = example["data"] | {table.version: FIRST * (key + 1) + version}
                    data |= {name: _key(data[name], number, key) for name in table.key}
                    said.append(_message(topic, example | {"data": data}, key, version))
    return said


def replaced_name(topic: Topic) -> Topic:
    """The topic as contracts has it, whose golden messages are these."""
    return replace(topic, name=topic.name.split(".", 1)[1])


def _key(value: int | str, number: int, key: int) -> int | str:
    step = 10 * number + key
    return value + step if isinstance(value, int) else value[:-2] + f"{step:02}"


def _message(topic: Topic, said: dict[str, Any], key: int, version: int) -> Message:
    partition = key % partitions(topic, shards=SHARDS, gateways=1)
    name = f"{json.dumps(said['data'], sort_keys=True)}@{version}"
    return Message(topic.name, partition, name.encode(), encoded(said), (), numbered=False)


Open = Callable[[str], Awaitable[Rebuilt]]


@pytest.fixture
async def opened(
    servers: Servers,
    producer: Producer,
    fresh_database: Callable[[str], Awaitable[str]],
    owner_dsn: Callable[[str], str],
) -> AsyncIterator[Open]:
    """`await opened("notify")`: its parts that fill tables, over topics of this test alone."""
    databases: list[db.Database] = []

    async def opened(name: str) -> Rebuilt:
        dsn = await fresh_database(name)
        databases.append(database := await db.Database.open(dsn, size=4))
        service = services.service(name)
        made = services.opened(
            service, database, clock.SystemClock(), kafka_bootstrap=servers.bootstrap, shards=SHARDS
        )
        made = replace(made, producer=producer, cluster=await kafka.cluster_id(servers.bootstrap))
        tag = f"t{secrets.token_hex(3)}."
        parts = [_over(part(made), tag) for part in service.parts]
        rebuilt = Rebuilt(name, parts, made, owner_dsn(dsn), producer)
        topics = [one.topic for one in rebuilt.filling]
        assert topics, "no part of it declares a table"
        await kafka.ensure_topics(servers.bootstrap, [*topics, DEAD_LETTERS], shards=SHARDS)
        return rebuilt

    yield opened
    for database in databases:
        await database.close()


def _over(part: Part, tag: str) -> Part:
    """The part with what fills tables alone, over topics of another name."""
    hears = [
        replace(one, topic=replace(one.topic, name=tag + one.topic.name))
        for one in part.hears
        if one.tables
    ]
    return replace(part, hears=hears)


@pytest.mark.parametrize("name", ROOMS)
async def test_tables_that_are_emptied_are_rebuilt_row_for_row(opened: Open, name: str) -> None:
    service = await opened(name)
    async with service.working():
        await service.feed(range(VERSIONS))
    before = await service.rows()
    assert all(before.values()), before.keys()
    for table in before:
        await service.as_owner(f"delete from {table}")
    assert not any((await service.rows()).values())
    counts = await service.rebuild()
    assert counts.keys() == {one.topic.name for one in service.filling}
    assert all(counts.values())
    assert await service.rows() == before
    async with service.working():  # it goes on behind what it had read
        await service.feed(range(VERSIONS, VERSIONS + 1))
    after = await service.rows()
    assert after != before
    await service.rebuild()
    assert await service.rows() == after


@pytest.mark.parametrize("name", ROOMS)
async def test_a_service_at_work_goes_on_and_its_readers_see_no_gap(
    opened: Open, name: str
) -> None:
    service = await opened(name)
    async with service.working():
        await service.feed(range(VERSIONS))
    names = set(await service.rows())
    least = {table: len(rows) for table, rows in (await service.rows()).items()}
    async with service.working():
        rebuilding = asyncio.ensure_future(service.rebuild())
        await service.feed(range(VERSIONS, VERSIONS + 2))
        while not rebuilding.done():
            seen = {table: len(rows) for table, rows in (await service.rows()).items()}
            assert all(seen[table] >= least[table] for table in names), seen
        await rebuilding
    after = await service.rows()
    await service.rebuild()
    assert await service.rows() == after


async def test_what_could_not_be_read_is_left_out_again(opened: Open) -> None:
    """A record that no decoder reads, and one that the handler fails on, among good ones."""
    service = await opened("members")
    (one,) = service.filling
    assert one.poison is Poison.DEAD_LETTER
    spoilt = examples(replaced_name(one.topic), next(iter(one.topic.events)))[0]
    spoilt["data"] = spoilt["data"] | {"sequence": 2**62}  # far beyond its shard's last
    async with service.working():
        await service.feed(range(VERSIONS))
    async with service.working():
        bad = [encoded(spoilt), GARBAGE]
        await service.producer.send(
            [Message(one.topic.name, 0, b"k", raw, (), numbered=False) for raw in bad]
        )
    async with service.opened.database.read() as tx:
        assert await tx.fetchval("select count(*) from dead_letters") == 2
    before = await service.rows()
    await service.rebuild()
    assert await service.rows() == before
    async with service.opened.database.read() as tx:
        assert await tx.fetchval("select count(*) from dead_letters") == 2


async def test_a_topic_that_lacks_what_was_read_changes_nothing(opened: Open) -> None:
    service = await opened("notify")
    async with service.working():
        await service.feed(range(VERSIONS))
    before = await service.rows()
    await service.as_owner("update consumer_offsets set next = next + 1 where next > 0")
    with pytest.raises(errors.Alarm, match="does not hold all"):
        await service.rebuild()
    assert await service.rows() == before
    await service.as_owner("update consumer_offsets set cluster = 'another'")
    with pytest.raises(errors.Alarm, match="another cluster"):
        await service.rebuild()
    assert await service.rows() == before


async def test_members_who_were_erased_stay_erased(opened: Open) -> None:
    service = await opened("notify")
    (contacts,) = [one for one in service.filling if one.tables[0].name == "contacts"]
    async with service.working():
        await service.feed(range(VERSIONS))
    kept = (await service.rows())["contacts"]
    async with service.working():
        gone = Message(contacts.topic.name, 0, str(kept[0][0]).encode(), None, (), numbered=False)
        await service.producer.send([gone])
    after = await service.rows()
    assert after["contacts"] == kept[1:]
    await service.rebuild()
    assert await service.rows() == after
