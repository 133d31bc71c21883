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


def sale(desk, at):
    body = desk.transaction("purchase", BAKER, awards=(award(100, expires_at=desk.at + YEAR),))
    return generators.wrap(body, at)


def record(shard, envelope, at, **fields):
    (event,) = postgres.events(shard, [envelope])
    return replace(event, at=at, **fields)


async def post(database, *batch, ahead_max=BOUND):
    async with database.transaction() as tx:
        await usecases.post_batch(tx, batch, ahead_max=ahead_max)
        return tx.take_messages()


async def test_a_clock_far_ahead_does_not_spoil_its_shard(database, shard):
    desk = OneShard()
    said = await post(
        database,
        record(shard, sale(desk, desk.at), desk.at),
        record(shard, tick(1, FAR), desk.at),
        record(shard, sale(desk, FAR), desk.at),
    )
    told = postgres.outcomes(said)
    assert [(one.status, one.code) for one in told] == [
        ("completed", ""), ("refused", "clock-ahead"), ("refused", "clock-ahead"),
    ]  # fmt: skip
    assert {one.decided_at for one in told} == {desk.at}
    assert postgres.answers(said)[-1]["code"] == "clock-ahead"
    assert "ساعت" in postgres.answers(said)[-1]["fa"]
    paid = desk.transaction("redemption", BAKER, redemption=terms(100))
    spent = await post(database, record(shard, generators.wrap(paid, desk.at), desk.at))
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
    desk, later = OneShard(), FAR + YEAR
    batch = [(sale(desk, desk.at), desk.at), (tick(4, FAR), desk.at), (tick(5, desk.at), desk.at)]
    micros = str(int(desk.at.timestamp()) * 1_000_000).encode()
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
    desk = OneShard()
    rows, state = sealing.Rows(), State(desk.shard)

    def judged(envelope, *, ahead):
        command = records.command_from(desk.shard, envelopes.encode(envelope))
        decided = desk.book.shard(desk.shard).decided_at
        result = commands.decide_one(desk.book, replace(command, ahead=ahead))
        leaf = registry_leaf(rows, result.decision)
        findings = Findings(desk.shard)
        review.review(state, leaf, decode_command(leaf.head[5]), lambda _: None, findings)
        assert result.decision.code != "clock-ahead" or result.decision.decided_at == decided
        return findings.count

    assert judged(sale(desk, desk.at), ahead=False) == 0
    assert judged(tick(6, FAR), ahead=True) == 0
    assert judged(sale(desk, FAR), ahead=True) == 0
    assert judged(sale(desk, desk.at), ahead=True) > 0  # the ledger lies
    assert msgspec.json.decode(desk.book.known[desk.shard, "k.6"].answer) is None
    assert desk.book.member(desk.shard, ACCOUNT).lots


def registry_leaf(rows, decision):
    return their_leaves.from_bytes(leaves.encode(rows.leaf(decision)))
