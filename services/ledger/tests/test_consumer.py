"""The road's door: names, repeats, other payloads, poison, inquiries, replays."""

import hashlib
from datetime import timedelta
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.ledger import Inquire, Offer
from contracts.pos import AnswerLine, Line
from contracts.topics import LEDGER_COMMANDS
from contracts.values import Channel, Kind, Reason
from kit.base.db import DataError
from kit.stream.consumer import Poison
from ledger.posting import consumer, usecases

from . import generators, postgres
from .one_shard import ACCOUNT, BAKER, GROCER, OneShard, award, terms


async def post(database, shard, *said, headers=()):
    return await postgres.post(database, postgres.events(shard, list(said), headers=headers))


def bought(one_shard, points=100, **fields):
    return one_shard.envelope(
        one_shard.transaction(Kind.PURCHASE, BAKER, awards=(award(points),), **fields)
    )


def test_the_door_hears_ledger_commands_and_lets_poison_pass():
    (subscription,) = consumer.SUBSCRIPTIONS
    assert subscription.topic is LEDGER_COMMANDS
    assert subscription.poison is Poison.PASS
    assert set(subscription.decoders) == set(LEDGER_COMMANDS.events)
    refuse = subscription.refuse
    assert isinstance(refuse, partial)
    assert refuse.func is usecases.refuse_record
    assert (refuse.args, refuse.keywords) == ((), {"ahead_max": None})


async def test_a_reply_goes_to_whoever_waits_and_carries_the_stored_bytes(database, shard):
    said = await post(database, shard, bought(OneShard()), headers=(("traceparent", b"t" * 55),))
    reply = next(m for m in said if m.topic == "gateway.replies")
    assert (reply.partition, reply.key) == (2, b"0")
    assert dict(reply.headers) == {"correlation-id": b"0", "traceparent": b"t" * 55}
    stored = (await postgres.tables(database, shard))["leaves"][0][5]
    assert postgres.replies(said)[0] == (200, stored)
    outcome = next(m for m in said if m.topic == "ledger.entries")
    assert (outcome.partition, outcome.key) == (shard, str(ACCOUNT).encode())
    assert bytes(postgres.outcomes(said)[0].answer) == stored


async def test_every_outcome_said_reads_back_as_itself(database, shard):
    said = []
    for seed in (21, 22, 23):
        said += await postgres.post(
            database, postgres.events(shard, generators.Story(seed).batch(60))
        )
    told = postgres.outcomes(said)
    assert len({outcome.command for outcome in told}) >= 7
    for message, outcome in zip(
        [m for m in said if m.topic == "ledger.entries"], told, strict=True
    ):
        again = envelopes.decode(message.value, {"outcome-recorded.v1": type(outcome)})
        assert envelopes.encode(again) == message.value


async def test_nobody_waits_for_what_has_no_reply_address(database, shard):
    event = postgres.events(shard, [bought(OneShard())])[0]
    said = await postgres.post(database, [msgspec.structs.replace(event, headers={})])
    assert {m.topic for m in said} == {"ledger.entries"}


def changed(body):
    """The same name with each of the caller's fields changed in turn."""
    return [
        replace(body, amount_rial=body.amount_rial + 1),
        replace(body, kind=Kind.REDEMPTION),
        replace(body, lines=(Line(line=1, amount_rial=5),)),
        replace(body, terminal=body.terminal + 1),
        replace(body, identifier_id="other"),
        replace(body, original="t.1.1.1"),
        replace(body, channel=Channel.ONLINE),
    ]


async def test_a_name_used_with_another_payload_is_422_and_posts_nothing(database, shard):
    one_shard = OneShard()
    first = bought(one_shard)
    await post(database, shard, first)
    before = await postgres.tables(database, shard)
    others = [one_shard.envelope(body) for body in changed(first.data)]
    for together in ([o] for o in others):
        said = await post(database, shard, *together)
        ((status, body),) = postgres.replies(said).values()
        problem = msgspec.json.decode(body)
        assert (status, problem["code"]) == (422, "name-used-with-another-payload")
        assert problem["fa"]
        assert problem["detail"]
        assert postgres.outcomes(said) == []
    said = await post(database, shard, *others, first)
    assert [s for s, _ in postgres.replies(said).values()] == [422] * len(others) + [200]
    assert await postgres.tables(database, shard) == before


@pytest.mark.parametrize("accepted", [True, False])
async def test_repeats_inside_one_batch_get_the_first_answer(database, shard, accepted, declines):
    one_shard = OneShard()
    first = bought(one_shard)
    if not accepted:
        first = one_shard.envelope(
            one_shard.transaction(Kind.REDEMPTION, GROCER, redemption=terms(5))
        )
    other = replace(first, fingerprint="0" * 32)
    later = replace(first, accepted_at=first.accepted_at + timedelta(seconds=9))
    said = await post(database, shard, first, later, other, first)
    answered = postgres.replies(said)
    told = postgres.answers(said)[0].get("code")
    assert declines() == ([] if accepted else [f"{shard}.{first.data.name} {told}"])
    assert answered[0] == answered[1] == answered[3]
    assert answered[2][0] == 422
    assert len(postgres.outcomes(said)) == 1
    assert len((await postgres.tables(database, shard))["leaves"]) == 1


async def test_a_repeat_is_answered_as_first_whatever_a_stage_says_now(database, shard):
    one_shard = OneShard()
    first = bought(one_shard)
    said = await post(database, shard, first)
    no = Reason(code="limit", fa="نه", en="no")
    declined = replace(first, data=replace(first.data, decline=(no,), awards=()))
    assert postgres.replies(await post(database, shard, declined)) == postgres.replies(said)


async def test_a_decline_of_a_stage_is_stored_and_answered(database, shard, declines):
    one_shard = OneShard()
    no = Reason(code="too-old", fa="دیر رسید", en="too old", rule="age", version=3)
    said = await post(database, shard, bought(one_shard, decline=(no,)))
    (answer,) = postgres.answers(said)
    assert (answer["status"], answer["code"], answer["fa"]) == ("declined", "too-old", "دیر رسید")
    assert declines() == []  # that stage's log has it
    assert answer["reasons"] == [
        {"code": "too-old", "fa": "دیر رسید", "en": "too old", "rule": "age", "version": 3}
    ]


async def test_an_undecodable_record_gets_an_outcome_under_the_hash_of_its_bytes(database, shard):
    one_shard = OneShard()
    raw = b'{"not": "ours\xff'
    poison = postgres.undecodable(shard, raw)
    good = postgres.events(shard, [bought(one_shard)])[0]
    said = await postgres.post(database, [poison, good, poison])
    digest = hashlib.sha256(raw).hexdigest()
    found = await postgres.tables(database, shard)
    assert [row[0] for row in found["outcomes"]] == [good.data.name, f"u.{digest}"]
    assert found["leaves"][0][2:5] == ("refused", "undecodable", raw)
    assert [o.code for o in postgres.outcomes(said)] == ["undecodable", ""]
    again = await postgres.post(database, [poison])
    assert postgres.outcomes(again) == []
    assert await postgres.tables(database, shard) == found


async def test_a_name_that_cannot_be_stored_counts_as_undecodable(database, shard):
    one_shard = OneShard()
    for name in ("a\x00b", "x" * 201, ""):
        said = await post(database, shard, bought(one_shard, name=name))
        assert [o.code for o in postgres.outcomes(said)] == ["undecodable"]


async def test_what_the_database_refuses_becomes_a_refusal_and_the_shard_moves_on(database, shard):
    one_shard = OneShard()
    bad = one_shard.envelope(
        one_shard.transaction(Kind.PURCHASE, BAKER, awards=(award(1, rule="a\x00b"),))
    )
    (event,) = postgres.events(shard, [bad])
    with pytest.raises(DataError):
        await postgres.post(database, [event])
    async with database.transaction() as tx:
        await usecases.refuse_record(tx, event, "bad-datum: NUL")
        said = tx.take_messages()
    (answer,) = postgres.answers(said)
    assert (answer["status"], answer["code"]) == ("refused", "could-not-be-decided")
    assert postgres.answers(await postgres.post(database, [event])) == [answer]
    assert (
        postgres.answers(await post(database, shard, bought(one_shard)))[0]["status"] == "completed"
    )


def offer(share_bp):
    return Offer(price_rial=100, price_points=1, redeem_max_share_bp=share_bp)


def inquiry(one_shard, **fields):
    given = {
        "name": one_shard.name(), "account": ACCOUNT, "amount_rial": 10_000, "merchant": GROCER,
        "acceptor": GROCER, "would_earn_points": 3, "offer": offer(5_000),
        "lines": (AnswerLine(line=1, points=3, rule="base"),),
    }  # fmt: skip
    body = Inquire(**(given | fields))
    at = one_shard.later(minutes=1)
    return envelopes.Envelope(
        id="i", type="inquire.v1", key=str(ACCOUNT), occurred_at=at, accepted_at=at, data=body
    )


async def test_an_inquiry_previews_and_leaves_nothing(database, shard):
    one_shard = OneShard()
    await post(database, shard, bought(one_shard, 1000))
    before = await postgres.tables(database, shard)
    said = await post(
        database, shard, inquiry(one_shard), inquiry(one_shard, offer=offer(10_000)),
        inquiry(one_shard, decline=(Reason(code="blocked", fa="مسدود", en="blocked"),)),
    )  # fmt: skip
    first, second, third = postgres.answers(said)
    assert (first["redeemable_points"], first["redeemable_rial"]) == (50, 5_000)
    assert first["balance"]["available_points"] == 1000
    assert first["would_earn_points"] == 3
    assert first["lines"] == [{"line": 1, "points": 3, "rule": "base"}]
    assert second["redeemable_points"] == 100
    assert (third["redeemable_points"], third["fa"]) == (0, "مسدود")
    assert postgres.outcomes(said) == []
    assert await postgres.tables(database, shard) == before


async def test_an_inquiry_sees_what_came_before_it_in_the_batch_and_no_replay(database, shard):
    one_shard = OneShard()
    sale, asked = bought(one_shard, 70), inquiry(one_shard)
    answers = postgres.answers(await post(database, shard, sale, asked))
    assert answers[1]["balance"]["points"] == 70
    again = replace(asked, data=replace(asked.data, name=sale.data.name))  # a name that is known
    assert postgres.answers(await post(database, shard, again))[0]["balance"]["points"] == 70
    assert await post(database, shard, asked, headers=(("replay", b"1"),)) == []


async def test_an_archived_record_nobody_knows_posts_nothing(database, shard):
    one_shard = OneShard()
    said = await post(database, shard, bought(one_shard, replayed=True))
    assert said == []
    assert (await postgres.tables(database, shard))["outcomes"] == []
    known = bought(one_shard)
    await post(database, shard, known)
    before = await postgres.tables(database, shard)
    again = replace(known, data=replace(known.data, replayed=True))
    await post(database, shard, again)
    assert await postgres.tables(database, shard) == before


async def test_a_reversal_before_arrival_marks_its_original_for_ever(database, shard):
    one_shard = OneShard()
    sale = bought(one_shard)
    undo = one_shard.envelope(
        one_shard.transaction(
            Kind.REVERSAL, BAKER, original=sale.data.name, account=0, amount_rial=0
        )
    )
    first = await post(database, shard, undo)
    told = postgres.outcomes(first)
    assert [(o.name, o.code) for o in told] == [
        (undo.data.name, "original-not-seen"), (sale.data.name, "reversed-before-arrival"),
    ]  # fmt: skip
    for late in (sale, replace(sale, fingerprint="1" * 32)):
        said = await post(database, shard, late)
        ((status, body),) = postgres.replies(said).values()
        answer = msgspec.json.decode(body)
        assert (status, answer["status"], answer["code"]) == (
            200, "declined", "reversed-before-arrival",
        )  # fmt: skip
        assert postgres.outcomes(said) == []
    found = await postgres.tables(database, shard)
    assert [row[1:] for row in found["outcomes"] if row[0] == sale.data.name] == [(None, 1)]
    assert postgres.answers(await post(database, shard, undo)) == postgres.answers(first)


async def test_the_topic_played_again_changes_nothing_and_rebuilds_an_empty_ledger(
    database, empty, shard
):
    told = [e for seed in (31, 32) for e in generators.Story(seed).batch(80)]
    told = [replace(e, id=f"{n}") for n, e in enumerate(told)]
    heard = postgres.events(shard, told)
    for start in range(0, len(heard), 25):
        await postgres.post(database, heard[start : start + 25])
    before = await postgres.tables(database, shard)
    for start in range(0, len(heard), 40):
        assert postgres.outcomes(await postgres.post(database, heard[start : start + 40])) == []
    assert await postgres.tables(database, shard) == before
    for start in range(0, len(heard), 33):
        await postgres.post(empty, heard[start : start + 33])
    assert await postgres.tables(empty, shard) == before


async def test_decision_time_never_falls(database, shard):
    one_shard = OneShard()
    first, second = bought(one_shard), bought(one_shard)
    early = replace(second, accepted_at=first.accepted_at - timedelta(hours=1))
    await post(database, shard, first, early)
    times = [row[1] for row in (await postgres.tables(database, shard))["leaves"]]
    assert times == [first.accepted_at, first.accepted_at]
