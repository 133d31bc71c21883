"""Batches on the real database: the model agrees, a second delivery changes nothing."""

import random
from collections import Counter, defaultdict

import msgspec
import pytest

from . import house_of, model, stories


async def balances_of(database, shard):
    async with database.read() as tx:
        rows = await tx.fetch(
            "select owner, role, unit, counterparty, balance from accounts where shard = $1", shard
        )
    return {tuple(row)[:4]: row["balance"] for row in rows if row["balance"]}


async def check_book(database, shard):
    """The book adds up by itself: from entries and consumptions alone."""
    async with database.read() as tx:
        off = await tx.fetch(
            "select a.account_id from accounts a left join entries e using (shard, account_id)"
            " where shard = $1 group by shard, a.account_id, a.balance, a.entry_count"
            " having a.balance <> sum(e.amount) or a.entry_count <> count(*)"
            " or a.entry_count <> max(e.account_sequence)", shard,
        )  # fmt: skip
        assert not off
        wrong = await tx.fetch(
            "select l.lot from lots l join lot_states s using (shard, lot) left join consumptions c"
            " using (shard, lot) where shard = $1 group by shard, l.lot, l.amount, l.cost_rial,"
            " l.parent, s.remaining, s.cost_left having"
            " case when l.parent is null then l.amount else 0 end + coalesce(sum(case c.what"
            "  when 'restored' then c.amount else -c.amount end), 0) <> s.remaining or"
            " case when l.parent is null then l.cost_rial else 0 end + coalesce(sum(case c.what"
            "  when 'restored' then c.cost_rial else -c.cost_rial end), 0) <> s.cost_left", shard,
        )  # fmt: skip
        assert not wrong
        numbers = await tx.fetchrow(
            "select count(*) as n, max(sequence) as last from bodies where shard = $1", shard
        )
        assert numbers["n"] == (numbers["last"] or 0)


@pytest.mark.parametrize("seed", range(8))
async def test_stories_agree_with_the_model_and_every_batch_twice_changes_nothing(
    database, shard, seed
):
    plain = model.Model()
    story = stories.Story(
        seed + 1000, lots=lambda: {n: lot["account"] for n, lot in plain.lots.items()}
    )
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
        assert await balances_of(database, shard) == {
            key: amount for key, amount in plain.accounts.items() if amount
        }
        lots = {row[0]: row[1:3] for row in before["lot_states"]}
        assert lots == {n: (lot["left"], lot["cost"]) for n, lot in plain.lots.items()}
        await check_book(database, shard)


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
        for name in ("bodies",):  # an answer's id begins with its shard
            whole[name] = [
                (*row[:5], *(a and a.replace(f'"{shard}.'.encode(), b'"') for a in row[5:]))
                for row in whole[name]
            ]
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
        assert await balances_of(database, shard) == {k: v for k, v in plain.accounts.items() if v}
        await check_book(database, shard)


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
            points["left"] += move.amount if move.what == "restored" else -move.amount
    assert {k: v for k, v in sums.items() if v} == await balances_of(database, shard)
    async with database.read() as tx:
        left = await tx.fetchval("select sum(remaining) from lot_states where shard = $1", shard)
    assert points["left"] == left
    assert len({o.name for o in told}) == len(told)
