"""Orders of an online shop: their names at the door, and on the road of a real broker."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import values
from contracts.pos import PosTransaction
from contracts.values import Channel
from gateway.problems import Code
from gateway.road.domain import names, shapes, transaction_ids

from .conftest import Edge
from .fakes import CARD, SISTER, STRANGER, TERMINAL, bearer
from .fakes import purchase as till_purchase
from .test_domain import print_of, purchase, read, refund, refused

pytestmark = pytest.mark.NH13

# -------------------------------------------------------------------------------- at the door

ONLINE = {"merchant": 12, "order": "1404/A-77.2", "operation": "purchase"}
NO_TILL = {"terminal": ..., "epoch": ..., "sequence": ...}


def body_of(**changes: Any) -> dict[str, Any]:
    return purchase(**(NO_TILL | ONLINE | changes))


@pytest.mark.parametrize("field", ["order", "operation"])
@pytest.mark.parametrize(
    "text", ["", " ", "a b", "سفارش", "a?b", "a%20", "a~", "\u200c", "x" * 49, "٫"]
)
def test_an_order_of_other_characters_is_refused(field: str, text: str) -> None:
    assert refused(body_of(**{field: text})) in ("bad-order", "out-of-range")


@pytest.mark.parametrize("field", ["order", "operation"])
def test_an_order_that_nobody_can_keep_is_refused_as_such(field: str) -> None:
    assert refused(body_of(**{field: "ab\u0000"})) == "unstorable-text"


@pytest.mark.parametrize(
    "text", ["1404/A-77", "۱۴۰۴/A-٧٧", " \u202e1404/A\u200c-77 ", "１404/A-77"]
)
def test_an_order_has_one_spelling(text: str) -> None:
    assert read(body_of(order=text)).order == "1404/A-77"


def test_an_operation_is_a_small_word() -> None:
    for text in ("Purchase", "a_b", "x" * 33):
        assert refused(body_of(operation=text)) == "bad-order"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"merchant": ...}, Code.MISSING_FIELD),
        ({"order": ...}, Code.MISSING_FIELD),
        ({"operation": ...}, Code.MISSING_FIELD),
        (dict.fromkeys(ONLINE, ...), Code.MISSING_FIELD),
        ({"terminal": 7}, Code.FIELD_NOT_ALLOWED),
        ({"terminal": 7, "epoch": 1, "sequence": 1}, Code.FIELD_NOT_ALLOWED),
        ({"merchant": 0}, Code.OUT_OF_RANGE),
        ({"merchant": 2**31}, Code.OUT_OF_RANGE),
        ({"order": 77}, Code.BAD_SHAPE),
        ({"order": "9" * 65}, Code.OUT_OF_RANGE),
    ],
)
def test_an_online_name_is_whole_and_alone(changes: dict[str, Any], code: Code) -> None:
    assert refused(body_of(**changes)) == code.code


@given(
    st.from_regex(r"[A-Za-z0-9\-_.:/#]{1,48}", fullmatch=True),
    st.from_regex(r"[a-z0-9\-]{1,32}", fullmatch=True),
    st.integers(1, 2**31 - 1),
)
def test_every_allowed_order_makes_a_name_that_reads_back(
    order: str, operation: str, merchant: int
) -> None:
    body = read(body_of(merchant=merchant, order=order, operation=operation))
    text = names.text_of(body)
    assert values.name_parts(text) == (values.NameKind.ORDER, (str(merchant), order, operation))
    parsed = transaction_ids.parse_id(values.public_id(3, text), shards=12)
    assert (parsed.shard, parsed.name) == (3, text)


def test_digits_and_spaces_around_an_order_say_nothing_but_capitals_do() -> None:
    typed = body_of(order=" ۱۴۰۴/A-٧٧.2 ", operation=" purchase", merchant="۱۲")
    assert read(typed) == read(body_of())
    assert print_of(typed) == print_of(body_of())
    assert names.text_of(read(body_of(order="a"))) != names.text_of(read(body_of(order="A")))


@pytest.mark.parametrize(
    "changes", [{"merchant": 13}, {"order": "1404/A-77.3"}, {"operation": "purchase-2"}]
)
def test_each_part_of_an_online_name_changes_the_fingerprint(changes: dict[str, Any]) -> None:
    assert print_of(body_of(**changes)) != print_of(body_of())


ORDERED = ONLINE | {"occurred_at": "2026-03-21T10:00:00Z"}


def test_a_refund_names_an_online_original() -> None:
    back = {"kind": "refund", "operation": "refund-1", "amount_rial": ..., "lines": ...}
    body = read(body_of(**back, original=ORDERED | {"order": "۱۴۰۴/A-77.2"}))
    assert isinstance(body.original, shapes.Original)
    assert names.text_of(body.original) == "o.12.1404%2FA-77%2E2.purchase"
    at_a_till = read(refund(original=ORDERED, identifier={"card": CARD}))
    assert at_a_till.original == body.original
    itself = {"original": ORDERED | {"operation": "refund-1"}}
    assert refused(body_of(**back, **itself)) == "original-is-itself"
    for original, code in (
        (ORDERED | {"occurred_at": ...}, Code.MISSING_FIELD),
        (ORDERED | {"order": ...}, Code.MISSING_FIELD),
        (ORDERED | {"terminal": 7}, Code.FIELD_NOT_ALLOWED),
        (ORDERED | {"id": "3.t.1.1.1"}, Code.FIELD_NOT_ALLOWED),
        (ORDERED | {"order": "a b"}, Code.BAD_ORDER),
    ):
        sent = {k: v for k, v in original.items() if v is not ...}
        assert refused(body_of(**back, original=sent)) == code.code


# -------------------------------------------------------------------------------- on the road

AT = datetime.now(UTC).isoformat()


def ordered(order: str, operation: str = "purchase", **changes: Any) -> dict[str, Any]:
    named = {"merchant": 12, "order": order, "operation": operation, "occurred_at": AT}
    body = till_purchase(0, terminal=..., epoch=..., **(named | changes))
    del body["sequence"]
    return body


async def sent(edge: Edge, body: dict[str, Any]) -> tuple[int, PosTransaction]:
    answer = await edge.post(body)
    assert answer.status_code == 200, answer.text
    record, event = edge.last()
    return record.partition, event.data


async def test_an_online_order_goes_the_same_road_under_its_own_name(edge: Edge) -> None:
    shard, data = await sent(edge, ordered("۱۴۰۴/77"))
    assert (shard, data.account, data.name) == (5, 1000001, "o.12.1404%2F77.purchase")
    assert data.channel is Channel.ONLINE
    assert (data.merchant, data.party, data.branch, data.terminal) == (12, 112, 3, TERMINAL)
    assert (data.programme_version, data.terms_version) == (2, 2)


async def test_every_key_of_the_online_terminal_sends_the_same_order(edge: Edge) -> None:
    prints: set[Any] = set()
    for key_id in ("k1", "k2"):
        answer = await edge.post(ordered("W-1"), bearer(TERMINAL, key_id))
        assert answer.status_code == 200
        prints.add((edge.last()[1].data.name, edge.last()[1].fingerprint))
    assert len(prints) == 1
    answer = await edge.post(ordered("W-1"), bearer(SISTER))
    assert (answer.status_code, answer.json()["code"]) == (403, "terminal-not-online")
    answer = await edge.post(ordered("W-1"), bearer(STRANGER))
    assert (answer.status_code, answer.json()["code"]) == (403, "merchant-mismatch")


async def test_an_unanswered_order_is_accepted_under_its_id(
    impatient: Edge, answering: Any
) -> None:
    answering(lambda event: None)
    answer = await impatient.post(ordered("A.1/2"))
    assert answer.status_code == 202
    assert answer.json()["id"] == "5.o.12.A%2E1%2F2.purchase"
    status = await impatient.client.get(answer.json()["status_url"], headers=bearer(SISTER))
    assert (status.status_code, status.json()["status"]) == (202, "not-yet-known")
    known = b'{"id":"5.o.12.A%2E1%2F2.purchase"}'
    impatient.services.outcomes["5/o.12.A%2E1%2F2.purchase"] = known
    status = await impatient.client.get(answer.json()["status_url"], headers=bearer(SISTER))
    assert (status.status_code, status.content) == (200, known)
    status = await impatient.client.get(answer.json()["status_url"], headers=bearer(STRANGER))
    assert (status.status_code, status.json()["code"]) == (403, "not-your-transaction")


async def test_an_online_order_is_refunded_by_id_or_name_online_or_at_a_till(edge: Edge) -> None:
    name = "o.12.R-1.purchase"
    bare = {"kind": "refund", "amount_rial": ..., "lines": ...}
    by_id = bare | {"identifier": ..., "original": {"id": f"9.{name}"}}
    shard, data = await sent(edge, ordered("R-1", "refund-1", **by_id))
    assert (shard, data.original, data.account) == (9, name, 0)
    original = {"merchant": 12, "order": "R-1", "operation": "purchase", "occurred_at": AT}
    shard, data = await sent(edge, ordered("R-1", "refund-2", **bare, original=original))
    assert (shard, data.original, data.account) == (5, name, 1000001)
    at_a_till = till_purchase(50, **bare, original=original)
    shard, data = await sent(edge, at_a_till)
    assert (shard, data.original, data.channel) == (5, name, Channel.TILL)
    for changes, status, code in (
        ({"original": original | {"merchant": 13}}, 403, "original-of-another-merchant"),
        ({"original": {"id": "5.o.12.R-1.refund-3"}}, 422, "original-is-itself"),
        ({"original": {"id": "5.o.12.R/1.purchase"}}, 422, "bad-transaction-id"),
    ):
        answer = await edge.post(ordered("R-1", "refund-3", **(bare | changes)))
        assert (answer.status_code, answer.json()["code"]) == (status, code)
