"""Keys, names and payloads through real HTTP: who may ask, and what a name keeps for ever."""

import json
import uuid
from datetime import timedelta

import httpx
import pytest

from cluster import plan
from peyvand import (
    Answer,
    NameReused,
    Original,
    Redeem,
    RefundLine,
    Status,
    requests,
    transport,
)
from peyvand.operators import every

from .counter import ONCE, PATH, Body, Counter, Spoil, first_line, problem_of, put, without
from .participants import GIFT_RIAL, answer_of, body_of, now, until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

# ------------------------------------------------------------------------------------------ keys


async def test_no_key_and_wrong_keys_are_refused(counter: Counter, cluster: plan.Cluster) -> None:
    raw = json.dumps(counter.body()).encode()
    terminal, key = counter.till.terminal, counter.till.key
    wrong = [
        f"{key}x",
        key[:-1],
        f"pvt_{terminal}_{counter.till.key_id}_{'A' * 43}",
        f"pvt_{terminal}_zzzzzzzz_{'A' * 43}",
        f"pvt_2147483646_{counter.till.key_id}_{'A' * 43}",
        "pvt_",
        "hello",
    ]
    told = [(one, "key-unknown") for one in wrong]
    told.append(("pvo_operator_secret", "operator-key-unknown"))
    for one, code in told:
        reply = await counter.hand_in(raw, counter.participants.client(one, options=ONCE))
        assert (reply.status, problem_of(reply)["code"]) == (401, code), one
    async with httpx.AsyncClient(base_url=cluster.url(plan.GATEWAY), timeout=20.0) as anybody:
        reply = await anybody.post(PATH, content=raw)
    assert (reply.status_code, reply.json()["code"]) == (401, "key-missing")


async def test_operator_key_sells_nothing(counter: Counter, cluster: plan.Cluster) -> None:
    client = counter.participants.client(cluster.credentials.operator_key("operator"), options=ONCE)
    reply = await counter.hand_in(json.dumps(counter.body()).encode(), client)
    assert (reply.status, problem_of(reply)["code"]) == (403, "role-missing")


async def test_revoked_key_posts_nothing_but_sees_its_own_names(counter: Counter) -> None:
    participants = counter.participants
    till = await participants.till(counter.shop)
    sold = await till.buy(counter.member, 90_000)
    foreign = await counter.till.buy(counter.member, 90_000)

    await participants.operator.revoke_terminal_key(till.terminal, till.key_id)

    once = participants.client(till.key, options=ONCE)
    refused = await until(
        lambda: counter.hand_in(b"{}", once),  # a good key would hear of its body
        lambda reply: reply.status == 401,
    )
    assert problem_of(refused)["code"] == "key-revoked"
    before = await participants.balance(counter.member)
    body = counter.body() | till.name()._asdict()
    reply = await counter.hand_in(json.dumps(body).encode(), once)
    assert (reply.status, problem_of(reply)["code"]) == (401, "key-revoked")
    assert len(await participants.names_posted(till.terminal)) == 1
    assert await participants.balance(counter.member) == before
    own = await till.client.status(sold.id)
    assert own is not None
    assert own.first_answer == sold
    path = transport.path_of("transactions", foreign.id)
    other = await once.transport.request("GET", path)
    assert (other.status, problem_of(other)["code"]) == (401, "key-revoked")


async def test_rotated_key_gets_the_old_key_s_answers(counter: Counter) -> None:
    participants = counter.participants
    till = await participants.till(counter.shop)
    request = requests.purchase(
        till.name(), counter.member.card, amount_rial=90_000, occurred_at=now()
    )
    first = await till.client.submit(request)
    fresh = await participants.operator.put_terminal_key(till.terminal, uuid.uuid4().hex[:8])

    again = await participants.client(fresh["key"]).submit(request)

    assert body_of(again) == body_of(first)


# ---------------------------------------------------------------------------- the name once more


async def change_is_refused(counter: Counter, body: Body, changed: Body) -> None:
    """The same name with another payload: 422, and the first answer stands."""
    first = await counter.till.client.submit_bytes(json.dumps(body).encode())
    before = await counter.participants.balance(counter.member)
    with pytest.raises(NameReused) as refused:
        await counter.till.client.submit_bytes(json.dumps(changed).encode())
    assert refused.value.status == 422
    assert refused.value.detail
    assert refused.value.fa
    again = await counter.till.client.submit_bytes(json.dumps(body).encode())
    assert body_of(again) == body_of(first)
    assert await counter.participants.balance(counter.member) == before


OTHER: list[tuple[str, Spoil]] = [
    ("amount", lambda b: b | {"amount_rial": 300_001,
                              "lines": [b["lines"][0], b["lines"][1] | {"amount_rial": 100_001}]}),
    ("time", put(occurred_at=(now() - timedelta(minutes=1)).isoformat())),
    ("no lines", without("lines")),
    ("line number", first_line(line=7)),
    ("quantity", first_line(quantity=3)),
    ("sku", first_line(sku="a-2")),
    ("no sku", lambda b: b | {"lines": [{"line": 1, "amount_rial": 200_000, "quantity": 2},
                                        b["lines"][1]]}),
    ("category", lambda b: b | {"lines": [b["lines"][0], b["lines"][1] | {"category": "شیر"}]}),
    ("kind", lambda b: b | {"kind": "redemption", "redeem": {"points": 1}}),
]  # fmt: skip


@pytest.mark.parametrize("change", [o[1] for o in OTHER], ids=[o[0] for o in OTHER])
async def test_name_with_another_payload_is_refused(counter: Counter, change: Spoil) -> None:
    member = await counter.participants.member()  # each with windows of its own
    body = counter.body() | {"identifier": {"card": member.number}}
    await change_is_refused(counter, body, change(body))


async def test_name_with_another_identifier_of_the_account_is_refused(counter: Counter) -> None:
    body = counter.body()
    mobile = {"identifier": {"mobile": counter.member.mobile}}
    await change_is_refused(counter, body, body | mobile)


async def test_name_with_another_account_of_the_shard_is_refused(counter: Counter) -> None:
    neighbour = await counter.participants.member_on(counter.member.shard)
    body = counter.body()
    await change_is_refused(counter, body, body | {"identifier": {"card": neighbour.number}})


async def test_redemption_and_refund_with_another_payload_are_refused(counter: Counter) -> None:
    member = await counter.participants.shopper(counter.till, 300)
    sold = await counter.till.buy(member, 80_000)
    redemption = counter.body() | {
        "kind": "redemption",
        "identifier": {"card": member.number},
        "redeem": {"points": 20, "credit_rial": 1_000},
    }
    for redeem in ({"points": 21, "credit_rial": 1_000}, {"points": 20, "credit_rial": 999}):
        await change_is_refused(counter, redemption, redemption | {"redeem": redeem})
    refund = {
        **counter.till.name()._asdict(),
        "kind": "refund",
        "occurred_at": now().isoformat(),
        "original": {"id": sold.id},
        "refund_lines": [{"line": 1, "amount_rial": 30_000}],
    }
    less = {"refund_lines": [{"line": 1, "amount_rial": 29_999}]}
    await change_is_refused(counter, refund, refund | less)
    await change_is_refused(counter, refund, without("refund_lines")(refund))


async def test_name_on_another_shard_posts_and_fraud_raises_it(counter: Counter) -> None:
    participants, other = counter.participants, counter.other
    body = counter.body()
    first = await counter.till.client.submit_bytes(json.dumps(body).encode())
    changed = body | {"identifier": {"card": other.number}}

    second = await counter.till.client.submit_bytes(json.dumps(changed).encode())

    assert answer_of(second).status is Status.COMPLETED
    assert answer_of(second).id != answer_of(first).id
    name = f"t.{body['terminal']}.{body['epoch']}.{body['sequence']}"

    async def raised() -> list[Body]:
        return [a async for a in every(participants.reviewer.fraud_alerts) if a["name"] == name]

    alert = (await until(raised))[0]
    assert alert["kind"] == "name-with-two-payloads"
    assert {alert["first"]["transaction"], alert["second"]["transaction"]} == {
        answer_of(first).id,
        answer_of(second).id,
    }


# ------------------------------------------------------------------------------- business no's


async def stored(counter: Counter, answer: Answer, code: str) -> None:
    """A decline is stored: its status shows it, and it has words for people."""
    assert (answer.status, answer.code) == (Status.DECLINED, code)
    assert answer.fa
    assert answer.en
    found = await counter.till.client.status(answer.id)
    assert found is not None
    assert found.first_answer == answer


async def test_refund_of_more_than_was_bought_is_declined(counter: Counter) -> None:
    member = await counter.participants.shopper(counter.till, 120)
    sold = await counter.till.buy(member, 120_000)
    before = await counter.participants.balance(member)
    line = RefundLine(line=1, amount_rial=120_001)
    request = requests.refund(
        counter.till.name(), Original(id=sold.id), occurred_at=now(), lines=[line]
    )
    await stored(counter, await counter.till.send(request), "refund-too-large")
    assert await counter.participants.balance(member) == before


async def test_a_refund_that_shows_anothers_card_is_declined_wherever_he_lives(
    counter: Counter,
) -> None:
    """Findings A11: on eleven of twelve shards it completed, and told the buyer's balance."""
    participants = counter.participants
    buyer = await participants.shopper(counter.till, 120)
    sold = await counter.till.buy(buyer, 40_000)
    before = await participants.balance(buyer)
    neighbour = await participants.member_on(buyer.shard)
    other = await participants.member_on((buyer.shard + 1) % participants.cluster.shards)
    for shown in (other, neighbour):
        body = {
            **counter.till.name()._asdict(),
            "kind": "refund",
            "occurred_at": now().isoformat(),
            "original": {"id": sold.id},
            "identifier": {"card": shown.number},
        }
        reply = await counter.till.client.submit_bytes(json.dumps(body).encode())
        answer = answer_of(reply)
        await stored(counter, answer, "another-account")
        assert answer.balance is None or answer.balance.points == 0
    assert await participants.balance(buyer) == before


async def test_redemption_beyond_the_balance_is_a_stored_decline(counter: Counter) -> None:
    member = await counter.participants.shopper(counter.till, 10)
    before = await counter.participants.balance(member)
    for redeem, code in (
        (Redeem(points=11), "insufficient-points"),
        (Redeem(credit_rial=GIFT_RIAL + 1), "insufficient-credit"),
    ):
        request = requests.redemption(
            counter.till.name(), member.card, redeem, amount_rial=900_000, occurred_at=now()
        )
        await stored(counter, await counter.till.send(request), code)
        again = await counter.till.send(request)
        assert again.code == code
    assert await counter.participants.balance(member) == before


async def test_refund_at_another_merchant_is_refused(counter: Counter) -> None:
    sold = await counter.till.buy(await counter.participants.member(), 50_000)
    elsewhere = await counter.participants.till(
        await counter.participants.shop("baker", redeem_max_share_bp=5_000)
    )
    body = {
        **elsewhere.name()._asdict(),
        "kind": "refund",
        "occurred_at": now().isoformat(),
        "original": {"id": sold.id},
    }
    once = counter.participants.client(elsewhere.key, options=ONCE)
    reply = await counter.hand_in(json.dumps(body).encode(), once)
    assert (reply.status, problem_of(reply)["code"]) == (403, "original-of-another-merchant")


async def test_sale_a_second_after_enrolment_works(counter: Counter) -> None:
    for identifier in ("card", "mobile", "qr"):
        member = await counter.participants.member()
        shown = {"card": member.number, "mobile": member.mobile, "qr": member.qr}
        body = counter.body() | {"identifier": {identifier: shown[identifier]}}
        heard = await counter.till.client.submit_bytes(json.dumps(body).encode())
        assert answer_of(heard).points_earned == 300
