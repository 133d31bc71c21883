"""A command whose clock was ahead of its record's: refused, and the shard's time stays (C8)."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.ledger import AdvanceClock
from ledger import settings
from ledger.log.domain import leaves, records
from ledger.posting import usecases
from ledger.posting.decide import commands
from verifier import leaves as their_leaves
from verifier import review
from verifier.findings import Findings
from verifier.model.decode import decode_command
from verifier.state import State

from . import generators, invariants, postgres, sealing
from .one_shard import ACCOUNT, BAKER, OneShard, award, terms

FAR = datetime(2099, 1, 1, tzinfo=UTC)
BOUND, YEAR = settings.CLOCK_AHEAD_MAX, timedelta(days=365)


def tick(name, at):
    return generators.wrap(AdvanceClock(name=f"k.{name}"), at)


def sale(one_shard, at):
    body = one_shard.transaction(
        "purchase", BAKER, awards=(award(100, expires_at=one_shard.at + YEAR),)
    )
    return generators.wrap(body, at)


def record(shard, envelope, at, **fields):
    (event,) = postgres.events(shard, [envelope])
    return replace(event, at=at, **fields)


async def post(database, *batch, ahead_max: timedelta | None = BOUND):
    async with database.transaction() as tx:
        await usecases.post_batch(tx, batch, ahead_max=ahead_max)
        return tx.take_messages()


async def test_a_clock_far_ahead_does_not_spoil_its_shard(database, shard):
    one_shard = OneShard()
    said = await post(
        database,
        record(shard, sale(one_shard, one_shard.at), one_shard.at),
        record(shard, tick(1, FAR), one_shard.at),
        record(shard, sale(one_shard, FAR), one_shard.at),
    )
    told = postgres.outcomes(said)
    assert [(one.status, one.code) for one in told] == [
        ("completed", ""), ("refused", "clock-ahead"), ("refused", "clock-ahead"),
    ]  # fmt: skip
    assert {one.decided_at for one in told} == {one_shard.at}
    assert postgres.answers(said)[-1]["code"] == "clock-ahead"
    assert "ساعت" in postgres.answers(said)[-1]["fa"]
    paid = one_shard.transaction("redemption", BAKER, redemption=terms(100))
    spent = await post(database, record(shard, generators.wrap(paid, one_shard.at), one_shard.at))
    assert postgres.outcomes(spent)[0].status == "completed"
    await invariants.check_book(database, shard)


@pytest.mark.parametrize(("ahead", "code"), [
    (BOUND, ""), (BOUND + timedelta(microseconds=1), "clock-ahead"), (-YEAR, ""),
])  # fmt: skip
async def test_the_bound_is_a_minute_beyond_the_record(database, shard, ahead, code):
    at = generators.START
    said = await post(database, record(shard, tick(2, at + ahead), at))
    assert [one.code for one in postgres.outcomes(said)] == [code]


async def test_a_platform_with_its_own_clock_has_no_guard(database, shard):
    said = await post(database, record(shard, tick(3, FAR), generators.START), ahead_max=None)
    assert [(one.code, one.decided_at) for one in postgres.outcomes(said)] == [("", FAR)]


async def test_a_copy_from_the_archive_is_judged_by_when_its_first_was_appended(database, shards):
    """The replay comes years later; the same is refused, the same accepted, root for root."""
    one_shard, later = OneShard(), FAR + YEAR
    batch = [
        (sale(one_shard, one_shard.at), one_shard.at),
        (tick(4, FAR), one_shard.at),
        (tick(5, one_shard.at), one_shard.at),
    ]
    micros = str(int(one_shard.at.timestamp()) * 1_000_000).encode()
    headers = {"replay": b"1", "appended-at": micros}
    one, other = next(shards), next(shards)
    first = await post(database, *[record(one, envelope, at) for envelope, at in batch])
    again = await post(
        database, *[record(other, envelope, later, headers=headers) for envelope, _ in batch]
    )
    codes = [(o.code, o.decided_at) for o in postgres.outcomes(first)]
    assert [(o.code, o.decided_at) for o in postgres.outcomes(again)] == codes
    assert [code for code, _ in codes] == ["", "clock-ahead", ""]


def test_the_auditor_believes_it_only_of_a_clock_that_was_ahead():
    one_shard = OneShard()
    rows, state = sealing.Rows(), State(one_shard.shard)

    def judged(envelope, *, ahead):
        command = records.command_from(one_shard.shard, envelopes.encode(envelope))
        decided = one_shard.book.shard(one_shard.shard).decided_at
        result = commands.decide_one(one_shard.book, replace(command, ahead=ahead))
        assert result.decision is not None
        leaf = registry_leaf(rows, result.decision)
        findings = Findings(one_shard.shard)
        review.review(state, leaf, decode_command(leaf.head[5]), lambda _: None, findings)
        assert result.decision.code != "clock-ahead" or result.decision.decided_at == decided
        return findings.count

    assert judged(sale(one_shard, one_shard.at), ahead=False) == 0
    assert judged(tick(6, FAR), ahead=True) == 0
    assert judged(sale(one_shard, FAR), ahead=True) == 0
    assert judged(sale(one_shard, one_shard.at), ahead=True) > 0  # the ledger lies
    assert msgspec.json.decode(one_shard.book.known[one_shard.shard, "k.6"].answer) is None
    assert one_shard.book.member(one_shard.shard, ACCOUNT).lots


def registry_leaf(rows, decision):
    return their_leaves.from_bytes(leaves.encode(rows.leaf(decision)))
