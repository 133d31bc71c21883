"""A writer of the ledger that dies where it is told to: before a statement, or about a commit.

The consumer, its offsets, its numbers and its outbox are kit's own; the log that it reads and the
broker that it writes to are kept here, so that one life is a matter of milliseconds.
"""

import asyncio
from collections import namedtuple
from contextlib import asynccontextmanager, suppress

from contracts.topics import LEDGER_COMMANDS
from kit.base import db, errors, settings
from kit.base.db import Database, Tx
from kit.stream.consumer import Consumer, CrashPoint
from ledger.posting import consumer as door

TOPIC = LEDGER_COMMANDS.name
Record = namedtuple("Record", "topic partition offset timestamp headers key value")
TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
    and has_table_privilege(c.oid, 'select')
"""
ROWS = """
select coalesce(string_agg(row, E'\n' order by row), '') from (select
    (to_jsonb(t) - array['epoch', 'recorded_at', 'applied_at'])::text as row from {} t) as rows
"""


class Killed(BaseException):
    """The process is gone: nothing of it goes on."""


def kill():
    """Die here and now."""
    raise Killed


class Log:
    """What lies on ledger.commands, cut into polls; read as a reader of kit reads."""

    generation = 1
    joined = True

    def __init__(self, shards):
        self.places = [(TOPIC, shard) for shard in shards]
        self.polls = []
        self.upto = None  # so many polls have come
        self.ends = dict.fromkeys(self.places, 0)
        self.idle = asyncio.Event()
        self.at = {}
        self.done = lambda: None  # told when there is nothing left to read

    def add(self, told):
        """One more poll. told: (shard, headers, bytes) of each record."""
        poll = {}
        for shard, headers, raw in told:
            place = (TOPIC, shard)
            record = Record(TOPIC, shard, self.ends[place], 0, headers, b"k", raw)
            poll.setdefault(place, []).append(record)
            self.ends[place] += 1
        self.polls.append(poll)

    def assigned(self):
        return self.places

    async def beginnings(self, places):
        return dict.fromkeys(places, 0)

    def seek(self, offsets):
        self.at = dict(offsets)

    async def poll(self, size):
        for poll in self.polls[: self.upto]:
            left = {p: [r for r in of if r.offset >= self.at[p]] for p, of in poll.items()}
            if any(left.values()):
                self.at |= {p: of[-1].offset + 1 for p, of in left.items() if of}
                return {p: of for p, of in left.items() if of}
        self.done()
        return {}

    def lag(self):
        return 0

    async def commit(self, offsets):
        return None


class Broker:
    """What was sent, as it lies there: repeats too. It has every place: nothing is homeless."""

    def __init__(self):
        self.sent = []

    async def send(self, messages, *, deadline_s, homeless):
        self.sent += messages

    def used(self):
        """{(topic, partition): what a consumer of it uses}; asserts that no number is missing."""
        found, by_number, last = {}, {}, {}
        for message in self.sent:
            place = (message.topic, message.partition)
            lane = found.setdefault(place, [])
            said = (message.key, message.value, message.headers)
            headers = dict(message.headers)
            if "stream" not in headers:
                if said not in lane:  # an answer: nobody waits for it twice
                    lane.append(said)
                continue
            stream, n = (*place, headers["stream"]), int(headers["n"])
            assert n <= last.get(stream, 0) + 1, f"a gap in {stream}"
            assert by_number.setdefault((stream, n), said) == said
            if n > last.get(stream, 0):
                last[stream] = n
                lane.append(said)
        return found


class Line:
    """A connection that says when it is about to be used."""

    def __init__(self, connection, before):
        self.connection = connection
        self.before = before

    def __getattr__(self, name):
        async def call(*args, **named):
            await self.before(self.connection, args[0])
            return await getattr(self.connection, name)(*args, **named)

        return call


class CrashingDatabase:
    """A database whose backend is ended before the n-th statement of a posting transaction.

    at: n, 0 for never; later: the n of the attempts after it. lives: the process goes on and sees
    a lost connection; else it is Killed. point: one of kit's crash points, where `then` is called
    once. statements: those of each posting transaction that committed.
    """

    def __init__(self, database, session):
        self.database = database
        self.session = session  # a connection of its own, which ends others
        self.at, self.later, self.lives = 0, [], False
        self.point, self.then = None, kill
        self.inside = False
        self.now = []
        self.statements = []

    def crash(self, point):
        """What the consumer calls at kit's crash points: a transaction begins, ends, or dies."""
        if point is CrashPoint.AFTER_BEGIN:
            self.inside, self.now = True, []
        if point is CrashPoint.AFTER_COMMIT:
            self.inside = False
            self.statements.append(self.now)
        if point is self.point:
            self.point = None
            self.then()

    async def before(self, connection, statement):
        if not self.inside:
            return
        self.now.append(statement)
        if len(self.now) != self.at:
            return
        self.inside = False
        pid = connection.get_server_pid()
        assert await self.session.fetchval("select pg_terminate_backend($1, 5000)", pid)
        if not self.lives:
            raise Killed
        self.at = self.later.pop(0) if self.later else 0

    @asynccontextmanager
    async def transaction(self):
        try:
            async with self.database.transaction() as tx:
                yield Tx(Line(tx._connection, self.before))
        except errors.Unavailable:
            if self.lives:
                raise
            raise Killed from None

    def read(self):
        return self.database.read()


async def live(crashing_database, log, broker):
    """One process's life: until it has read the log, or died; gives whether it died."""
    room = settings.ServiceSettings(
        room="ledger", kafka_bootstrap="", http_port=0, actor_secret="s"
    )
    mine = Consumer(
        door.GROUP,
        door.SUBSCRIPTIONS,
        crashing_database,
        broker,
        room,
        crash=crashing_database.crash,
    )
    log.done = mine.stop
    try:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(mine._publisher.run())
            await mine._consume(log)
            sending.cancel()
    except BaseExceptionGroup as ended:
        if ended.split(Killed)[1] is not None:
            raise
        return True
    finally:
        crashing_database.inside = False
    return False


class Wire:
    """Between a pool and its server; the next COMMIT is cut off.

    cut: "unheard" (before the server has it) or "unanswered" (once the server has answered).
    """

    def __init__(self, port):
        self.port = port
        self.cut = ""
        self.cuts = 0
        self.swallow = set()

    async def serve(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.port)
        ends = (writer, up_writer)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.up(reader, up_writer, ends))
                tasks.create_task(self.down(up_reader, writer, ends))
        finally:
            for end in ends:
                end.close()

    async def up(self, reader, up_writer, ends):
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if self.cut and b"COMMIT;" in data:
                    how, self.cut = self.cut, ""
                    self.cuts += 1
                    if how == "unheard":
                        break
                    self.swallow.add(ends)
                up_writer.write(data)
                await up_writer.drain()
        for end in ends:
            end.close()

    async def down(self, up_reader, writer, ends):
        with suppress(ConnectionError):
            while data := await up_reader.read(1 << 16):
                if ends in self.swallow:
                    assert b"COMMIT\0" in data  # the server says that it is done; nobody hears
                    self.swallow.discard(ends)
                    break
                writer.write(data)
                await writer.drain()
        for end in ends:
            end.close()


@asynccontextmanager
async def wired(dsn):
    """(wire, address of the same database by that wire)."""
    head, _, rest = dsn.rpartition(":")
    port, _, name = rest.partition("/")
    wire = Wire(int(port))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    async with server:
        yield wire, f"{head}:{server.sockets[0].getsockname()[1]}/{name}"


@asynccontextmanager
async def crashing_database(dsn, *, by=""):
    """A database that can die. by: another address of it, for its own connections."""
    session = await db.connect(dsn)
    database = await Database.open(by or dsn, size=1, command_timeout_s=30)
    try:
        yield CrashingDatabase(database, session)
    finally:
        await database.close()
        await session.close()


async def rows(session):
    """{table: its rows as text}, without what may differ from life to life."""
    names = sorted(row[0] for row in await session.fetch(TABLES))
    return {name: await session.fetchval(ROWS.format(name)) for name in names}
