"""What crosses shards, on the real database: said through the outbox, heard twice, never lost."""

import os
import random
from collections import Counter

import pytest
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.ledger import COMMANDS, IssueValue
from contracts.topics import LEDGER_COMMANDS
from contracts.value import AccountStatus, ReceiveValue, ReturnValue, SendValue, SetStanding
from contracts.values import Unit
from kit.stream.outbox import StreamSequences
from ledger.posting import usecases

from . import agreement, generators, invariants, network_generators, postgres
from .oracle import SecondModel

SEEDS = int(os.environ.get("SEEDS", "50"))
ALI, SARA, BAKER = 1000001, 1000002, 5


def commands_said(said):
    """(shard, envelope) of each command that the ledger said."""
    return [
        (message.partition or 0, envelopes.decode(message.value or b"", COMMANDS))
        for message in said if message.topic == LEDGER_COMMANDS.name
    ]  # fmt: skip


def at(shard, body, minute):
    """A record of a shard."""
    said = generators.wrap(body, generators.START.replace(minute=minute))
    return postgres.events(shard, [said])[0]


def issued(amount=100):
    return IssueValue(
        name="a.1000001.gift", account=ALI, member=1, unit=Unit.NETWORK_POINTS, amount=amount,
        cost_rial=amount * 100, issuer=BAKER, funder=1, rule="base", rule_version=3,
    )  # fmt: skip


def sent(to_shard, amount=70, number=1):
    return SendValue(
        name=f"a.1000001.send-{number}", account=ALI, member=1, unit=Unit.NETWORK_POINTS,
        amount=amount, to_shard=to_shard, to_account=SARA, to_member=2, purpose="gift",
    )  # fmt: skip


async def transit(database, shards):
    """Transit by unit and issuer, over shards, where it is not zero."""
    sums = Counter()
    for shard in shards:
        for (_, role, unit, party), amount in (await postgres.balances_of(database, shard)).items():
            if role == "transit":
                sums[unit, party] += amount
    return {key: amount for key, amount in sums.items() if amount}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("closed", [True, False])
async def test_a_gift_between_shards_arrives_or_comes_back_once(database, shards, together, closed):
    here, there = next(shards), next(shards)
    standing = SetStanding(
        name="p.1.close", standing=AccountStatus.CLOSED, by="ops", reason="r", account=SARA
    )
    first = [at(here, issued(), 1), at(here, sent(there), 2)]
    other = [at(there, standing, 1)] if closed else [at(there, issued(), 1)]
    said = []
    for piece in [first + other] if together else [first, other]:
        said += await postgres.post(database, piece)
        assert commands_said(await postgres.post(database, piece)) == []
    assert await transit(database, (here, there)) == {("NP", BAKER): 70}
    seen = []
    for _ in range(3):
        said = commands_said(said)
        seen += [(to, type(envelope.data)) for to, envelope in said]
        heard = [postgres.events(to, [envelope])[0] for to, envelope in said for _ in (1, 2)]
        said = await postgres.post(database, heard) if heard else []
        again = await postgres.post(database, heard) if heard else []
        assert commands_said(again) == []
    assert seen == ([(there, ReceiveValue), (here, ReturnValue)] if closed
                    else [(there, ReceiveValue)])  # fmt: skip
    assert await transit(database, (here, there)) == {}
    value = {
        account: amount
        for shard in (here, there)
        for (account, role, *_), amount in (await postgres.balances_of(database, shard)).items()
        if role == "value" and (shard, account) != (there, ALI)
    }
    assert value == ({ALI: 100} if closed else {ALI: 30, SARA: 70})
    for shard in (here, there):
        await invariants.check_book(database, shard)


async def test_what_is_said_has_one_stream_a_lane_and_counts_on(database, shards):
    here, there = next(shards), next(shards)
    topic = LEDGER_COMMANDS.name
    numbers = StreamSequences("ledger", "road", 1, {})
    said = await postgres.post(database, [at(here, issued(), 1), at(here, sent(there), 2)])
    alone = [b for b in numbers.plan(said, [(topic, here)]) if b.topic == topic]
    assert [(b.source, b.partition, b.first_n) for b in alone] == [((topic, here), there, 1)]
    numbers.settle(alone)
    more = [at(there, issued(), 3), at(here, sent(there, 5, 2), 4), at(here, sent(there, 5, 3), 5)]
    said = await postgres.post(database, more)
    lanes = [(topic, here), (topic, there)]
    both = [b for b in numbers.plan(said, lanes) if b.topic == topic]
    assert [(b.source, b.partition, b.first_n, len(b.messages)) for b in both] == [
        ((topic, there), there, 1, 2)
    ]
    numbers.settle(both)
    said = await postgres.post(database, [at(here, sent(there, 5, 4), 6)])
    later = [b for b in numbers.plan(said, [(topic, here)]) if b.topic == topic]
    assert [(b.stream, b.first_n) for b in later] == [(alone[0].stream, 2)]


async def test_an_archived_send_says_nothing_and_its_archived_receive_is_heard(database, shards):
    here, there = next(shards), next(shards)
    live = await postgres.post(database, [at(here, issued(), 1), at(here, sent(there), 2)])
    ((to, receive),) = commands_said(live)
    other, elsewhere = next(shards), next(shards)
    replay = (("replay", b"1"),)
    archive = [generators.wrap(body, generators.START) for body in (issued(), sent(elsewhere))]
    said = await postgres.post(database, postgres.events(other, archive, headers=replay))
    assert commands_said(said) == []
    await postgres.post(database, postgres.events(elsewhere, [receive], headers=replay))
    assert to == there
    assert (await postgres.balances_of(database, elsewhere))[SARA, "value", "NP", 0] == 70


async def test_a_receive_that_the_database_refuses_goes_back(database, shards):
    here, there = next(shards), next(shards)
    said = await postgres.post(database, [at(here, issued(), 1), at(here, sent(there), 2)])
    ((to, receive),) = commands_said(said)
    (event,) = postgres.events(to, [receive])
    async with database.transaction() as tx:
        await usecases.refuse_record(tx, event, "bad-datum")
        said = tx.take_messages()
    ((home, back),) = commands_said(said)
    assert (home, back.data.original, back.data.code) == (
        here, "a.1000001.send-1", "could-not-be-decided",
    )  # fmt: skip
    assert commands_said(await postgres.post(database, [event])) == []
    await postgres.post(database, postgres.events(home, [back]))
    assert await transit(database, (here,)) == {}


async def agree(database, models):
    """The database says of every shard what its model says."""
    for shard, model in models.items():
        await agreement.check_tables(database, model)
        await invariants.check_book(database, shard)


async def rebuild(database, archive, rng):
    """Hear an archive in an empty ledger, cut otherwise: it says no command again."""
    start = 0
    while start < len(archive):
        size = rng.choice((1, 5, 40, 90))
        piece = [
            replace(event, headers={"replay": b"1"}) for event in archive[start : start + size]
        ]
        assert commands_said(await postgres.post(database, piece)) == []
        start += size


@pytest.mark.parametrize("seed", range(max(4, SEEDS // 12)))
async def test_a_story_between_shards_on_the_database_ends_as_the_model_says(
    database, empty, shards, seed
):
    both = (next(shards), next(shards))
    models = {shard: SecondModel(shard) for shard in both}
    rng, story = random.Random(seed), network_generators.NetworkStory(seed, models)
    way, archive = [], []
    for _ in range(40):
        batch = [story.one() for _ in range(rng.choice((1, 3, 8, 20)))] if len(way) < 8 else []
        rng.shuffle(way)
        batch += [(to, envelope) for to, envelope in way[:4] for _ in (1, 2)]
        way = way[4:]
        batch.sort(key=lambda one: both.index(one[0]))  # a poll has its partitions one by one
        for shard, envelope in batch:
            models[shard].hear(envelope)
        poll = [
            event for shard in both
            for event in postgres.events(shard, [e for to, e in batch if to == shard])
        ]  # fmt: skip
        archive += poll
        messages = await postgres.post(database, poll)
        assert postgres.outcomes(await postgres.post(database, poll)) == []
        way += commands_said(messages)
    await agree(database, models)
    while way:
        to, envelope = way.pop(0)
        models[to].hear(envelope)
        archive += postgres.events(to, [envelope])
        way += commands_said(await postgres.post(database, archive[-1:]))
    await rebuild(empty, archive, rng)
    for shard in both:
        assert await postgres.tables(empty, shard) == await postgres.tables(database, shard)
    assert await transit(database, both) == {}
    await agree(database, models)
