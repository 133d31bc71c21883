"""The terminal's client against a real server: names, bytes, retries, 202, problems."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

import peyvand
from peyvand import road

AT = datetime(2026, 3, 21, 9, 30, tzinfo=UTC)
NAME = peyvand.TillReference(7, 2, 41)
ID = "3.t.7.2.41"
# spaces and order as a server likes them: the bytes are kept, not rewritten
ANSWER = (
    b'{"kind": "purchase", "id":"3.t.7.2.41","status":"completed",'
    b'"occurred_at":"2026-03-21T09:30:00Z","accepted_at":"2026-03-21T09:30:00.100Z",'
    b'"points_earned":15,  "fa":"' + "۱۵ امتیاز".encode() + b'","new_field":[1]}'
)
ACCEPTED = b'{"id":"3.t.7.2.41","status":"accepted","status_url":"/v1/x","retry_after_ms":10}'
STATUS = b'{"id":"3.t.7.2.41","first_answer":' + ANSWER + b',"current":{"status":"refunded"}}'
MISSING = b'{"code":"not-found"}'
UNKNOWN = json.dumps(
    {
        "type": "urn:peyvand:problem:outcome-unknown",
        "status": 503,
        "code": "outcome-unknown",
        "detail": "send the same request again",
        "fa": "دوباره بفرستید",
    }
).encode()


async def _buy(client: peyvand.Client) -> peyvand.Answered | peyvand.Pending:
    return await client.purchase(
        NAME,
        peyvand.card("6037990000000006"),
        amount_rial=150_000,
        occurred_at=AT,
        lines=(peyvand.Line(line=1, amount_rial=150_000, category="dairy"),),
    )


async def test_purchase_sends_the_documented_body_and_keeps_the_exact_bytes(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [reply(200, ANSWER)]
    heard = await _buy(client)
    assert isinstance(heard, peyvand.Answered)
    assert heard.body == ANSWER
    assert isinstance(heard.answer, peyvand.Answer)
    assert heard.answer.points_earned == 15
    assert (heard.attempts, heard.followed) == (1, False)
    (seen,) = scripted.seen
    assert (seen.method, seen.path) == ("POST", "/v1/transactions")
    assert seen.headers["Authorization"] == "Bearer pvt_7_abc_secret"
    assert json.loads(seen.body) == {
        "terminal": 7,
        "epoch": 2,
        "sequence": 41,
        "kind": "purchase",
        "occurred_at": "2026-03-21T09:30:00Z",
        "identifier": {"card": "6037990000000006"},
        "amount_rial": 150_000,
        "lines": [{"line": 1, "amount_rial": 150_000, "category": "dairy"}],
    }


@pytest.mark.parametrize("trouble", ["503", "hang", "cut", "429"])
async def test_trouble_is_met_by_the_same_name_and_bytes(
    scripted: Any, client: peyvand.Client, reply: Any, hang: Any, cut: Any, trouble: str
) -> None:
    script = {
        "503": reply(503, UNKNOWN),
        "hang": hang(1.0),
        "cut": cut(),
        "429": reply(429, b'{"code":"too-many"}'),
    }
    scripted.script = [script[trouble], script[trouble], reply(200, ANSWER)]
    heard = await _buy(client)
    assert isinstance(heard, peyvand.Answered)
    assert heard.attempts == 3
    assert len({seen.body for seen in scripted.seen}) == 1
    assert len(scripted.seen) == 3


async def test_retry_after_is_waited_within_the_bound(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [reply(503, UNKNOWN, headers={"Retry-After": "3600"}), reply(200, ANSWER)]
    async with asyncio.timeout(1.0):
        assert isinstance(await _buy(client), peyvand.Answered)


async def test_a_platform_that_stays_away_leaves_the_outcome_unknown(
    scripted: Any, client: peyvand.Client, reply: Any, hang: Any
) -> None:
    scripted.script = [reply(503, UNKNOWN)]
    with pytest.raises(peyvand.OutcomeUnknown) as one:
        await _buy(client)
    assert one.value.attempts == 4
    assert "outcome-unknown" in one.value.last
    scripted.script = [hang(1.0)]
    with pytest.raises(peyvand.OutcomeUnknown) as other:
        await _buy(client)
    assert "Timeout" in other.value.last


async def test_a_platform_that_is_down_leaves_the_outcome_unknown(
    fast: peyvand.Options,
) -> None:
    async with peyvand.Client("http://127.0.0.1:9", "pvt_7_a_b", options=fast) as lonely:
        with pytest.raises(peyvand.OutcomeUnknown):
            await _buy(lonely)


async def test_accepted_is_followed_by_asking_the_status(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [
        reply(202, ACCEPTED),
        reply(202, ACCEPTED),
        reply(200, STATUS),
        reply(200, ANSWER),
    ]
    heard = await _buy(client)
    assert isinstance(heard, peyvand.Answered)
    assert heard.followed
    assert heard.body == ANSWER
    assert [(s.method, s.path) for s in scripted.seen] == [
        ("POST", "/v1/transactions"),
        ("GET", "/v1/transactions/3.t.7.2.41"),
        ("GET", "/v1/transactions/3.t.7.2.41"),
        ("POST", "/v1/transactions"),  # whose answer that is
    ]
    assert scripted.seen[0].body == scripted.seen[3].body
    assert heard.attempts == 4


async def test_what_a_name_was_answered_to_another_payload_is_not_taken_for_ours(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    """A purchase of another basket was printed as completed when its 422 came late."""
    reused = json.dumps({"code": "name-used-with-another-payload", "status": 422, "detail": "no"})
    scripted.script = [reply(202, ACCEPTED), reply(200, STATUS), reply(422, reused.encode())]
    with pytest.raises(peyvand.NameReused):
        await _buy(client)


async def test_a_door_that_refuses_later_does_not_take_a_known_answer_away(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    revoked = json.dumps({"code": "key-revoked", "status": 403, "detail": "no"}).encode()
    scripted.script = [reply(202, ACCEPTED), reply(200, STATUS), reply(403, revoked)]
    heard = await _buy(client)
    assert isinstance(heard, peyvand.Answered)
    assert (heard.body, heard.followed) == (ANSWER, True)


async def test_past_the_deadline_the_same_name_is_sent_again(
    scripted: Any, client: peyvand.Client
) -> None:
    posts: list[bytes] = []

    async def answer(request: Any, body: bytes) -> Any:
        from aiohttp import web

        if request.method == "GET":
            return web.Response(status=202, body=ACCEPTED)
        posts.append(body)
        if len(posts) == 1:
            return web.Response(status=202, body=ACCEPTED)
        return web.Response(status=200, body=ANSWER)

    scripted.script = [answer]
    heard = await _buy(client)
    assert isinstance(heard, peyvand.Answered)
    assert len(posts) == 2
    assert posts[0] == posts[1]


async def test_following_has_an_end_and_may_be_left_out(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [reply(202, ACCEPTED)]
    heard = await _buy(client)
    assert isinstance(heard, peyvand.Pending)
    assert heard.accepted.id == ID
    assert len([s for s in scripted.seen if s.method == "POST"]) == 3  # once, and two rounds
    scripted.seen.clear()
    request = peyvand.Transaction(**NAME._asdict(), kind=peyvand.Kind.PURCHASE, occurred_at=AT)
    assert isinstance(await client.submit(request, follow=road.NOT), peyvand.Pending)
    assert len(scripted.seen) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad-shape", peyvand.BadRequest),
        (401, "key-unknown", peyvand.Unauthorized),
        (403, "forbidden", peyvand.Forbidden),
        (404, "card-unknown", peyvand.NotFound),
        (409, "conflict", peyvand.Conflict),
        (413, "body-too-large", peyvand.TooLarge),
        (422, "lines-do-not-add-up", peyvand.Invalid),
        (422, "name-used-with-another-payload", peyvand.NameReused),
    ],
)
async def test_a_refusal_is_a_typed_problem_and_is_not_repeated(
    scripted: Any, client: peyvand.Client, reply: Any, status: int, code: str, kind: type
) -> None:
    body = {"code": code, "status": status, "detail": "why", "fa": "چرا", "field": "lines"}
    scripted.script = [reply(status, json.dumps(body).encode())]
    with pytest.raises(kind) as raised:
        await _buy(client)
    problem = raised.value
    assert isinstance(problem, peyvand.Problem)
    assert (problem.status, problem.code, problem.detail) == (status, code, "why")
    assert problem.fa == "چرا"
    assert problem.fields == {"field": "lines"}
    assert len(scripted.seen) == 1


async def test_a_body_that_is_no_answer_is_said_so(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    for script in (reply(200, b"<html>"), reply(404, b"<html>"), reply(302, b"")):
        scripted.script = [script]
        with pytest.raises(peyvand.BadReply):
            await _buy(client)


async def test_a_refund_of_nothing_is_not_taken_for_one_of_all(
    scripted: Any, client: peyvand.Client
) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        await client.refund(NAME, peyvand.Original(id=ID), occurred_at=AT, amount_rial=0)
    assert scripted.seen == []


async def test_every_kind_has_its_body(scripted: Any, client: peyvand.Client, reply: Any) -> None:
    scripted.script = [reply(200, ANSWER)]
    who = peyvand.mobile("09121234567")
    await client.redeem(
        NAME, who, peyvand.Redeem(points=5, credit_rial=9), amount_rial=10, occurred_at=AT
    )
    await client.refund(
        NAME,
        peyvand.Original(id=ID),
        occurred_at=AT,
        lines=(peyvand.RefundLine(line=1, amount_rial=4),),
    )
    await client.refund(NAME, peyvand.Original(id=ID), occurred_at=AT, amount_rial=4)
    await client.reverse(
        NAME, peyvand.original_named(NAME, AT), occurred_at=AT, identifier=peyvand.qr("PV1x")
    )
    redemption, refund, part, reversal = (json.loads(seen.body) for seen in scripted.seen)
    assert redemption["kind"] == "redemption"
    assert redemption["redeem"] == {"points": 5, "credit_rial": 9}
    assert redemption["identifier"] == {"mobile": "09121234567"}
    assert refund["original"] == {"id": ID}
    assert refund["refund_lines"] == [{"line": 1, "amount_rial": 4}]
    assert "identifier" not in refund
    assert "amount_rial" not in refund
    assert part["amount_rial"] == 4
    assert "refund_lines" not in part
    assert reversal["kind"] == "reversal"
    assert reversal["original"] == {
        "terminal": 7,
        "epoch": 2,
        "sequence": 41,
        "occurred_at": "2026-03-21T09:30:00Z",
    }


async def test_an_inquiry_hears_a_preview_or_a_no_and_is_sent_again_after_202(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    preview = (
        b'{"id":"3.t.7.2.41","kind":"inquiry","balance":{"points":3,"available_points":3,'
        b'"pending_points":0,"credit_rial":0,"expiring_points":0,"expiring_at":null},'
        b'"redeemable_points":3,"redeemable_rial":30,"would_earn_points":1,"fa":"x","en":"y"}'
    )
    scripted.script = [reply(202, ACCEPTED), reply(200, preview)]
    who = peyvand.qr("PV1abc")
    heard = await client.inquire(NAME, who, amount_rial=10, occurred_at=AT)
    assert isinstance(heard, peyvand.Answered)
    assert isinstance(heard.answer, peyvand.Preview)
    assert heard.answer.redeemable_rial == 30
    assert [seen.method for seen in scripted.seen] == ["POST", "POST"]
    no = ANSWER.replace(b'"purchase"', b'"inquiry"').replace(b"completed", b"declined")
    scripted.script = [reply(200, no)]
    heard = await client.inquire(NAME, who, amount_rial=10, occurred_at=AT)
    assert isinstance(heard, peyvand.Answered)
    assert isinstance(heard.answer, peyvand.Answer)
    assert heard.answer.status is peyvand.Status.DECLINED


async def test_status_shows_the_first_answer_and_the_present(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [reply(200, STATUS), reply(202, ACCEPTED), reply(404, MISSING)]
    found = await client.status("3.h.5.a%2Eb.purchase")
    assert found is not None
    assert found.first_answer_body == ANSWER
    assert found.current.status == "refunded"
    assert scripted.seen[0].path == "/v1/transactions/3.h.5.a%252Eb.purchase"
    assert await client.status(ID) is None
    with pytest.raises(peyvand.NotFound):
        await client.status(ID)


async def test_cancelling_a_caller_passes_through(
    scripted: Any, client: peyvand.Client, hang: Any
) -> None:
    scripted.script = [hang(5.0)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await _buy(client)
    assert len(scripted.seen) == 1


ORDER = peyvand.OrderReference(12, "1404/77", "purchase")


async def test_an_online_shop_sends_its_orders_name(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [reply(200, ANSWER)]
    member = peyvand.card("6037990000000006")
    await client.purchase(ORDER, member, amount_rial=150_000, occurred_at=AT)
    sent = json.loads(scripted.seen[0].body)
    assert sent == {
        "merchant": 12,
        "order": "1404/77",
        "operation": "purchase",
        "kind": "purchase",
        "occurred_at": "2026-03-21T09:30:00Z",
        "identifier": {"card": "6037990000000006"},
        "amount_rial": 150_000,
    }
    back = peyvand.OrderReference(12, "1404/77", "refund-1")
    original = peyvand.original_named(ORDER, AT)
    await client.refund(back, original, occurred_at=AT, identifier=member)
    sent = json.loads(scripted.seen[1].body)
    assert sent["operation"] == "refund-1"
    assert sent["original"] == ORDER._asdict() | {"occurred_at": "2026-03-21T09:30:00Z"}


def test_a_request_tells_its_name_of_either_kind() -> None:
    kind = peyvand.Kind.REVERSAL
    at_till = peyvand.TillReference(7, 2, 0)
    till = peyvand.Transaction(**at_till._asdict(), kind=kind, occurred_at=AT)
    shop = peyvand.Transaction(**ORDER._asdict(), kind=kind, occurred_at=AT)
    assert (till.name, shop.order_name) == (at_till, ORDER)
    for request, name in ((till, at_till), (shop, ORDER)):
        assert json.loads(road.encode(request)).items() >= name._asdict().items()
    with pytest.raises(ValueError, match="no till's name"):
        _ = shop.name
    with pytest.raises(ValueError, match="no online shop's name"):
        _ = till.order_name


async def test_the_status_of_an_order_with_a_slash_is_asked_in_one_piece(
    scripted: Any, client: peyvand.Client, reply: Any
) -> None:
    scripted.script = [reply(202, ACCEPTED)]
    assert await client.status("3.o.12.1404%2F77.purchase") is None
    assert scripted.seen[0].path == "/v1/transactions/3.o.12.1404%252F77.purchase"
