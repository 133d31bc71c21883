"""Batches on the real database: the model agrees, a second delivery changes nothing."""

import random
from collections import Counter, defaultdict

import msgspec
import pytest

from . import agreement, generators, invariants, postgres
from .oracle import SecondModel


@pytest.mark.parametrize("seed", range(8))
async def test_stories_agree_with_the_model_and_every_batch_twice_changes_nothing(
    database, shard, seed
):
    model = SecondModel(shard)
    story = generators.of_model(seed + 1000, model)
    for _ in range(6):
        batch = story.batch(25)
        expected = [model.hear(envelope) for envelope in batch]
        heard = postgres.events(shard, batch)
        first = await postgres.post(database, heard)
        before = await postgres.tables(database, shard)
        again = await postgres.post(database, heard)
        assert await postgres.tables(database, shard) == before
        assert postgres.outcomes(again) == []
        assert postgres.replies(again) == postgres.replies(first)
        assert len(postgres.replies(first)) == len(
            [1 for one in expected if one.disposition != "unknown-replay"]
        )
        for place, one in enumerate(expected):
            http, body = postgres.replies(first).get(place, (0, b"null"))
            if one.disposition == "conflicting":
                assert http == 422
                assert b"name-used-with-another-payload" in body
            elif body != b"null":
                answer = msgspec.json.decode(body)
                assert (answer["status"], answer.get("code", "")) == (one.status, one.code)
        await agreement.check_tables(database, model)
        await invariants.check_book(database, shard)


async def test_batches_cut_otherwise_give_identical_tables(database, shards):
    told = generators.Story(77, lots=dict).batch(160)
    rng, found = random.Random(3), []
    for sizes in ([160], [1] * 160, [rng.randrange(1, 30) for _ in range(160)]):
        shard, start = next(shards), 0
        for size in sizes:
            piece = told[start : start + size]
            start += size
            if piece:
                await postgres.post(database, postgres.events(shard, piece))
        whole = await postgres.tables(database, shard)
        whole["leaves"] = [  # an answer's id begins with its shard
            (*row[:5], *(a and a.replace(f'"{shard}.'.encode(), b'"') for a in row[5:]))
            for row in whole["leaves"]
        ]
        whole["shards"] = [row[:3] for row in whole["shards"]]  # and so the roots differ
        found.append(whole)
    assert found[0] == found[1] == found[2]


async def test_one_poll_over_many_shards_is_one_batch(database, shards):
    first, second = next(shards), next(shards)
    a = postgres.events(first, generators.Story(5).batch(40))
    b = postgres.events(second, generators.Story(6).batch(40))
    await postgres.post(database, [*a, *b])
    for shard, seed in ((first, 5), (second, 6)):
        model = SecondModel(shard)
        for envelope in generators.Story(seed).batch(40):
            model.hear(envelope)
        await agreement.check_tables(database, model)
        await invariants.check_book(database, shard)


async def test_outcomes_of_the_platform_add_up_to_the_book(database, shard):
    said = []
    story = generators.Story(4242)
    for _ in range(8):
        said += await postgres.post(database, postgres.events(shard, story.batch(30)))
    told = postgres.outcomes(said)
    sums, points = defaultdict(int), Counter()
    for outcome in told:
        for entry in outcome.entries:
            sums[entry.owner, entry.role, entry.unit.value, entry.counterparty] += entry.amount
        points["left"] += sum(lot.amount for lot in outcome.lots if not lot.parent)
        for move in outcome.moves:
            points["left"] += move.amount if move.movement == "restored" else -move.amount
    assert {k: v for k, v in sums.items() if v} == await postgres.balances_of(database, shard)
    async with database.read() as tx:
        left = await tx.fetchval("select sum(remaining) from lots where shard = $1", shard)
    assert points["left"] == left
    assert len({o.name for o in told}) == len(told)
