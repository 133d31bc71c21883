"""A transaction onto the road and its three ends, on a real broker."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from contracts.envelope import Envelope
from contracts.ledger import Reply
from contracts.members import Binding, IdentifierKind
from contracts.pos import PosTransaction
from contracts.values import Channel, Kind
from kit.base import telemetry

from .conftest import Edge
from .fakes import (
    CARD,
    MOBILE,
    OPENED,
    SISTER,
    STRANGER,
    TERMINAL,
    bearer,
    completed,
    identifier,
    operator,
    purchase,
    reply_to,
    terminal,
    terminal_key,
)


async def test_an_answer_comes_back_byte_for_byte(edge: Edge, answering: Any) -> None:
    body = '{"id" : "5.t.1", "fa":"خرید انجام شد",  "n":1.50}'.encode()
    answering(lambda event: Reply(name=event.data.name, http_status=200, body=msgspec.Raw(body)))
    answer = await edge.post(purchase(1))
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/json"


async def test_the_stamped_transaction_lies_on_its_shard(edge: Edge) -> None:
    before = datetime.now(UTC)
    sent = purchase(2, occurred_at=(before - timedelta(minutes=5)).isoformat())
    assert (await edge.post(sent)).status_code == 200
    record, event = edge.last()
    assert record.partition == 5
    assert record.key == b"1000001"
    data = event.data
    assert (data.name, data.account, data.member) == (f"t.{TERMINAL}.2.2", 1000001, 7)
    assert (data.merchant, data.party, data.branch, data.terminal) == (12, 112, 3, TERMINAL)
    assert (data.programme_version, data.terms_version) == (2, 2)
    assert (data.identifier_id, data.identifier_last4) == ("id-card-7893", "7893")
    assert data.identifier_kind is IdentifierKind.CARD
    assert data.channel is Channel.TILL
    assert not data.identifier_blocked
    assert event.occurred_at == before - timedelta(minutes=5)
    assert before <= event.accepted_at <= datetime.now(UTC)
    headers = dict(record.headers)
    assert headers["reply-topic"] == b"gateway.replies"
    assert headers["reply-partition"] == b"0"
    assert len(headers["traceparent"]) == 55
    assert "deadline" not in headers
    assert CARD.encode() not in (record.value or b"")


@pytest.mark.parametrize(
    "parent",
    ["00-0123456789abcdef0123456789abcdef-0123456789abcdef-01", "x" * 52 + "-01", "00-\xff-01", ""],
)
async def test_a_callers_trace_goes_no_further(edge: Edge, parent: str) -> None:
    """Neither his ids nor his wish to be sampled, nor what is no trace at all (findings S5)."""
    sequence = 3_000 + len(parent)
    headers = httpx.Headers(bearer(TERMINAL) | {"traceparent": parent}, encoding="latin-1")
    assert (await edge.post(purchase(sequence), headers)).status_code == 200
    onward = dict(edge.last()[0].headers)["traceparent"].decode()
    assert telemetry.read_traceparent(onward) == onward
    assert onward.endswith("-00")
    assert not parent or onward[3:35] not in parent


async def test_the_programme_is_the_one_in_force_at_the_tills_time(edge: Edge) -> None:
    old = (OPENED + timedelta(days=29)).isoformat()
    assert (await edge.post(purchase(4, occurred_at=old))).status_code == 200
    data = edge.last()[1].data
    assert (data.programme_version, data.terms_version) == (1, 1)
    assert data.accepted_terms_version == 2  # those of now too, for their price
    ancient = "1990-01-01T00:00:00Z"
    assert (await edge.post(purchase(5, occurred_at=ancient))).status_code == 200
    assert edge.last()[1].data.programme_version == 0  # too old is the road's to decide


async def test_a_basket_without_lines_is_one_line(edge: Edge) -> None:
    await edge.post(purchase(6, lines=...))
    assert [(li.line, li.amount_rial) for li in edge.last()[1].data.lines] == [(1, 1000)]


async def test_no_reply_within_the_budget_is_accepted(impatient: Edge, answering: Any) -> None:
    answering(lambda event: None)
    answer = await impatient.post(purchase(7))
    body = answer.json()
    assert answer.status_code == 202
    assert body == {
        "id": f"5.t.{TERMINAL}.2.7",
        "status": "accepted",
        "status_url": f"/v1/transactions/5.t.{TERMINAL}.2.7",
        "retry_after_ms": 500,
    }
    assert answer.headers["retry-after"] == "1"


async def test_a_late_reply_disturbs_nobody(impatient: Edge, answering: Any) -> None:
    answering(lambda event: None)
    assert (await impatient.post(purchase(8))).status_code == 202
    record, event = impatient.last()
    answering(completed)
    await impatient.producer.send([reply_to(record, event, completed(event))])
    answer = await impatient.post(purchase(9))
    for _ in range(19):  # this gateway waits so little that a busy machine may be too slow
        if answer.status_code == 200:
            break
        answer = await impatient.post(purchase(9))
    assert answer.json()["name"] == f"t.{TERMINAL}.2.9"


async def test_a_problem_from_the_ledger_is_passed_on_as_one(edge: Edge, answering: Any) -> None:
    problem = b'{"code":"name-used-with-another-payload","status":422}'
    answering(lambda event: Reply(name=event.data.name, http_status=422, body=msgspec.Raw(problem)))
    answer = await edge.post(purchase(10))
    assert (answer.status_code, answer.content) == (422, problem)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_two_at_once_with_one_name_both_hear(edge: Edge) -> None:
    body = purchase(11)
    answers = await asyncio.gather(*(edge.post(body) for _ in range(8)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.content for a in answers}) == 1
    assert sum(event.data.name == f"t.{TERMINAL}.2.11" for _, event in edge.road.submitted) == 8


async def test_many_at_once_each_hear_their_own(edge: Edge) -> None:
    answers = await asyncio.gather(*(edge.post(purchase(n)) for n in range(100, 300)))
    names = [a.json()["name"] for a in answers]
    assert names == [f"t.{TERMINAL}.2.{n}" for n in range(100, 300)]


async def test_a_retry_has_a_new_stamp_and_the_same_fingerprint(edge: Edge) -> None:
    body = purchase(12)
    await edge.post(body)
    first = edge.last()[1]
    await edge.post(dict(reversed(list(body.items()))))
    second = edge.last()[1]
    assert first.fingerprint == second.fingerprint
    assert first.accepted_at < second.accepted_at
    assert first.id != second.id


async def test_an_inquiry_has_a_deadline_and_leaves_nothing(
    edge: Edge, impatient: Edge, answering: Any
) -> None:
    body = purchase(13, kind="inquiry", lines=..., amount_rial=...)
    assert (await edge.post(body)).status_code == 200
    record, event = edge.last()
    deadline = int(dict(record.headers)["deadline"])
    assert 19 < deadline / 1000 - event.accepted_at.timestamp() < 21
    assert event.data.lines == ()
    answering(lambda event: None)
    answer = await impatient.post(body)
    assert (answer.status_code, answer.json()["code"]) == (503, "inquiry-unanswered")


async def test_a_redemption_carries_what_it_asks(edge: Edge) -> None:
    body = purchase(14, kind="redemption", redeem={"points": 70, "credit_rial": 30})
    assert (await edge.post(body)).status_code == 200
    data = edge.last()[1].data
    assert (data.points, data.credit_rial, data.amount_rial) == (70, 30, 1000)


# ---------------------------------------------------------------------------- refund and reversal


def refund(sequence: int, original: dict[str, Any], **changes: Any) -> dict[str, Any]:
    bare = {"kind": "refund", "identifier": ..., "amount_rial": ..., "lines": ...}
    return purchase(sequence, **(bare | {"original": original} | changes))


async def sent(edge: Edge, body: dict[str, Any]) -> tuple[int, PosTransaction]:
    answer = await edge.post(body)
    assert answer.status_code == 200, answer.text
    record, event = edge.last()
    return record.partition, event.data


async def test_a_refund_goes_where_the_original_went(edge: Edge) -> None:
    shard, data = await sent(edge, refund(20, {"id": f"9.t.{TERMINAL}.1.5"}))
    assert (shard, data.original, data.account) == (9, f"t.{TERMINAL}.1.5", 0)
    assert edge.last()[0].key == f"t.{TERMINAL}.1.5".encode()


async def test_a_refund_by_line_names_its_lines(edge: Edge) -> None:
    original = {"id": f"5.t.{SISTER}.1.5"}  # another branch of the merchant
    lines = [{"line": 2, "amount_rial": 300}]
    shard, data = await sent(
        edge, refund(21, original, refund_lines=lines, identifier={"card": CARD})
    )
    assert (shard, data.account) == (5, 1000001)
    assert [(part.line, part.amount_rial) for part in data.refund_lines] == [(2, 300)]


async def test_a_refund_by_amount_carries_it_and_no_basket(edge: Edge) -> None:
    _, data = await sent(edge, refund(27, {"id": f"5.t.{TERMINAL}.1.5"}, amount_rial=700))
    assert (data.amount_rial, data.lines, data.refund_lines) == (700, (), ())
    answer = await edge.post(refund(28, {"id": f"5.t.{TERMINAL}.1.5"}, amount_rial=0))
    assert (answer.status_code, answer.json()["code"]) == (422, "amount-is-zero")


async def test_a_card_of_another_shard_is_told_of_in_a_refund_and_names_no_account(
    edge: Edge,
) -> None:
    original = {"id": f"9.t.{TERMINAL}.1.5"}
    shard, data = await sent(edge, refund(22, original, identifier={"card": CARD}))
    assert (shard, data.account, data.member, data.identifier_id) == (9, 0, 0, "")
    assert data.shown == 1000001  # whom the ledger refuses there as it would on his own shard (A11)
    own, data = await sent(
        edge, refund(29, {"id": f"5.t.{TERMINAL}.1.5"}, identifier={"card": CARD})
    )
    assert (own, data.account, data.shown) == (5, 1000001, 0)


async def test_a_reversal_by_name_resolves_as_of_the_originals_time(edge: Edge) -> None:
    card = "6037991111111112"
    moved = OPENED + timedelta(days=90)
    bindings = (
        Binding(from_at=OPENED, member=8, account=1000002, shard=3),
        Binding(from_at=moved, member=8, account=1000003, shard=4),
    )
    await edge.publish(identifier(card, bindings=bindings))
    for days, expected in ((89, 3), (91, 4), (-900, 3)):
        original = {
            "terminal": TERMINAL,
            "epoch": 1,
            "sequence": 77,
            "occurred_at": (OPENED + timedelta(days=days)).isoformat(),
        }
        body = refund(23, original, kind="reversal", identifier={"card": card})
        shard, data = await sent(edge, body)
        assert (shard, data.original) == (expected, f"t.{TERMINAL}.1.77")


async def test_an_imported_purchase_can_be_refunded_by_its_merchant(edge: Edge) -> None:
    _, data = await sent(edge, refund(24, {"id": "2.h.12.A%2E7.purchase"}))
    assert data.original == "h.12.A%2E7.purchase"
    answer = await edge.post(refund(25, {"id": "2.h.13.A.purchase"}))
    assert (answer.status_code, answer.json()["code"]) == (403, "original-of-another-merchant")


@pytest.mark.parametrize(
    ("original", "status", "code"),
    [
        (f"5.t.{STRANGER}.1.1", 403, "original-of-another-merchant"),
        # nobody's terminal answers like another merchant's: no till learns who else is there
        ("5.t.77777.1.1", 403, "original-of-another-merchant"),
        ("5.t.9999999999.1.1", 403, "original-of-another-merchant"),
        (f"5.t.{STRANGER}.9.1", 403, "original-of-another-merchant"),
        (f"5.t.{TERMINAL}.3.1", 422, "unknown-epoch"),
        (f"12.t.{TERMINAL}.1.1", 422, "bad-transaction-id"),
        ("hello", 422, "bad-transaction-id"),
        (f"5.t.{TERMINAL}.2.26", 422, "original-is-itself"),
        ("5.v.c1", 422, "original-not-refundable"),
    ],
)
async def test_a_bad_original_is_refused(edge: Edge, original: str, status: int, code: str) -> None:
    submitted = len(edge.road.submitted)
    answer = await edge.post(refund(26, {"id": original}))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(edge.road.submitted) == submitted


# ----------------------------------------------------------------------------------- miss path


async def test_a_sale_a_second_after_enrolment_works(edge: Edge) -> None:
    new = identifier("6037992222222228")
    edge.services.identifiers[new.digest] = new
    edge.services.calls.clear()
    for sequence in (30, 31):
        body = purchase(sequence, identifier={"card": "6037992222222228"})
        assert (await edge.post(body)).status_code == 200
    assert edge.last()[1].data.identifier_last4 == "2228"
    calls = [path for path in edge.services.calls if path != "/openapi.json"]  # by a job of its own
    assert calls == [f"/internal/identifiers/{new.digest}"]  # once, then remembered


async def test_an_unknown_card_is_refused_and_may_come_again(edge: Edge) -> None:
    new = identifier("6037993333333334")
    body = purchase(32, identifier={"card": "6037993333333334"})
    answer = await edge.post(body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-identifier")
    edge.services.identifiers[new.digest] = new
    assert (await edge.post(body)).status_code == 200


async def test_a_slow_members_service_is_no_unknown_card(edge: Edge) -> None:
    edge.services.delay_s = 1.0
    try:
        answer = await edge.post(purchase(33, identifier={"card": "6037994444444440"}))
    finally:
        edge.services.delay_s = 0.0
    assert (answer.status_code, answer.json()["code"]) == (503, "lookup-unavailable")
    assert answer.headers["retry-after"]


async def test_a_terminal_activated_a_second_ago_works(edge: Edge) -> None:
    edge.services.terminals[30000001] = terminal(30000001, epoch=1)
    body = purchase(1, terminal=30000001, epoch=1)
    assert (await edge.post(body, bearer(30000001))).status_code == 200
    again = (terminal_key(SISTER), terminal_key(SISTER, "k2", epoch=3))
    edge.services.terminals[SISTER] = terminal(SISTER, version=2, epoch=3, keys=again)
    body = purchase(1, terminal=SISTER, epoch=3)
    assert (await edge.post(body, bearer(SISTER, "k2"))).status_code == 200
    body = purchase(1, terminal=SISTER, epoch=4)
    assert (await edge.post(body, bearer(SISTER, "k2"))).json()["code"] == "unknown-epoch"


async def test_a_blocked_card_goes_on_with_its_mark(edge: Edge) -> None:
    blocked = identifier("6037995555555551", version=2, blocked_at=OPENED)
    await edge.publish(blocked)
    await edge.post(purchase(34, identifier={"card": "6037995555555551"}))
    assert edge.last()[1].data.identifier_blocked


async def test_spellings_of_a_number_are_one_identifier(edge: Edge) -> None:
    prints: set[Any] = set()
    for text in (MOBILE, "۰۹۱۲۳۴۵۶۷۸۹", "+98 912 345 6789", "٠٩١٢٣٤٥٦٧٨٩"):
        body = purchase(35, occurred_at="2026-05-01T00:00:00Z", identifier={"mobile": text})
        assert (await edge.post(body)).status_code == 200
        prints.add(edge.last()[1].fingerprint)
    assert len(prints) == 1


# -------------------------------------------------------------------------------------- history


def historic(**changes: Any) -> dict[str, Any]:
    body = {
        "merchant": 12,
        "transaction": "A-1",
        "identifier": {"card": CARD},
        "occurred_at": "2026-02-15T10:00:00Z",
        "amount_rial": 1000,
        "terminal": 4,
        "branch": 9,
    }
    return body | changes


async def test_history_goes_the_same_road_under_an_operators_mark(edge: Edge) -> None:
    answer = await edge.post(historic(), operator("importer"), "/v1/history")
    assert answer.status_code == 200
    record, event = edge.last()
    assert record.partition == 5
    assert event.data.name == "h.12.A-1.purchase"
    assert event.data.channel is Channel.HISTORY
    assert (event.data.party, event.data.terminal, event.data.branch) == (112, 4, 9)
    assert event.data.programme_version == 2
    assert event.occurred_at == datetime(2026, 2, 15, 10, tzinfo=UTC)
    assert datetime.now(UTC) - event.accepted_at < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("changes", "who", "status", "code"),
    [
        ({}, operator("sara"), 403, "role-missing"),
        ({}, bearer(TERMINAL), 403, "role-missing"),
        ({"merchant": 999}, operator("importer"), 422, "unknown-merchant"),
        ({"amount_rial": 0}, operator("importer"), 422, "amount-is-zero"),
        ({"transaction": "آ" * 128}, operator("importer"), 422, "bad-name"),
        ({"identifier": {"external": "nobody"}}, operator("importer"), 422, "unknown-identifier"),
        ({"kind": "purchase"}, operator("importer"), 422, "unknown-field"),
    ],
)
async def test_bad_history_is_refused(
    edge: Edge, changes: dict[str, Any], who: dict[str, str], status: int, code: str
) -> None:
    answer = await edge.post(historic(**changes), who, "/v1/history")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_fake_road_tells_names_apart() -> None:
    at = datetime.now(UTC)
    numbers: dict[str, Any] = dict.fromkeys(("merchant", "party", "branch", "terminal"), 1)
    data = PosTransaction(name="t.1.1.1", kind=Kind.PURCHASE, channel=Channel.TILL, **numbers)
    event = Envelope(id="x", type="t", key="k", occurred_at=at, accepted_at=at, data=data)
    assert json.loads(bytes(completed(event).body))["name"] == "t.1.1.1"
