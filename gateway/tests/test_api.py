"""The HTTP door: what bad input gets, who may do what, what became of a transaction."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.problems import Code
from kit.server import management
from kit.stream import kafka

from .conftest import Edge, gateway_of, ready, settings_of
from .fakes import (
    CARD,
    MOBILE,
    SISTER,
    STRANGER,
    TERMINAL,
    bearer,
    operator,
    purchase,
    terminal,
    terminal_key,
)

SARA = ["partners", "terminals", "money", "enrol", "support", "rules"]
AHEAD = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()


def raw(text: str, **changes: Any) -> bytes:
    """A purchase's JSON with a piece of text where SKU stands."""
    body = purchase(1, lines=[{"line": 1, "amount_rial": 1000, "sku": "SKU"}], **changes)
    return json.dumps(body).replace("SKU", text).encode("utf-8", "surrogatepass")


TABLE: list[tuple[str, Any, dict[str, str], int, str]] = [
    ("malformed JSON", b'{"terminal":', bearer(TERMINAL), 400, "malformed-json"),
    ("no JSON", b"amount=5", bearer(TERMINAL), 400, "malformed-json"),
    ("empty", b"", bearer(TERMINAL), 400, "malformed-json"),
    ("not UTF-8", b'{"kind":"\xff"}', bearer(TERMINAL), 400, "malformed-json"),
    ("unknown field", purchase(1, colour="red"), bearer(TERMINAL), 422, "unknown-field"),
    ("float", purchase(1, amount_rial=1000.0), bearer(TERMINAL), 422, "not-an-integer"),
    ("negative", purchase(1, amount_rial=-1000), bearer(TERMINAL), 422, "out-of-range"),
    ("over-large", purchase(1, amount_rial=2**53), bearer(TERMINAL), 422, "out-of-range"),
    ("sum", purchase(1, amount_rial=1001), bearer(TERMINAL), 422, "lines-do-not-add-up"),
    ("zero", purchase(1, amount_rial=0, lines=...), bearer(TERMINAL), 422, "amount-is-zero"),
    ("kind", purchase(1, kind="gift"), bearer(TERMINAL), 422, "unknown-kind"),
    ("card digit", purchase(1, identifier={"card": CARD[:-1] + "4"}), bearer(TERMINAL), 422,
     "bad-identifier"),
    ("unknown card", purchase(1, identifier={"card": "6037990000000006"}), bearer(TERMINAL), 422,
     "unknown-identifier"),
    ("unknown mobile", purchase(1, identifier={"mobile": "09350000000"}), bearer(TERMINAL), 422,
     "unknown-identifier"),
    ("unknown QR", purchase(1, identifier={"qr": "PV1" + "a" * 20}), bearer(TERMINAL), 422,
     "unknown-identifier"),
    ("external", purchase(1, identifier={"external": "x"}), bearer(TERMINAL), 422,
     "bad-identifier"),
    ("no key", purchase(1), {}, 401, "key-missing"),
    ("no bearer", purchase(1), {"authorization": "Basic eDp5"}, 401, "key-missing"),
    ("wrong secret", purchase(1), {"authorization": f"Bearer pvt_{TERMINAL}_k1_wrong"}, 401,
     "key-unknown"),
    ("no such key", purchase(1), bearer(TERMINAL, "k9"), 401, "key-unknown"),
    ("no such terminal", purchase(1), bearer(55), 401, "key-unknown"),
    ("nonsense key", purchase(1), {"authorization": "Bearer hello"}, 401, "key-unknown"),
    ("operator's key", purchase(1), operator("sara"), 403, "role-missing"),
    ("another terminal", purchase(1, terminal=SISTER), bearer(TERMINAL), 403,
     "terminal-mismatch"),
    ("epoch", purchase(1, epoch=3), bearer(TERMINAL), 422, "unknown-epoch"),
    ("ahead", purchase(1, occurred_at=AHEAD), bearer(TERMINAL), 422, "occurred-at-ahead"),
    ("no zone", purchase(1, occurred_at="2026-03-21T10:00:00"), bearer(TERMINAL), 422, "bad-time"),
    ("U+0000", raw("a\\u0000b"), bearer(TERMINAL), 400, "unstorable-text"),
    ("high surrogate", raw("\\ud800"), bearer(TERMINAL), 400, "unstorable-text"),
    ("low surrogate", raw("x\\udc00x"), bearer(TERMINAL), 400, "unstorable-text"),
    ("raw U+0000", raw("a\x00b").replace(b"\\u0000", b"\x00"), bearer(TERMINAL), 400,
     "malformed-json"),
    ("raw surrogate", raw("a").replace(b'"a"', b'"\xed\xa0\x80"'), bearer(TERMINAL), 400,
     "malformed-json"),
    ("too large", b'{"x":"' + b"a" * 65_536 + b'"}', bearer(TERMINAL), 413, "too-large"),
    ("deep", b'{"x":' * 9_000, bearer(TERMINAL), 400, "malformed-json"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
async def test_bad_input_is_refused_and_nothing_is_posted(
    edge: Edge, body: Any, headers: dict[str, str], status: int, code: str
) -> None:
    before = await kafka.end_offsets(edge.settings.kafka_bootstrap, ["pos.transactions"])
    answer = await edge.post(body, headers)
    assert_problem(answer, status, code)
    after = await kafka.end_offsets(edge.settings.kafka_bootstrap, ["pos.transactions"])
    assert after == before


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:peyvand:problem:{code}"
    assert problem["status"] == status
    assert len(problem["detail"]) > 20
    assert any("\u0600" <= c <= "\u06ff" for c in problem["fa"])


async def test_persian_and_arabic_digits_are_accepted_anywhere(edge: Edge) -> None:
    body = purchase(
        "۵۰۱",
        terminal="۱۰۰۰۰۰۱۷",
        amount_rial="٧٠٠",
        lines=[{"line": "۱", "amount_rial": "۷۰۰"}],
        identifier={"card": "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳"},
    )
    assert (await edge.post(body)).status_code == 200
    data = edge.last()[1].data
    assert (data.name, data.amount_rial) == (f"t.{TERMINAL}.2.501", 700)


async def test_an_old_epoch_may_be_retried_and_an_escaped_backslash_is_no_zero(
    edge: Edge,
) -> None:
    assert (await edge.post(purchase(1, epoch=1))).status_code == 200
    assert (await edge.post(raw("a\\\\u0000b"))).status_code == 200


# --------------------------------------------------------------------------------- keys, limits


async def test_a_rotated_key_works_and_a_revoked_one_asks_for_a_day(edge: Edge) -> None:
    number, now = 10000031, datetime.now(UTC)

    key = partial(terminal_key, number)
    await edge.publish(terminal(number, keys=(key("k1"),)))
    body = purchase(1, terminal=number)
    assert (await edge.post(body, bearer(number))).status_code == 200
    recent, old = now - timedelta(hours=23), now - timedelta(hours=25)
    keyring = (key("k1", revoked_at=recent), key("k2"), key("k3", revoked_at=old))
    await edge.publish(terminal(number, version=2, keys=keyring))
    assert (await edge.post(body, bearer(number, "k2"))).status_code == 200
    assert_problem(await edge.post(body, bearer(number, "k1")), 401, "key-revoked")

    async def status(key_id: str, name: str) -> int:
        headers = bearer(number, key_id)
        return (await edge.client.get(f"/v1/transactions/{name}", headers=headers)).status_code

    own, sisters = f"5.t.{number}.2.1", f"5.t.{TERMINAL}.2.1"
    assert [await status(k, own) for k in ("k1", "k2", "k3")] == [202, 202, 401]
    assert [await status(k, sisters) for k in ("k1", "k2")] == [401, 202]
    orders, imported = "5.o.12.77.purchase", "5.h.12.A.purchase"
    assert [await status(k, orders) for k in ("k1", "k2", "k3")] == [401, 202, 401]
    assert [await status(k, imported) for k in ("k1", "k2")] == [401, 202]
    await edge.publish(terminal(number, version=3, keys=keyring, online=True))  # they are its own
    assert [await status(k, orders) for k in ("k1", "k2", "k3")] == [202, 202, 401]
    assert await status("k1", "5.o.13.77.purchase") == 403


async def test_an_inactive_terminal_posts_nothing(edge: Edge) -> None:
    await edge.publish(terminal(10000032, active=False))
    answer = await edge.post(purchase(1, terminal=10000032), bearer(10000032))
    assert_problem(answer, 403, "terminal-inactive")


async def test_limits_of_rate_and_of_waiting(edge: Edge, tmp_path: Path) -> None:
    settings = settings_of(
        edge.settings.kafka_bootstrap,
        tmp_path,
        1,
        reply_partition=1,
        terminal_rate_per_s=0.1,
        terminal_burst=3.0,
        pending_max=0,
    )
    async with gateway_of(settings, edge.producer) as app:
        await ready(app)
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:

            async def post() -> httpx.Response:
                body = json.dumps(purchase(1)).encode()
                return await client.post("/v1/transactions", content=body, headers=bearer(TERMINAL))

            answers = [await post() for _ in range(4)]
    assert [a.status_code for a in answers] == [503, 503, 503, 429]
    assert_problem(answers[0], 503, "gateway-busy")
    assert_problem(answers[3], 429, "rate-limited")
    assert all(a.headers["retry-after"] for a in answers)


async def test_unknown_numbers_are_asked_of_the_owner_within_a_limit(
    edge: Edge, tmp_path: Path
) -> None:
    settings = settings_of(
        edge.settings.kafka_bootstrap, tmp_path, 1, reply_partition=1, lookup_burst=0.0
    )
    async with gateway_of(settings, edge.producer) as app:
        await ready(app)
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            body = json.dumps(purchase(1, identifier={"mobile": "09350000001"})).encode()
            answer = await client.post("/v1/transactions", content=body, headers=bearer(TERMINAL))
    assert_problem(answer, 503, "lookup-unavailable")


# --------------------------------------------------------------------------------------- status


async def test_a_status_is_the_ledgers_body_and_202_while_unknown(edge: Edge) -> None:
    known = f'{{"id":"5.t.{TERMINAL}.2.900","first_answer":{{"x": 1}},"current":{{}}}}'.encode()
    edge.services.outcomes[f"5/t.{TERMINAL}.2.900"] = known
    url = f"/v1/transactions/5.t.{TERMINAL}.2."
    answer = await edge.client.get(url + "900", headers=bearer(SISTER))
    assert (answer.status_code, answer.content) == (200, known)
    answer = await edge.client.get(url + "901", headers=bearer(TERMINAL))
    assert answer.status_code == 202
    assert answer.json()["status"] == "not-yet-known"
    answer = await edge.client.get(url + "900", headers=operator("sara"))
    assert answer.status_code == 200


async def test_a_historic_name_is_asked_for_as_it_is_spelled(edge: Edge) -> None:
    known = b'{"id":"2.h.12.A%2E7%2F.purchase"}'
    edge.services.outcomes["2/h.12.A%2E7%2F.purchase"] = known
    url = "/v1/transactions/2.h.12.A%252E7%252F.purchase"
    assert (await edge.client.get(url, headers=bearer(TERMINAL))).status_code == 200
    answer = await edge.client.get(url, headers=bearer(STRANGER))
    assert_problem(answer, 403, "not-your-transaction")


@pytest.mark.parametrize(
    ("public_id", "who", "status", "code"),
    [
        (f"5.t.{TERMINAL}.2.900", bearer(STRANGER), 403, "not-your-transaction"),
        ("5.t.4242.1.1", bearer(TERMINAL), 403, "not-your-transaction"),
        ("5.a.1000001.first-purchase", bearer(TERMINAL), 403, "not-your-transaction"),
        ("hello", bearer(TERMINAL), 422, "bad-transaction-id"),
        (f"99.t.{TERMINAL}.2.1", bearer(TERMINAL), 422, "bad-transaction-id"),
        (f"5.t.{TERMINAL}.2.900", {}, 401, "key-missing"),
    ],
)
async def test_a_status_is_not_for_everybody(
    edge: Edge, public_id: str, who: dict[str, str], status: int, code: str
) -> None:
    answer = await edge.client.get(f"/v1/transactions/{public_id}", headers=who)
    assert_problem(answer, status, code)


async def test_a_silent_ledger_is_a_503(edge: Edge) -> None:
    edge.services.delay_s = 3.0
    try:
        url = f"/v1/transactions/5.t.{TERMINAL}.2.1"
        answer = await edge.client.get(url, headers=bearer(TERMINAL))
    finally:
        edge.services.delay_s = 0.0
    assert_problem(answer, 503, "service-unavailable")


# --------------------------------------------------------------------------------- pass-through


async def test_administration_is_passed_on_with_the_actor_and_without_the_key(
    edge: Edge,
) -> None:
    edge.services.forwarded.clear()
    headers = operator("sara") | {"content-type": "application/x-ndjson", "connection": "close"}
    body = b'{"mobile":"09123456789"}\n' * 200_000  # 5 MB
    url = "/v1/members/import?dry=%31&x=a%2Fb"
    answer = await edge.client.post(url, content=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json() == {"subject": "sara", "roles": sorted(SARA), "bytes": len(body)}
    assert (answer.headers["etag"], answer.headers["x-own"]) == ('"7"', "1")
    method, path, onward, _ = edge.services.forwarded[-1]
    assert method == "POST"
    assert path.startswith("/v1/members/import?")
    onward = {k.lower(): v for k, v in onward.items()}
    assert "authorization" not in onward
    assert onward["content-type"] == "application/x-ndjson"
    assert len(onward["traceparent"]) == 55


@pytest.mark.parametrize(
    ("method", "path", "who", "status"),
    [
        ("GET", "/v1/merchants/5", "sara", 201),
        ("PUT", "/v1/merchants/5", "sara", 201),
        ("PUT", "/v1/merchants/5", "reza", 403),
        ("DELETE", "/v1/terminals/5/keys/abcdefgh", "sara", 201),
        ("GET", "/v1/cases", "sara", 201),
        ("GET", "/v1/cases", "reza", 201),
        ("PUT", "/v1/cases/c1/verdict", "reza", 201),
        ("PUT", "/v1/cases/c1/verdict", "sara", 403),
        ("GET", "/v1/accounts/5/lots", "reza", 201),
        ("GET", "/v1/positions", "reza", 403),
        ("GET", "/v1/merchants/12", "shop", 201),
        ("GET", "/v1/merchants/12/terminals", "shop", 201),
        ("GET", "/v1/merchants/13", "shop", 403),
        ("GET", "/v1/merchants/13/nobody/5", "shop", 403),
        ("GET", "/v1/merchants", "shop", 403),
        ("PUT", "/v1/merchants/12", "shop", 403),
        ("GET", "/v1/parties/12", "shop", 403),
        ("GET", "/v1/transactions/5.t.1.1.1", "shop", 403),
        ("PUT", "/v1/first-purchase/versions/2", "sara", 201),
        ("GET", "/v1/positions", "importer", 403),
        ("GET", "/v1/bookings/5.h.5.a%252Eb.purchase", "sara", 201),
        ("GET", "/v1/vintages?issuer=5", "sara", 201),
        ("GET", "/v1/revenue", "reza", 403),
        ("GET", "/v1/checkpoints/3", "sara", 201),
        ("GET", "/v1/proofs/3/17", "sara", 201),
        ("GET", "/v1/proofs/3/17", "importer", 403),
        ("GET", "/v1/consistency/3?old=1", "sara", 201),
        ("GET", "/v1/merchants", "", 401),
        ("TRACE", "/v1/merchants", "sara", 404),
        ("GET", "/v1/members/../../internal/identifiers/x", "sara", 404),
        ("GET", "/v1/members/%2e%2e/x", "sara", 404),
        ("GET", "/v1/nothing", "sara", 404),
        ("GET", "/internal/outcomes/1/x", "sara", 404),
    ],
)
async def test_roles_are_asked_per_address_and_method(
    edge: Edge, method: str, path: str, who: str, status: int
) -> None:
    headers = operator(who) if who else {}
    # a path with dots as it is: httpx would tidy it up
    url = httpx.URL("http://edge").copy_with(raw_path=path.encode())
    answer = await edge.client.request(method, url, headers=headers)
    assert answer.status_code == status, answer.text


async def test_a_terminals_key_administers_nothing(edge: Edge) -> None:
    answer = await edge.client.get("/v1/merchants/5", headers=bearer(TERMINAL))
    assert_problem(answer, 403, "role-missing")


async def test_a_body_over_eight_megabytes_is_refused(edge: Edge) -> None:
    body = b"x" * (8 * 2**20 + 1)
    answer = await edge.client.post("/v1/members/import", content=body, headers=operator("sara"))
    assert_problem(answer, 413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 2**20

    answer = await edge.client.post(
        "/v1/members/import", content=chunks(), headers=operator("sara")
    )
    assert_problem(answer, 413, "too-large")


async def test_a_service_that_is_down_is_a_503(edge: Edge, tmp_path: Path) -> None:
    settings = settings_of(edge.settings.kafka_bootstrap, tmp_path, 1, reply_partition=1)
    async with gateway_of(settings, edge.producer) as app:
        await ready(app)
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            answer = await client.put("/v1/merchants/5", content=b"{}", headers=operator("sara"))
    assert_problem(answer, 503, "service-unavailable")
    assert "merchants" in answer.json()["detail"]


# --------------------------------------------------------------------------------- health, codes


async def test_health_and_metrics_are_inside(edge: Edge) -> None:
    """On the public port a balancer learns that the process lives, and no more (findings S13)."""
    assert (await edge.client.get("/health/live")).json() == {"status": "live"}
    for path in ("/metrics", "/health/ready", "/health", "/metrics/"):
        assert (await edge.client.get(path)).status_code == 404
    transport = httpx.ASGITransport(app=management.Management(edge.app.asgi).asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as inside:
        ready_ = await inside.get("/health/ready")
        assert ready_.status_code == 200
        assert ready_.json()["checks"]["tables caught up"]
        await edge.post(purchase(990, identifier={"mobile": MOBILE}))
        text = (await inside.get("/metrics")).text
    assert 'peyvand_http_seconds_count{route="/v1/transactions",status="200"}' in text
    assert "peyvand_table_age_seconds" in text


def test_the_readme_lists_every_code() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", text, re.MULTILINE))
    own = {code.code: str(code.status) for code in Code}
    assert {c: s for c, s in rows.items() if c in own} == own
