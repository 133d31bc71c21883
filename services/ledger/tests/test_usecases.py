"""Batches on the real database: the model agrees, a second delivery changes nothing."""

import random
from collections import Counter, defaultdict

import msgspec
import pytest

from . import house_of, model, stories


@pytest.mark.parametrize("seed", range(8))
async def test_stories_agree_with_the_model_and_every_batch_twice_changes_nothing(
    database, shard, seed
):
    plain = model.Model()
    story = stories.of_model(seed + 1000, plain)
    for _ in range(6):
        batch = story.batch(25)
        expected = [plain.hear(envelope) for envelope in batch]
        heard = house_of.events(shard, batch)
        first = await house_of.post(database, heard)
        before = await house_of.tables(database, shard)
        again = await house_of.post(database, heard)
        assert await house_of.tables(database, shard) == before
        assert house_of.outcomes(again) == []
        assert house_of.replies(again) == house_of.replies(first)
        assert len(house_of.replies(first)) == len(
            [1 for verdict, *_ in expected if verdict != "unknown-replay"]
        )
        for place, (verdict, status, code) in enumerate(expected):
            http, body = house_of.replies(first).get(place, (0, b"null"))
            if verdict == "conflicting":
                assert http == 422
                assert b"name-used-with-another-payload" in body
            elif body != b"null":
                answer = msgspec.json.decode(body)
                assert (answer["status"], answer.get("code", "")) == (status, code)
        assert await house_of.balances_of(database, shard) == {
            key: amount for key, amount in plain.accounts.items() if amount
        }
        await house_of.compare_state(database, shard, plain)
        await house_of.check_book(database, shard)


async def test_batches_cut_otherwise_give_identical_tables(database, shards):
    told = stories.Story(77, lots=dict).batch(160)
    rng, found = random.Random(3), []
    for sizes in ([160], [1] * 160, [rng.randrange(1, 30) for _ in range(160)]):
        shard, start = next(shards), 0
        for size in sizes:
            piece = told[start : start + size]
            start += size
            if piece:
                await house_of.post(database, house_of.events(shard, piece))
        whole = await house_of.tables(database, shard)
        whole["leaves"] = [  # an answer's id begins with its shard
            (*row[:5], *(a and a.replace(f'"{shard}.'.encode(), b'"') for a in row[5:]))
            for row in whole["leaves"]
        ]
        whole["shards"] = [row[:3] for row in whole["shards"]]  # and so the roots differ
        found.append(whole)
    assert found[0] == found[1] == found[2]


async def test_one_poll_over_many_shards_is_one_batch(database, shards):
    first, second = next(shards), next(shards)
    a = house_of.events(first, stories.Story(5).batch(40))
    b = house_of.events(second, stories.Story(6).batch(40))
    await house_of.post(database, [*a, *b])
    for shard, seed in ((first, 5), (second, 6)):
        plain = model.Model()
        for envelope in stories.Story(seed).batch(40):
            plain.hear(envelope)
        assert await house_of.balances_of(database, shard) == {
            k: v for k, v in plain.accounts.items() if v
        }
        await house_of.check_book(database, shard)


async def test_outcomes_of_the_house_add_up_to_the_book(database, shard):
    said = []
    story = stories.Story(4242)
    for _ in range(8):
        said += await house_of.post(database, house_of.events(shard, story.batch(30)))
    told = house_of.outcomes(said)
    sums, points = defaultdict(int), Counter()
    for outcome in told:
        for entry in outcome.entries:
            sums[entry.owner, entry.role, entry.unit.value, entry.counterparty] += entry.amount
        points["left"] += sum(lot.amount for lot in outcome.lots if not lot.parent)
        for move in outcome.moves:
            points["left"] += move.amount if move.movement == "restored" else -move.amount
    assert {k: v for k, v in sums.items() if v} == await house_of.balances_of(database, shard)
    async with database.read() as tx:
        left = await tx.fetchval("select sum(remaining) from lots where shard = $1", shard)
    assert points["left"] == left
    assert len({o.name for o in told}) == len(told)
