"""What the ledger would say next is sayable, or refused: shards that are not there."""

import pytest

from contracts import envelope as envelopes
from contracts.value import ReceiveBudget, ReceiveValue, ReissueCard, SendBudget, SendValue
from contracts.values import Kind, Unit
from ledger.posting import usecases
from verifier import review
from verifier.model.decode import decode_command

from . import generators, postgres
from .one_shard import ACCOUNT, BAKER, GROCER, OneShard

SHARDS = 12
FIELDS = {
    SendValue: {
        "account": ACCOUNT, "member": 1, "unit": Unit.NETWORK_POINTS, "amount": 5, "to_account": 7,
        "to_member": 7,
    },
    ReissueCard: {"account": ACCOUNT, "to_account": 7, "by": "op", "reason": "lost"},
    SendBudget: {"party": BAKER, "campaign": 0, "amount_rial": 5},
    ReceiveValue: {
        "account": ACCOUNT, "member": 1, "from_sequence": 1, "from_account": 7, "from_member": 7,
        "parcels": (),
    },
    ReceiveBudget: {"party": BAKER, "campaign": 0, "amount_rial": 5, "from_sequence": 1},
}  # fmt: skip


def command(kind, shard, n):
    """A command that has us speak to a shard."""
    field = "from_shard" if kind in (ReceiveValue, ReceiveBudget) else "to_shard"
    return kind(name=f"a.{ACCOUNT}.c{n}", **FIELDS[kind], **{field: shard})


@pytest.mark.parametrize("kind", FIELDS)
async def test_a_shard_that_is_not_there_is_refused_with_the_reason(database, shard, kind):
    at = generators.START
    bodies = [command(kind, there, n) for n, there in enumerate((SHARDS, 500, 2**15 - 1))]
    heard = postgres.events(shard, [generators.wrap(body, at) for body in bodies])
    async with database.transaction() as tx:
        await usecases.post_batch(tx, heard, shards=SHARDS)
        said = tx.take_messages()
    told = postgres.outcomes(said)
    assert [(one.status, one.code) for one in told] == [("refused", "no-such-shard")] * 3
    assert {message.topic for message in said} == {"ledger.entries", "gateway.replies"}
    assert postgres.answers(said) == [None] * 3  # no till asked
    for event in heard:
        refused = decode_command(event.raw)
        assert refused is not None
        assert review.is_the_ledgers_own("no-such-shard", refused)


async def test_a_shard_that_is_there_is_spoken_to(database, shard):
    at, body = generators.START, command(SendBudget, 11, 1)
    heard = postgres.events(shard, [generators.wrap(body, at)])
    async with database.transaction() as tx:
        await usecases.post_batch(tx, heard, shards=SHARDS)
        (outcome,) = postgres.outcomes(tx.take_messages())
    assert outcome.code != "no-such-shard"


def test_the_auditor_believes_it_of_no_other_command():
    one_shard = OneShard()
    raw = envelopes.encode(one_shard.envelope(one_shard.transaction(Kind.PURCHASE, GROCER)))
    sale = decode_command(raw)
    assert sale is not None
    assert not review.is_the_ledgers_own("no-such-shard", sale)
