"""A till's key is as wide as its till: what it may undo, and what it may not (findings S11)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Raw

from contracts.ledger import Reply
from contracts.merchants import MerchantStanding

from .conftest import Edge, gateway_of, ready, settings_of
from .fakes import (
    CARD,
    OPENED,
    SISTER,
    STRANGER,
    TERMINAL,
    bearer,
    identifier,
    operator,
    programme,
    purchase,
    reply_to,
    terminal,
    terminal_key,
)

MOBILE_OFF = "09129999999"
ORDERED = {"merchant": 12, "order": "S11", "operation": "purchase"}


SOLD = b'{"id":"5.t.1.1.1","kind":"purchase","status":"completed"}'


def sold(event: Any) -> Reply:
    return Reply(name=event.data.name, http_status=200, body=Raw(SOLD))


def undo(kind: str, sequence: int, original: dict[str, Any], **changes: Any) -> dict[str, Any]:
    bare = {"kind": kind, "amount_rial": ..., "lines": ..., "original": original}
    return purchase(sequence, **(bare | changes))


def by_name(terminal: int, sequence: int) -> dict[str, Any]:
    at = OPENED.isoformat()
    return {"terminal": terminal, "epoch": 1, "sequence": sequence, "occurred_at": at}


def by_id(name: str) -> dict[str, Any]:
    return {"id": f"5.{name}"}


# a name that came and one that never did look alike to the gateway: neither may reach the road
OTHERS = [
    pytest.param(by_name(SISTER, 7), id="a sister till's name"),
    pytest.param(by_name(SISTER, 10**15), id="a sister till's name that never came"),
    pytest.param(by_id(f"t.{SISTER}.1.7"), id="a sister till's id"),
    pytest.param(by_name(STRANGER, 7), id="another merchant's name"),
    pytest.param(by_id(f"t.{STRANGER}.1.7"), id="another merchant's id"),
    pytest.param(by_name(77777, 7), id="nobody's name"),
    pytest.param(by_id("h.12.A%2E7.purchase"), id="an imported sale of the merchant"),
]


@pytest.mark.parametrize("original", OTHERS)
async def test_a_till_reverses_no_name_but_its_own(edge: Edge, original: dict[str, Any]) -> None:
    submitted = len(edge.road.submitted)
    identifier = ... if "id" in original else {"card": CARD}
    body = undo("reversal", 400, original, identifier=identifier)
    answer = await edge.post(body)
    assert (answer.status_code, answer.json()["code"]) == (403, "reversal-of-another-terminal")
    assert len(edge.road.submitted) == submitted


async def test_a_till_reverses_its_own_names_come_or_not(edge: Edge) -> None:
    for original in (by_name(TERMINAL, 7), by_name(TERMINAL, 10**15)):
        assert (await edge.post(undo("reversal", 401, original))).status_code == 200
    own = by_id(f"t.{TERMINAL}.1.7")
    assert (await edge.post(undo("reversal", 401, own, identifier=...))).status_code == 200


async def test_a_sister_till_refunds_what_it_may_not_reverse(edge: Edge) -> None:
    assert (await edge.post(undo("refund", 402, by_name(SISTER, 7)))).status_code == 200
    answer = await edge.post(undo("refund", 403, by_name(STRANGER, 7)))
    assert (answer.status_code, answer.json()["code"]) == (403, "original-of-another-merchant")


async def test_an_order_come_or_not_is_reversed_by_the_terminal_that_names_orders(
    edge: Edge,
) -> None:
    at = {"occurred_at": OPENED.isoformat()}
    online = {"terminal": ..., "epoch": ..., **ORDERED, "operation": "undo"}
    body = undo("reversal", 0, ORDERED | at, **online)
    del body["sequence"]
    for key_id in ("k1", "k2"):
        assert (await edge.post(body, bearer(TERMINAL, key_id))).status_code == 200
    submitted = len(edge.road.submitted)
    assert status_and_code(await edge.post(body, bearer(SISTER))) == (403, "terminal-not-online")
    wishes = [
        undo("reversal", 410, ORDERED | at, terminal=SISTER),
        undo("reversal", 411, {"id": "5.o.12.S11.purchase"}, terminal=SISTER, identifier=...),
    ]
    for wish in wishes:
        answer = await edge.post(wish, bearer(SISTER))
        assert status_and_code(answer) == (403, "reversal-of-another-terminal")
    assert len(edge.road.submitted) == submitted
    refund = undo("refund", 412, ORDERED | at, terminal=SISTER)
    assert (await edge.post(refund, bearer(SISTER))).status_code == 200
    other = body | {"merchant": 13}
    answer = await edge.post(other, bearer(STRANGER))
    assert (answer.status_code, answer.json()["code"]) == (403, "original-of-another-merchant")
    # and an order's request reverses no sale of another till under cover of the shop's name
    sale = body | {"original": by_name(SISTER, 7)}
    answer = await edge.post(sale, bearer(TERMINAL))
    assert (answer.status_code, answer.json()["code"]) == (403, "reversal-of-another-terminal")


async def test_a_partners_key_sees_no_transaction_and_brings_no_history_in(edge: Edge) -> None:
    partner = operator("partner")
    seen = await edge.client.get(f"/v1/transactions/5.t.{TERMINAL}.2.7", headers=partner)
    assert status_and_code(seen) == (403, "role-missing")
    brought = await edge.client.post("/v1/history", content=b"{}", headers=partner)
    assert status_and_code(brought) == (403, "role-missing")


# --------------------------------------------------------------------------------- keys and epochs


def status_and_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_a_key_of_an_older_epoch_starts_nothing_in_a_newer_one(edge: Edge) -> None:
    number = 10000041
    both = (terminal_key(number, "k1", epoch=1), terminal_key(number, "k8", epoch=8))
    await edge.publish(terminal(number, epoch=8, keys=both))
    old, new = bearer(number, "k1"), bearer(number, "k8")
    for epoch, key, expected in (
        (1, old, (200, "")),
        (1, new, (200, "")),  # a fresh key repeats names of older epochs
        (2, old, (403, "key-of-older-epoch")),
        (8, old, (403, "key-of-older-epoch")),
        (8, new, (200, "")),
        (9, old, (422, "unknown-epoch")),
        (9, new, (422, "unknown-epoch")),
    ):
        assert (
            status_and_code(await edge.post(purchase(1, terminal=number, epoch=epoch), key))
            == expected
        )


async def test_keys_overlap_until_the_older_one_ends(edge: Edge) -> None:
    number, now = 10000042, datetime.now(UTC)
    for version, ends, expected in (
        (1, now + timedelta(hours=1), (200, "")),
        (2, now - timedelta(seconds=1), (401, "key-revoked")),
    ):
        keys = (terminal_key(number, revoked_at=ends),)
        await edge.publish(terminal(number, version=version, keys=keys))
        answer = await edge.post(purchase(1, terminal=number), bearer(number))
        assert status_and_code(answer) == expected


async def test_a_key_without_an_epoch_gives_no_names(edge: Edge) -> None:
    number = 10000043
    await edge.publish(terminal(number, keys=(terminal_key(number, epoch=0),)))
    answer = await edge.post(purchase(1, terminal=number, epoch=1), bearer(number))
    assert status_and_code(answer) == (403, "key-of-older-epoch")


# --------------------------------------------------------------------------------- the oracle


async def test_beyond_the_limit_a_member_and_a_stranger_sound_alike(
    edge: Edge, tmp_path: Path, answering: Any
) -> None:
    """A sale that was declined is none: its words tell what an inquiry would."""
    settings = settings_of(
        edge.settings.kafka_bootstrap, tmp_path, 1, reply_partition=1, identifiers_unsold_max=6
    )
    member = identifier("6037996666666667")
    await edge.publish(member)
    await edge.publish(identifier("6037997512345670"))
    async with gateway_of(settings, edge.producer) as app:
        await ready(app)
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:

            async def ask(presented: dict[str, str], kind: str = "inquiry") -> httpx.Response:
                body = purchase(1, kind=kind, identifier=presented, lines=...)
                raw = json.dumps(body).encode()
                return await client.post("/v1/transactions", content=raw, headers=bearer(TERMINAL))

            no = b'{"id":"5.t.1.1.1","status":"declined","code":"insufficient-points"}'
            answering(lambda event: Reply(name=event.data.name, http_status=200, body=Raw(no)))
            assert (await ask({"card": "6037997512345670"}, "purchase")).status_code == 200
            used = b'{"code":"name-used-with-another-payload"}'
            answering(lambda event: Reply(name=event.data.name, http_status=422, body=Raw(used)))
            assert (await ask({"card": CARD}, "purchase")).status_code == 422  # no sale either
            answering(sold)
            for _ in range(3):  # a sale takes its own off the count again
                assert (await ask({"card": CARD}, "purchase")).status_code == 200
            for number in range(
                5
            ):  # the services are away: unknown numbers are not known not to be
                answer = await ask({"mobile": f"0912000000{number}"})
                assert answer.json()["code"] == "lookup-unavailable"
            hit, miss = await ask({"card": "6037996666666667"}), await ask({"mobile": MOBILE_OFF})
            assert status_and_code(hit) == status_and_code(miss) == (429, "too-many-identifiers")
            assert hit.content == miss.content
            assert hit.headers["retry-after"] == miss.headers["retry-after"]
            again = await ask({"mobile": "09120000000"})  # asked before, so nothing new is learned
            assert again.json()["code"] == "lookup-unavailable"


async def test_a_redemption_that_is_not_decided_is_no_sale_until_its_reply_says_so(
    edge: Edge, tmp_path: Path, answering: Any
) -> None:
    """While the road is behind (202): a purchase is believed, and counts again if declined."""
    settings = settings_of(
        edge.settings.kafka_bootstrap, tmp_path, 1,
        reply_partition=3, identifiers_unsold_max=3, pos_budget_ms=400,
    )  # fmt: skip
    cards = [f"603799000000{n}" for n in (1012, 1020, 1038, 1046)]
    await edge.publish(*(identifier(card) for card in cards))
    answering(lambda event: None)
    async with gateway_of(settings, edge.producer) as app:
        await ready(app)
        pending_replies = app.asgi.transactions.road.pending_replies
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:

            async def ask(n: int, kind: str) -> int:
                redeem = {"points": 5} if kind == "redemption" else ...
                presented = {"card": cards[n]}
                body = purchase(n + 1, kind=kind, identifier=presented, redeem=redeem)
                raw = json.dumps(body).encode()
                while True:  # a busy machine leaves a send unknown, and that is no answer
                    answer = await client.post(
                        "/v1/transactions", content=raw, headers=bearer(TERMINAL)
                    )
                    if answer.status_code != 503:
                        return answer.status_code

            async def decide(n: int, kind: str, reply: Reply) -> None:
                name = f"t.{TERMINAL}.2.{n + 1}"
                record, event = next(
                    (record, event)
                    for record, event in reversed(edge.road.submitted)
                    if (event.data.name, event.data.kind) == (name, kind)
                )
                left = pending_replies.late_callbacks - 1
                await edge.producer.send([reply_to(record, event, reply)])
                async with asyncio.timeout(30):
                    while pending_replies.late_callbacks > left:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)

            assert [await ask(n, "purchase") for n in range(4)] == [202] * 4
            no = Reply(name="n", http_status=200, body=Raw(b'{"status":"declined"}'))
            await decide(0, "purchase", no)  # the first was no sale after all
            assert [await ask(n, "redemption") for n in (1, 2, 3)] == [202, 202, 429]
            await decide(2, "redemption", no)
            assert await ask(3, "redemption") == 429
            await decide(1, "redemption", Reply(name="n", http_status=200, body=Raw(SOLD)))
            assert [await ask(n, "redemption") for n in (3, 1)] == [202, 429]


# --------------------------------------------------------------------------------- the brake


async def test_a_stopped_terminal_and_a_stopped_merchant_post_nothing(edge: Edge) -> None:
    number, neighbour, merchant = 10000051, 10000052, 51
    shops = [terminal(n, merchant) for n in (number, neighbour)]
    await edge.publish(*shops, programme(1, OPENED, merchant))

    async def both() -> list[tuple[int, str]]:
        return [
            status_and_code(await edge.post(purchase(1, terminal=n), bearer(n)))
            for n in (number, neighbour)
        ]

    fine = (200, "")
    assert await both() == [fine, fine]
    await edge.publish(terminal(number, merchant, version=2, stopped=True))
    assert await both() == [(403, "terminal-inactive"), fine]
    own, sisters = f"5.t.{number}.2.1", f"5.t.{neighbour}.2.1"
    statuses = [
        (await edge.client.get(f"/v1/transactions/{n}", headers=bearer(number))).status_code
        for n in (own, sisters)
    ]
    assert statuses == [202, 401]
    await edge.publish(MerchantStanding(merchant=merchant, version=1, stopped=True))
    assert await both() == [(403, "terminal-inactive"), (403, "merchant-stopped")]
    assert status_and_code(await edge.post(purchase(77))) == fine  # other merchants do not feel it
    await edge.publish(
        MerchantStanding(merchant=merchant, version=2, stopped=False),
        MerchantStanding(merchant=merchant, version=1, stopped=True),  # an older word comes late
        terminal(number, merchant, version=3),
    )
    assert await both() == [fine, fine]
