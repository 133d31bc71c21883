"""What bad input gets, through real HTTP: a stable problem, and nothing posted."""

import json
from datetime import timedelta

import pytest

from peyvand import (
    NotFound,
    Status,
    requests,
    transport,
)

from .counter import Counter, Spoil, first_line, problem_of, put, text, without
from .participants import answer_of, body_of, now

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

SURROGATE = "\\ud800"


BAD: list[tuple[str, Spoil, int, str]] = [
    ("no JSON", text(lambda t: "{"), 400, "malformed-json"),
    ("half a JSON", text(lambda t: t[:-3]), 400, "malformed-json"),
    ("nothing", text(lambda t: ""), 400, "malformed-json"),
    ("no UTF-8", lambda body: b'{"terminal":"\xff\xfe"}', 400, "malformed-json"),
    ("nested too deep", text(lambda t: "[" * 20_000), 400, "malformed-json"),
    ("a list", text(lambda t: f"[{t}]"), 422, "bad-shape"),
    ("an unknown field", put(colour="red"), 422, "unknown-field"),
    ("an unknown field of a line", first_line(colour="red"), 422, "unknown-field"),
    ("an unknown kind", put(kind="gift"), 422, "unknown-kind"),
    ("no kind", without("kind"), 422, "missing-field"),
    ("no amount", without("amount_rial"), 422, "missing-field"),
    ("no identifier", without("identifier"), 422, "missing-field"),
    ("a field of another kind", put(redeem={"points": 1}), 422, "field-not-allowed"),
    ("a float", put(amount_rial=300_000.0), 422, "not-an-integer"),
    ("a float of a line", first_line(amount_rial=200_000.5), 422, "not-an-integer"),
    ("an exponent", text(lambda t: t.replace("300000", "3e5")), 422, "not-an-integer"),
    ("a boolean", put(amount_rial=True), 422, "not-an-integer"),
    ("an amount in words", put(amount_rial="three"), 422, "not-an-integer"),
    ("a negative amount", put(amount_rial=-1), 422, "out-of-range"),
    ("a negative line", first_line(amount_rial=-200_000), 422, "out-of-range"),
    ("over 2^53", put(amount_rial=2**53), 422, "out-of-range"),
    ("over 2^64", put(amount_rial=2**70), 422, "out-of-range"),
    ("no amount at all", put(amount_rial=0, lines=[{"line": 1, "amount_rial": 0}]), 422,
     "amount-is-zero"),
    ("lines that do not add up", put(amount_rial=300_001), 422, "lines-do-not-add-up"),
    ("no lines in lines", put(lines=[]), 422, "out-of-range"),
    ("a line twice", first_line(line=2), 422, "line-repeated"),
    ("line 0", first_line(line=0), 422, "out-of-range"),
    ("U+0000", put(lines=[{"line": 1, "amount_rial": 300_000, "sku": "a\u0000b"}]), 400,
     "unstorable-text"),
    ("a lone surrogate", text(lambda t: t.replace("a-1", SURROGATE)), 400, "unstorable-text"),
    ("a wrong check digit", put(identifier={"card": "9364000000000002"}), 422, "bad-identifier"),
    ("two identifiers", put(identifier={"card": "9364", "mobile": "0912"}), 422, "bad-identifier"),
    ("an empty identifier", put(identifier={}), 422, "bad-identifier"),
    ("a card nobody has", put(identifier={"card": "9364000000000001"}), 422,
     "unknown-identifier"),
    ("a mobile nobody has", put(identifier={"mobile": "09990000001"}), 422,
     "unknown-identifier"),
    ("a time without its zone", put(occurred_at="2026-03-21T10:00:00"), 422, "bad-time"),
    ("no time", put(occurred_at="yesterday"), 422, "bad-time"),
    ("an epoch nobody issued", put(epoch=99), 422, "unknown-epoch"),
    ("another terminal", put(terminal=17), 403, "terminal-mismatch"),
    ("a body too large", put(filler="x" * 70_000), 413, "too-large"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "status", "code"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
async def test_bad_request_gets_its_problem_and_posts_nothing(
    counter: Counter, spoil: Spoil, status: int, code: str
) -> None:
    before = await counter.participants.balance(counter.member)
    body = counter.body()
    spoilt = spoil(body)
    raw = spoilt if isinstance(spoilt, bytes) else json.dumps(spoilt).encode()

    reply = await counter.hand_in(raw)

    assert (reply.status, problem_of(reply)["code"]) == (status, code)
    id_ = f"{counter.member.shard}.t.{body['terminal']}.{body['epoch']}.{body['sequence']}"
    assert await counter.till.client.status(id_) is None
    assert await counter.participants.balance(counter.member) == before


async def test_name_refused_before_the_road_may_be_sent_again(counter: Counter) -> None:
    body = counter.body()
    refused = await counter.hand_in(json.dumps(body | {"amount_rial": -1}).encode())
    assert refused.status == 422

    heard = await counter.till.client.submit_bytes(json.dumps(body).encode())

    assert answer_of(heard).status is Status.COMPLETED


async def test_time_too_far_ahead_is_refused_before_the_road(counter: Counter) -> None:
    body = counter.body() | {"occurred_at": (now() + timedelta(minutes=5)).isoformat()}

    reply = await counter.hand_in(json.dumps(body).encode())

    assert (reply.status, problem_of(reply)["code"]) == (422, "occurred-at-ahead")
    name = f"t.{body['terminal']}.{body['epoch']}.{body['sequence']}"
    assert name not in await counter.participants.names_posted(counter.till.terminal)


async def test_time_too_far_past_is_a_stored_decline(counter: Counter) -> None:
    old = requests.purchase(
        counter.till.name(),
        counter.member.card,
        amount_rial=70_000,
        occurred_at=now() - timedelta(hours=100),
    )
    before = await counter.participants.balance(counter.member)

    answer = await counter.till.send(old)

    assert (answer.status, answer.code) == (Status.DECLINED, "occurred-at-too-old")
    assert answer.reasons[0].fa
    stored = await counter.till.client.status(answer.id)
    assert stored is not None
    assert stored.first_answer == answer
    assert stored.current.status == "declined"
    assert await counter.participants.balance(counter.member) == before


# ---------------------------------------------------------------------------------------- digits


@pytest.mark.parametrize("digits", ["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"], ids=["Persian", "Arabic"])
async def test_other_digits_mean_the_same_request(counter: Counter, digits: str) -> None:
    table = str.maketrans("0123456789", digits)
    body = counter.body()
    spelled = body | {
        "amount_rial": str(body["amount_rial"]).translate(table),
        "sequence": str(body["sequence"]).translate(table),
        "identifier": {"card": counter.member.number.translate(table)},
        "lines": [
            line | {"amount_rial": str(line["amount_rial"]).translate(table)}
            for line in body["lines"]
        ],
    }

    first = await counter.till.client.submit_bytes(json.dumps(spelled).encode())
    again = await counter.till.client.submit_bytes(json.dumps(body).encode())

    assert answer_of(first).points_earned == 300
    assert body_of(again) == body_of(first)


TITLES = '"title_fa": "a", "title_en": "b"'
ADMINISTRATION = [
    ("no JSON", "{", 400, "malformed-json"),
    ("a key sent twice", f"{{{TITLES}, {TITLES}}}", 400, "duplicate-key"),
    ("a list", "[]", 422, "invalid"),
    ("an unknown field", f'{{{TITLES}, "colour": 1}}', 422, "invalid"),
    ("a number as text", '{"title_fa": 3, "title_en": "b"}', 422, "invalid"),
    ("U+0000", '{"title_fa": "a\\u0000", "title_en": "b"}', 400, "unstorable-text"),
    ("a lone surrogate", '{"title_fa": "\\ud800", "title_en": "b"}', 400, "unstorable-text"),
    ("too large", f'{{"title_fa": "{"x" * 70_000}", "title_en": "b"}}', 413, "too-large"),
]


@pytest.mark.parametrize(
    ("raw", "status", "code"), [a[1:] for a in ADMINISTRATION], ids=[a[0] for a in ADMINISTRATION]
)
async def test_bad_administration_gets_its_problem_and_makes_nothing(
    counter: Counter, raw: str, status: int, code: str
) -> None:
    party = next(counter.participants.numbers)
    path = transport.path_of("parties", party)
    reply = await counter.participants.operator.transport.request("PUT", path, raw.encode())
    assert (reply.status, problem_of(reply)["code"]) == (status, code)
    with pytest.raises(NotFound):
        await counter.participants.operator.party(party)


@pytest.mark.parametrize("id_", ["nonsense", "3.t.1.2", "3.t.01.2.3", "99999.t.1.2.3", "3.q.1"])
async def test_malformed_id_gets_its_problem(counter: Counter, id_: str) -> None:
    reply = await counter.raw.transport.request("GET", transport.path_of("transactions", id_))
    assert (reply.status, problem_of(reply)["code"]) == (422, "bad-transaction-id")
