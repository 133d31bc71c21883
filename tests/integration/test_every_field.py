"""No field of any record ends a process, stops its neighbours or reads back as nonsense.

Every field of every message goes, with its extremes and what lies beyond, through the handlers
that each room's main wires, on a real database, as polls of a consumer at work; then everything
that can be asked is asked (findings S1, S17 to S19, kind 1). Seeded: a run tells the same.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI

from contracts import envelope, topics
from contracts.topics import Topic
from gateway.road.consumer import RepliesFeed
from gateway.road.usecases.pending_replies import PendingReplies
from gateway.tables.consumer import HANDLERS, TablesFeed
from gateway.tables.store import Table, Tables
from gateway.tables.usecases.readiness import STATE_TOPICS, Readiness
from kit.base import clock, db
from kit.base.db import Database
from kit.stream import isolation, kafka
from kit.stream.consumer import Consumer
from kit.stream.kafka import Place
from support import services

from . import test_doors as doors
from .extremes import Shapes
from .fields import SEQUENCE_FIRST, SEQUENCE_STEP, Case, cases, encoded, examples, renamed
from .polls import SHARD, Record, Sent, drive, partition_of, records, topics_of, wired

POLL: Final = 160  # under the limit of letters that nobody has dealt with
FIRST_MARK: Final = 7_100_000
GOOD_EVERY: Final = 8
UNTRACED: Final = {  # a right record changes nothing here that would show its number
    ("fraud", "ledger.entries"),  # only what became of a case
    ("notify", "merchants.disputes"),  # only for merchants that have an endpoint
}
MARKED: Final = ("account", "member", "digest", "rule")
OF_MERCHANTS: Final = ("merchant", "acceptor")
OF: Final = {
    "fraud.screened": (),  # it needs its programme
    "identity.sessions": ("session",),
    "merchants.terms": ("version",),
    "merchants.terminals": ("terminal",),
}
FACTS_FIRST: Final = ("facts", "state", "road", "outcomes")  # decisions need them
NUMBERS_AND_TIMES: Final = """
select table_name, column_name from information_schema.columns where table_schema = 'public'
and udt_name in ('timestamptz', 'date', 'float8', 'numeric', '_timestamptz', '_date', '_numeric')
"""
READ: Final[dict[str, Any]] = {  # what the records are about
    "account": 1_000_007, "member": 7, "merchant": 12, "party": 12, "shard": SHARD, "lot": 1,
    "name": "t.10000017.1.42-1", "rule": "weekend-double", "version": 1, "terminal": 10_000_017,
}  # fmt: skip


@dataclass
class Fed:
    """One topic as it is fed: strange records, among them right ones, each with its number."""

    topic: Topic
    first_mark: int
    values: list[Case] = field(default_factory=list[Case])
    marks: dict[int, str] = field(default_factory=dict[int, str])  # by offset
    letters: dict[int, str] = field(default_factory=dict[int, str])

    def __post_init__(self) -> None:
        """Strange records, and a right one after every few and at the end."""
        for kind in self.topic.events:  # what the strange ones refer to
            plain = examples(self.topic, kind)
            self.values += [Case(encoded(said), f"{kind} as it should be") for said in plain]
        strange = cases(self.topic)
        for n, case in enumerate(strange, 1):
            self.values.append(case)
            if n % GOOD_EVERY == 0 or n == len(strange):
                self.marks[len(self.values)] = mark = str(self.first_mark + len(self.marks))
                self.values.append(Case(good(self.topic, int(mark), n), f"the right one {mark}"))

    async def polls(self, session: Any) -> AsyncIterator[Mapping[Place, Sequence[Record]]]:
        """One poll after another; between them an operator deals with the letters."""
        for start in range(0, len(self.values), POLL):
            raws = [case.raw for case in self.values[start : start + POLL]]
            yield {
                (self.topic.name, partition_of(self.topic.name)): records(
                    self.topic.name, raws, start
                )
            }
            for row in await session.fetch('delete from dead_letters returning "offset", code'):
                self.letters[row["offset"]] = row["code"]


def good(topic: Topic, mark: int, after: int) -> bytes:
    """A record that is right, with a number that nothing else has; after: how many cases."""
    kind = "post-transaction.v1" if topic is topics.LEDGER_COMMANDS else next(iter(topic.events))
    found = examples(topic, kind)
    said = renamed(next((e for e in found if e["data"].get("kind") == "purchase"), found[0]), mark)
    said["data"] = _marked(said["data"], mark, {*MARKED, *OF.get(topic.name, OF_MERCHANTS)})
    if "sequence" in said["data"]:
        said["data"]["sequence"] = SEQUENCE_FIRST + SEQUENCE_STEP * after + 1
    return encoded(said)


def _marked(held: Any, mark: int, names: set[str]) -> Any:
    if isinstance(held, list):
        return [_marked(one, mark, names) for one in held]
    if not isinstance(held, dict):
        return held
    return {
        key: (mark if isinstance(value, int) else f"{mark:0{32 if key == 'session' else 64}}")
        if key in names
        else _marked(value, mark, names)
        for key, value in held.items()
    }


async def told(session: Any, sent: Sent) -> str:
    """All that a room keeps, and all that it said."""
    names = await session.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows: list[str] = [str(said.value) for said in sent.messages]
    for (name,) in names:
        if name not in ("dead_letters", "outbox_batches", "outbox_messages"):
            rows += [row[0] for row in await session.fetch(f"select t::text from {name} t")]
    return "\n".join(rows)


async def endless(session: Any) -> list[str]:
    """Columns with a time or a number that has no end, or that is none."""
    found: list[str] = []
    for table, column in await session.fetch(NUMBERS_AND_TIMES):
        sql = f"select count(*) from {table} where {column}::text ~* 'infinity|nan|bc'"
        if await session.fetchval(sql):
            found.append(f"{table}.{column} reads back as nonsense")
    return found


def wrong(room: str, fed: Fed, kept: str) -> list[str]:
    """What became of one topic's records that should not have."""
    traced = (room, fed.topic.name) not in UNTRACED
    lost = [
        f"{mark}, which is right, left no trace after: {fed.values[at - 1].told}"
        for at, mark in fed.marks.items()
        if traced and mark not in kept
    ]
    refused = [f"{fed.values[at].told}: {fed.letters[at]}" for at in fed.marks if at in fed.letters]
    return [f"{fed.topic.name}: {one}" for one in (*lost, *refused)]


async def unreadable(room: str, app: FastAPI) -> list[str]:
    """Faults of every reading of a room's own document."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        door = doors.Room(room, app, client)
        shapes = Shapes(app.openapi())
        for one in doors.operations(app.openapi()):
            if one.method == "GET":
                asked = doors.values_of(door, one, shapes)
                asked |= {name: READ[name] for name in asked if name in READ}
                await door.call("GET", doors.address(one, asked))
        return door.faults


@pytest.mark.parametrize("room", sorted(services.SERVICES))
async def test_every_record_is_handled_refused_or_set_aside(
    room: str,
    fresh_database: Callable[[str], Awaitable[str]],
    owner_dsn: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "FACTS_WAIT_S", 0.01)
    dsn = await fresh_database(room)
    database, session = await Database.open(dsn, size=3), await db.connect(owner_dsn(dsn))
    sent, feds = Sent(), list[Fed]()
    async with wired(room, database, sent) as app:
        for consumer in sorted(app.consumers, key=_place):
            given = [
                Fed(topic, FIRST_MARK + 100_000 * n)
                for n, topic in enumerate(topics_of(consumer), len(feds))
            ]
            feds += given
            await drive(consumer, [fed.polls(session) for fed in given])
        kept = await told(session, sent)
        faults = [fault for fed in feds for fault in wrong(room, fed, kept)]
        faults += await endless(session)
        faults += await unreadable(room, app.asgi)
    await session.close()
    await database.close()
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:20]])


def _place(consumer: Consumer) -> int:
    return next(
        n for n, word in enumerate((*FACTS_FIRST, consumer.group)) if word in consumer.group
    )


async def test_every_record_of_the_gateways_topics_is_kept_or_buried(tmp_path: Path) -> None:
    sent: Any = Sent()
    readiness = Readiness(False, clock.wall)
    tables = Tables.open(tmp_path / "tables", cluster="c", boot="b", map_gib=1)
    given: Any = None  # settings: of the reader alone
    feed = TablesFeed(given, tables, readiness, sent, ())
    for n, topic in enumerate(STATE_TOPICS):
        fed = Fed(topic, FIRST_MARK + 100_000 * n)
        for at, case in enumerate(fed.values):
            feed.dead_letters = 0
            await feed.apply([_given(topic.name, at, case.raw)])
            if at in fed.marks:
                (row,) = HANDLERS[topic.name][1](
                    [envelope.decode(case.raw, dict(topic.events)).data]
                )
                assert tables.dump(row.table).get(row.key, b"").endswith(row.value), case.told
        assert tables.offsets([(topic.name, 0)]) == {(topic.name, 0): len(fed.values)}
    _read_all(tables)
    tables.close()


def _given(topic: str, offset: int, value: bytes) -> kafka.Record:
    return kafka.Record(topic, 0, offset, 1_700_000_000_000, b"k", value, ())


def _read_all(tables: Tables) -> None:
    """Whatever is kept is read without an error."""
    for key in tables.dump(Table.IDENTIFIERS):
        assert tables.find_identifier(key.hex()) is not None
    for key in tables.dump(Table.TERMINALS):
        assert tables.find_terminal(int.from_bytes(key)) is not None
    for key in tables.dump(Table.PROGRAMMES):
        assert tables.list_programmes(int.from_bytes(key[:4]))
    assert tables.list_terms()
    for key in tables.dump(Table.SESSIONS):
        assert tables.find_session(key.hex()) is not None
    for key in tables.dump(Table.API_KEYS):
        assert tables.find_api_key(key.hex()) is not None


async def test_no_reply_ends_the_feed_and_the_next_is_heard(tmp_path: Path) -> None:
    del tmp_path
    pending_replies = PendingReplies(100_000)
    given: Any = None
    feed = RepliesFeed(given, pending_replies, Readiness(False, clock.wall))
    example = examples(topics.GATEWAY_REPLIES, "transaction-answered.v1")[0]
    futures: list[asyncio.Future[Any]] = []
    for case in [*cases(topics.GATEWAY_REPLIES), Case(encoded(example), "the right one")]:
        correlation, future = pending_replies.register("till", 100_000)
        at = (("correlation-id", correlation),)
        record = kafka.Record("gateway.replies", 0, 0, 0, b"k", case.raw, at)
        feed.on_gateway_replies([record])
        futures.append(future)
    assert futures[-1].done()
