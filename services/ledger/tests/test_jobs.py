"""The clock's door: due lots are commanded to expire, minutes tick, ranges are made."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts import envelope as envelopes
from contracts.ledger import COMMANDS
from kit.base import clock
from kit.base.settings import SettingsError
from kit.stream.outbox import take_messages
from ledger.log import jobs as log_jobs
from ledger.log.clients import Archive
from ledger.log.domain import checkpoints
from ledger.posting import jobs
from ledger.settings import Settings

from . import generators, postgres
from .doors import Stopped
from .one_shard import BAKER, OneShard, award


async def said(database):
    """What the jobs said, off the relay's outbox, as events for the consumer."""
    async with database.transaction() as tx:
        messages, _ = await take_messages(tx, 100_000)
    assert all(message.topic == "ledger.commands" for message in messages)
    return [
        (message.partition, envelopes.decode(message.value or b"", COMMANDS))
        for message in messages
    ]


def events(shard, found):
    return postgres.events(shard, [envelope for at, envelope in found if at == shard])


@pytest.fixture
def settings():
    return Settings(
        room="ledger", kafka_bootstrap="", http_port=1, actor_secret="s", shards=4, sandbox=True
    )


async def test_what_is_past_its_date_is_swept_once_and_each_lot_expires(empty):
    one_shard = OneShard(2)
    soon = one_shard.at + timedelta(days=1)
    sales = [
        one_shard.envelope(
            one_shard.transaction("purchase", BAKER, awards=(award(10, expires_at=soon),))
        )
        for _ in range(5)
    ]
    await postgres.post(empty, postgres.events(2, sales))
    stopped = Stopped(soon - timedelta(seconds=1))
    sweeper = jobs.Sweeper(empty, stopped, 4)
    await sweeper.run()
    assert await said(empty) == []
    stopped.at = soon
    await sweeper.run()
    found = await said(empty)
    assert [at for at, _ in found] == [2] * 5
    assert all(e.data.name == f"x.{e.data.lot}.2026-03-22T11" for _, e in found)
    await sweeper.run()
    assert await said(empty) == []  # on their way: not named again at once
    heard = await postgres.post(empty, events(2, found))
    assert [o.moves[0].movement for o in postgres.outcomes(heard)] == ["expired"] * 5
    again = jobs.Sweeper(empty, stopped, 4)
    await again.run()
    assert await said(empty) == []
    rows = await postgres.tables(empty, 2)
    assert {row[5] for row in rows["lots"]} == {0}


async def test_a_second_sweep_of_the_hour_repeats_the_same_names(empty):
    one_shard = OneShard(1)
    soon = one_shard.at + timedelta(days=1)
    sale = one_shard.envelope(
        one_shard.transaction("purchase", BAKER, awards=(award(10, expires_at=soon),))
    )
    await postgres.post(empty, postgres.events(1, [sale]))
    named = []
    for minutes in (0, 20, 40):
        sweeper = jobs.Sweeper(empty, Stopped(soon + timedelta(minutes=minutes)), 4)
        await sweeper.run()
        named += [e.data.name for _, e in await said(empty)]
    assert named[0] == named[1] != named[2]


async def test_a_lot_born_past_its_date_is_found_when_the_sweep_begins_anew(empty):
    one_shard = OneShard(0)
    stopped = Stopped(one_shard.at + timedelta(days=9))
    sweeper = jobs.Sweeper(empty, stopped, 4)

    def sale(days):
        expiry = one_shard.at - timedelta(days=days)
        return one_shard.envelope(
            one_shard.transaction("purchase", BAKER, awards=(award(10, expires_at=expiry),))
        )

    await postgres.post(empty, postgres.events(0, [sale(1)]))
    await sweeper.run()
    assert len(await said(empty)) == 1
    await postgres.post(empty, postgres.events(0, [sale(30)]))
    swept = []
    for _ in range(8):
        await sweeper.run()
        swept += [e.data.lot for _, e in await said(empty)]
    assert len(set(swept)) == 2


async def test_every_shard_ticks_once_a_minute(empty):
    stopped = Stopped(OneShard().at)
    ticker = jobs.Ticker(empty, stopped, 4, sandbox=True)
    await ticker.run()
    found = await said(empty)
    assert [at for at, _ in found] == [0, 1, 2, 3]
    assert len({e.data.name for _, e in found}) == 1
    await ticker.run()
    assert await said(empty) == []
    stopped.at += timedelta(minutes=1)
    await ticker.run()
    assert len(await said(empty)) == 4
    heard = await postgres.post(empty, events(3, found))
    assert postgres.outcomes(heard)[0].status.value == "completed"


async def test_a_clock_that_is_off_says_nothing(empty):
    off = jobs.Ticker(empty, Stopped(clock.wall() + timedelta(seconds=2)), 4, sandbox=False)
    await off.run()
    assert await said(empty) == []
    right = jobs.Ticker(empty, clock.SystemClock(), 4, sandbox=False)
    await right.run()
    assert len(await said(empty)) == 4


async def test_a_tick_frees_what_is_due_on_an_idle_shard(empty):
    one_shard = OneShard(1)
    due = one_shard.at + timedelta(hours=72)
    sale = one_shard.envelope(
        one_shard.transaction("purchase", BAKER, awards=(award(10),), review_due_at=due)
    )
    await postgres.post(empty, postgres.events(1, [sale]))
    ticker = jobs.Ticker(empty, Stopped(due), 4, sandbox=True)
    await ticker.run()
    await postgres.post(empty, events(1, await said(empty)))
    async with empty.read() as tx:
        assert await tx.fetchval("select decided_at from shards where shard = 1") == due


async def test_the_jobs_of_the_room_run(empty, settings):
    stopped = Stopped(OneShard().at)
    made = jobs.jobs(empty, stopped, settings)
    assert [job.name for job in made] == [
        "sweep-due-lots", "sweep-due-holds", "advance-clock", "extend-ranges",
    ]  # fmt: skip
    assert all(job.elected for job in made)
    for job in made:
        await job.run()
    assert len(await said(empty)) == settings.shards


async def test_checkpoints_are_published_every_ten_seconds_with_a_key_that_signs(empty, tmp_path):
    key = tmp_path / "key.pem"
    private = Ed25519PrivateKey.generate()
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    given = Settings(
        room="ledger", kafka_bootstrap="", http_port=1, actor_secret="s", shards=4,
        checkpoint_folder=str(tmp_path), checkpoint_key_file=str(key), checkpoint_origin="test/l",
    )  # fmt: skip
    one_shard = OneShard(2)
    archive = Archive(tmp_path)
    job = log_jobs.publisher(empty, Stopped(generators.START), archive, given)
    assert (job.name, job.every_s, job.elected) == ("publish-checkpoints", 10.0, True)
    said = one_shard.envelope(one_shard.transaction("purchase", BAKER, awards=(award(10),)))
    await postgres.post(empty, postgres.events(2, [said]))
    await job.run()
    found = checkpoints.verify(archive.last(2) or "", origin="test/l", key=private.public_key())
    assert (found.shard, found.size, found.at) == (2, 1, generators.START)
    key.chmod(0o644)
    with pytest.raises(SettingsError, match="others"):
        log_jobs.publisher(empty, Stopped(one_shard.at), archive, given)
