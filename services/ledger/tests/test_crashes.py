"""A posting transaction that dies before any of its statements, or about its commit, is as if it
had never begun, or as if nothing had happened: the book, kit's rows, every message by its number.
"""

from typing import NamedTuple

import pytest

from contracts import envelope as envelopes
from contracts.value import ActivateCard
from kit.stream.consumer import CrashPoint

from . import agreement, crashing_writer, invariants, postgres
from .test_shard_stories import ShardStory

SEED, BEFORE, RICH, FEW = 37, 420, 170, 12
REST = (
    "migrations",
    "outbox_messages",
    "outbox_batches",
    "stream_positions",
    "audit",
    "requests",
)  # not here


class Archive:
    """A story over two shards, as it lies on the log: polls before, a rich one, two small ones."""

    def __init__(self, seed):
        self.story = ShardStory(seed)
        self.shards = tuple(self.story.models)
        self.log = crashing_writer.Log(self.shards)
        for size in (*[70] * (BEFORE // 70), RICH, FEW, FEW):
            self.log.add(self.poll(size))

    def poll(self, size):
        found = [self.record(*self.one()) for _ in range(size)]
        if size == RICH:
            shard = self.shards[0]
            card = ActivateCard(name="a.3000.card", account=3000, issuer=5, amount_rial=700)
            found.append(self.record(*self.hear(*self.story.generator.arriving(shard, card))))
            raw = b'{"not": "ours\xff'
            self.story.hear_record(shard, raw)
            found.append((shard, found[0][1], raw))
        return found

    def one(self):
        story = self.story
        if story.on_the_way and story.generator.rng.random() < 0.3:
            place = story.generator.rng.randrange(len(story.on_the_way))
            return self.hear(*story.generator.arriving(*story.on_the_way.pop(place)))
        return self.hear(*story.generator.one())

    def hear(self, shard, envelope):
        self.story.hear(shard, envelope)
        return shard, envelope

    def record(self, shard, envelope):
        place = b"%d.%d" % (shard, self.story.models[shard].state.sequence)
        return shard, (*postgres.REPLY, ("correlation-id", place)), envelopes.encode(envelope)


@pytest.fixture(scope="module")
def archive():
    return Archive(SEED)


@pytest.fixture(scope="module")
async def whole(archive, fresh_database):
    """How it ends without a crash."""
    broker, log, seen = crashing_writer.Broker(), archive.log, []
    async with crashing_writer.crashing_database(await fresh_database("ledger")) as stage:
        for log.upto in (-3, -2, -1, None):
            assert not await crashing_writer.live(stage, log, broker)
            seen.append(await crashing_writer.rows(stage.session))
    return Whole(seen, broker.used(), stage.statements[-3:])


class Whole(NamedTuple):
    """rows: before the rich poll, and after each. statements: of each of the last three polls."""

    rows: list
    used: dict
    statements: list


@pytest.fixture
async def stage(archive, whole, fresh_database):
    """A database behind a wire that has heard what comes before the rich poll; its broker."""
    broker, log, dsn = crashing_writer.Broker(), archive.log, await fresh_database("ledger")
    async with (
        crashing_writer.wired(dsn) as (wire, by),
        crashing_writer.crashing_database(dsn, by=by) as made,
    ):
        log.upto = -3
        assert not await crashing_writer.live(made, log, broker)
        made.statements.clear()
        yield made, broker, wire


async def check(whole, made, broker):
    """All is as where nothing died."""
    assert await crashing_writer.rows(made.session) == whole.rows[-1]
    assert broker.used() == whole.used


def test_the_rich_batch_writes_every_table(whole):
    before, after = whole.rows[:2]
    assert [name for name in before if before[name] == after[name] and name not in REST] == []
    assert {topic for topic, _ in whole.used} == {
        "ledger.commands", "ledger.entries", "gateway.replies", "platform.dead-letters",
    }  # fmt: skip
    assert all(
        dict(message[2])["n"] == b"%d" % n
        for (topic, _), said in whole.used.items() if topic == "ledger.entries"
        for n, message in enumerate(said, start=1)
    )  # fmt: skip
    assert len(set(whole.statements[0])) >= 36  # a lower number: something is no longer tried
    assert all(len(one) >= 12 for one in whole.statements[1:])


async def test_killed_before_any_statement_and_started_again(archive, whole, stage):
    made, broker, _ = stage
    for archive.log.upto, kept, statements in zip(
        (-2, -1), whole.rows[:2], whole.statements[:2], strict=True
    ):
        for made.at in range(1, len(statements) + 1):
            assert await crashing_writer.live(made, archive.log, broker)
            assert made.now == statements[: made.at]
            assert await crashing_writer.rows(made.session) == kept
        made.at = 0
        assert not await crashing_writer.live(made, archive.log, broker)
    archive.log.upto = None
    assert not await crashing_writer.live(made, archive.log, broker)
    assert made.statements == whole.statements
    await check(whole, made, broker)


async def test_a_writer_that_loses_its_connections_again_and_again_goes_on(archive, whole, stage):
    made, broker, _ = stage
    made.lives = True
    rich = len(whole.statements[0])
    made.at, *made.later = 1, 3, 19, 20, 21, 22, rich - 1, rich
    archive.log.upto = None
    assert not await crashing_writer.live(made, archive.log, broker)
    assert (made.at, made.later, made.statements) == (0, [], whole.statements)
    await check(whole, made, broker)


async def test_killed_between_commit_and_the_brokers_word(archive, whole, stage):
    """What was committed goes out first, under its own numbers; what went out goes out no more."""
    made, broker, _ = stage
    points = (CrashPoint.AFTER_COMMIT, CrashPoint.AFTER_PUBLISH, CrashPoint.AFTER_ACK_DELETE)
    for archive.log.upto, made.point in zip((-2, -1, None), points, strict=True):
        assert await crashing_writer.live(made, archive.log, broker)
    assert len(broker.sent) > sum(map(len, broker.used().values()))  # said twice, used once
    assert not await crashing_writer.live(made, archive.log, broker)
    await check(whole, made, broker)


async def unknown(how, archive, stage):
    """The next poll's commit is cut off; gives whether the process died of it."""
    made, broker, wire = stage
    made.point, made.then = CrashPoint.BEFORE_COMMIT, lambda: setattr(wire, "cut", how)
    died = await crashing_writer.live(made, archive.log, broker)
    assert (made.point, wire.cut) == (None, "")
    return died


async def test_a_commit_of_unknown_end_and_a_new_process(archive, whole, stage):
    made, broker, wire = stage
    for archive.log.upto, kept, then in zip(
        (-2, -1, None), whole.rows[:-1], whole.rows[1:], strict=True
    ):
        assert await unknown("unheard", archive, stage)
        assert await crashing_writer.rows(made.session) == kept
        assert await unknown("unanswered", archive, stage)
        unsent = await crashing_writer.rows(made.session)
        assert unsent.pop("outbox_batches")
        assert unsent.items() < then.items()
        assert not await crashing_writer.live(made, archive.log, broker)
    assert wire.cuts == 6
    await check(whole, made, broker)


@pytest.mark.parametrize("how", ["unheard", "unanswered"])
async def test_a_commit_of_unknown_end_in_the_same_process(archive, whole, stage, how):
    made, broker, wire = stage
    made.lives = True
    for archive.log.upto in (-2, -1, None):
        assert not await unknown(how, archive, stage)
    assert wire.cuts == 3
    await check(whole, made, broker)


async def test_the_story_itself_is_what_the_model_says(archive, stage):
    made, broker, _ = stage
    archive.log.upto = None
    assert not await crashing_writer.live(made, archive.log, broker)
    for shard, model in archive.story.models.items():
        await agreement.check_tables(made.database, model)
        await invariants.check_book(made.database, shard)
