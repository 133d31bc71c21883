"""The HTTP edge over ASGI: every error is problem+json with a stable code, Persian first."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kit.base import auth, clock, errors, web
from kit.base.db import DataError
from kit.server import management
from support.callers import Vouched

JSON = {"content-type": "application/json"}
SECRET = "vouching"


class Card(BaseModel):
    number: int
    text: str = ""
    digits: list[int] = []


class CardBlocked(errors.Conflict):
    """A subclass with a code of its own."""

    code = "card-blocked"
    fa = "کارت بسته است."


router = APIRouter()


@router.post("/cards/{card}")
async def put_card(card: Annotated[int, Path(ge=1)], body: Card) -> dict[str, int]:
    if card == 7:
        raise CardBlocked("the card is blocked; unblock it first", until="2026")
    if card == 8:
        raise ZeroDivisionError
    if card == 9:
        raise errors.Unavailable
    return {"card": card, "number": body.number}


@router.post("/v1/cards/{card}")
async def put_known_card(request: Request, card: int, body: Card) -> int:
    return card + body.number + len(auth.require(request).subject)


@router.get("/secret")
async def secret(request: Request) -> list[str]:
    return [auth.require(request, "money", "merchant:5").subject]


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = web.app(
        "test",
        routes=[router, Route("/echo", echo, methods=["POST"])],
        readiness={"table": lambda: True},
        body_bytes_max={"/echo": 100_000},
    )
    app.state.readiness["clock"] = lambda: app.state.ticking
    app.state.ticking = True
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        made.headers["x-test"] = "1"
        made.app = app  # type: ignore[attr-defined]
        yield made


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/cards/7", b'{"number": 1}', 409, "card-blocked"),
        ("POST", "/cards/1", b"{", 400, "malformed-json"),
        ("POST", "/cards/1", b'{"number": NaN}', 400, "malformed-json"),
        ("POST", "/cards/1", b'{"number": 1, "number": 2}', 400, "duplicate-key"),
        ("POST", "/cards/1", b'{"number": 1, "\\u006eumber": 2}', 400, "duplicate-key"),
        ("POST", "/cards/1", b"[" * 400 + b'"\\u0000"' + b"]" * 400, 400, "malformed-json"),
        ("POST", "/cards/1", b'{"a":' * 9_000 + b"1" + b"}" * 9_000, 400, "malformed-json"),
        ("POST", "/cards/1", b'{"number": ' + b"9" * 5_000 + b"}", 400, "malformed-json"),
        ("POST", "/cards/1", '{"number": 1}'.encode("utf-16"), 400, "malformed-json"),
        ("POST", "/cards/1%00", b'{"number": 1}', 400, "unstorable-text"),
        ("GET", "/cards/1?after=%00", b"", 400, "unstorable-text"),
        ("POST", "/cards/1%ff", b'{"number": 1}', 400, "unstorable-text"),
        ("GET", "/cards/1?after=%D8", b"", 400, "unstorable-text"),
        ("GET", "/cards/1?after=%ED%A0%80", b"", 400, "unstorable-text"),  # a lone surrogate
        ("GET", "/cards/%D8%B3?after=%D8%B3", b"", 405, "not-allowed"),  # whole Persian passes
        ("POST", "/cards/1", b'{"number": "x"}', 422, "invalid"),
        ("POST", "/cards/1", b"", 422, "invalid"),
        ("POST", "/cards/0", b'{"number": 1}', 422, "invalid"),
        ("POST", "/cards/1", b'{"number": 1, "text": "\\u0000"}', 400, "unstorable-text"),
        ("POST", "/cards/1", b'{"number": 1, "text": "\\ud800"}', 400, "unstorable-text"),
        ("POST", "/cards/1", b'{"number": 1, "\\udfff": ["a"]}', 400, "unstorable-text"),
        ("POST", "/cards/1", b" " * 70_000, 413, "too-large"),
        ("POST", "/cards/8", b'{"number": 1}', 500, "internal"),
        ("POST", "/cards/9", b'{"number": 1}', 503, "unavailable"),
        ("GET", "/cards/1", b"", 405, "not-allowed"),
        ("GET", "/nowhere", b"", 404, "not-found"),
        ("GET", "/secret", b"", 401, "unauthorized"),
    ],
)
async def test_every_error_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    answer = await client.request(method, path, content=body, headers=JSON)
    assert answer.headers["content-type"] == "application/problem+json"
    shown = answer.json()
    assert (answer.status_code, shown["status"], shown["code"]) == (status, status, code)
    assert shown["type"] == f"urn:peyvand:problem:{code}"
    assert shown["instance"] == unquote(path.partition("?")[0])
    assert shown["detail"]
    assert shown["title"]
    assert any("\u0600" <= letter <= "\u06ff" for letter in shown["fa"])


def test_the_words_of_the_database_are_for_the_log() -> None:
    shown = web.problem(errors.Unavailable("database: could not connect to 10.0.0.7"))
    assert b"10.0.0.7" not in bytes(shown.body)
    refused = DataError('duplicate key value violates "pk" DETAIL: (4)', "23505", "pk")
    shown = web.problem(refused)
    assert (shown.status_code, "duplicate" in bytes(shown.body).decode()) == (409, False)
    assert "duplicate" in str(refused)
    assert web.problem(DataError("out of range", "22003", "")).status_code == 422


async def test_extra_fields_and_retry_after_are_kept(client: httpx.AsyncClient) -> None:
    answer = await client.post("/cards/7", json={"number": 1})
    assert answer.json()["until"] == "2026"
    assert answer.json()["fa"] == CardBlocked.fa
    assert (await client.post("/cards/9", json={"number": 1})).headers["retry-after"] == "1"
    limited = errors.TooMany()
    limited.retry_after_s = 600
    assert web.problem(limited).headers["retry-after"] == "600"


@pytest.mark.parametrize("path", ["/secret/", "/cards/5/", "/secret//"])
async def test_an_address_with_a_slash_too_many_is_none(
    client: httpx.AsyncClient, path: str
) -> None:
    """A redirect would tell callers the service's own address."""
    answer = await client.request("GET" if "secret" in path else "POST", path, json={"number": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "location" not in answer.headers


async def test_fields_that_do_not_validate_are_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/cards/1", json={"number": "x"})
    assert [f["field"] for f in answer.json()["fields"]] == ["number"]


async def test_whole_characters_pass(client: httpx.AsyncClient) -> None:
    body = '{"number": 1, "text": "\\ud83d\\ude00 \\\\u0000 سلام"}'.encode()
    assert (await client.post("/cards/1", content=body, headers=JSON)).status_code == 200


async def test_a_limit_of_its_own_and_a_body_in_pieces(client: httpx.AsyncClient) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1_000

    assert (await client.post("/echo", content=pieces(99))).text == "99000"
    assert (await client.post("/echo", content=pieces(101))).status_code == 413
    assert (await client.post("/cards/1", content=pieces(66))).status_code == 413


async def test_health_and_metrics_are_of_the_inner_door(client: httpx.AsyncClient) -> None:
    app = client.app  # type: ignore[attr-defined]
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert (await client.get(path)).status_code == 404
    transport = httpx.ASGITransport(management.Management(app).asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as inside:
        assert (await inside.get("/health/live")).status_code == 200
        assert (await inside.get("/health/ready")).status_code == 200
        app.state.ticking = False
        answer = await inside.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {"table": True, "clock": False}
        assert "/cards/{card}" in (await inside.get("/openapi.json")).json()["paths"]


async def test_metrics_have_the_route_not_the_path(client: httpx.AsyncClient) -> None:
    await client.post("/cards/12345", json={"number": 1})
    transport = httpx.ASGITransport(management.Management(client.app).asgi())  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as inside:
        asked = [inside.get("/metrics") for _ in range(3)]
        shown = [answer.text for answer in await asyncio.gather(*asked)]
    assert 'route="/cards/{card}",status="200"' in shown[0]
    assert "12345" not in shown[0]
    assert shown[0] == shown[1] == shown[2]  # rendered once for all who ask at a time


async def test_the_document_is_for_the_gateway_alone(vouched: httpx.AsyncClient) -> None:
    assert (await vouched.get("/openapi.json")).status_code == 401
    for role, status in (("money", 403), ("service", 200)):
        signed = Vouched("test", SECRET, {role})
        assert (await vouched.get("/openapi.json", auth=signed)).status_code == status


async def test_an_unforeseen_error_ends_its_connection_and_is_told_once(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.post("/cards/8", json={"number": 1})
    assert (answer.status_code, answer.headers["connection"]) == (500, "close")
    assert [r.message for r in caplog.records] == ["unforeseen error"]


async def test_a_body_that_breaks_off_is_nobodys(client: httpx.AsyncClient) -> None:
    """Half of an import is not an import."""
    heard: list[bytes] = []

    async def keep(request: Request) -> PlainTextResponse:
        heard.append(await request.body())
        return PlainTextResponse("")

    app = web.app("test", routes=[Route("/keep", keep, methods=["POST"])])
    said = iter(
        [
            {"type": "http.request", "body": b"line 1\n", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(said)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/keep", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    assert heard == []


@pytest.mark.parametrize(
    ("roles", "status"),
    [({"money"}, 200), ({"merchant:5", "x"}, 200), ({"merchant:6"}, 403), (set(), 403)],
)
async def test_a_vouched_actor_needs_the_role(
    vouched: httpx.AsyncClient, roles: set[str], status: int
) -> None:
    answer = await vouched.get("/secret", auth=Vouched("test", SECRET, roles, subject="o1"))
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == ["o1"]


@pytest.mark.parametrize(
    "spoil", ["secret", "room", "method", "path", "query", "payload", "stale", "future", "none"]
)
def test_what_the_gateway_did_not_sign_is_refused(spoil: str) -> None:
    now = clock.wall()
    actor = auth.Actor("o1", frozenset({"money"}), 5, session="s1", address="10.0.0.1")
    call = auth.Call("test", "get", "/a", "b=1")
    value = auth.sign(actor, SECRET, call, now, body=b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    kept = now + timedelta(seconds=59)
    assert auth.verify(value, (SECRET,), call, kept) == (actor, digest)
    assert auth.verify(value, ("new", SECRET), call, kept) == (actor, digest)
    other = {"room": "other", "method": "POST", "path": "/b", "query": "b=2"}
    late = {"stale": timedelta(seconds=61), "future": timedelta(seconds=-61)}.get(spoil)
    with pytest.raises(errors.Unauthorized):
        auth.verify(
            {"payload": "x" + value, "none": ""}.get(spoil, value),
            ("other",) if spoil == "secret" else (SECRET,),
            replace(call, **{spoil: other[spoil]}) if spoil in other else call,
            now + (late or timedelta()),
        )


def test_no_secret_believes_nobody() -> None:
    call = auth.Call("test", "GET", "/a")
    value = auth.sign(auth.Actor("o1", frozenset()), "", call, clock.wall())
    with pytest.raises(errors.Unauthorized):
        auth.verify(value, auth.secrets_of(""), call, clock.wall())


def test_a_room_signs_for_no_other_room() -> None:
    master = "the gateway's own"
    secrets = {room: auth.room_secret(master, room) for room in ("members", "ledger")}
    assert len({*secrets.values(), master}) == 3
    call = auth.Call("ledger", "GET", "/a")
    actor, now = auth.Actor("o1", frozenset({"money"})), clock.wall()
    forged = auth.sign(actor, secrets["members"], call, now)
    with pytest.raises(errors.Unauthorized):
        auth.verify(forged, (secrets["ledger"],), call, now)
    elsewhere = auth.sign(actor, secrets["ledger"], replace(call, room="members"), now)
    with pytest.raises(errors.Unauthorized):
        auth.verify(elsewhere, (secrets["ledger"],), call, now)


@pytest.fixture
async def vouched() -> AsyncIterator[httpx.AsyncClient]:
    """An application that the gateway alone may call, but at one address."""
    signed = auth.Signing("test", SECRET, open_paths=("/anybody",))
    inner = APIRouter()
    inner.add_api_route("/secret", secret)
    inner.add_api_route("/anybody", _anybody)
    inner.add_api_route(
        "/v1/merchants/{merchant}/cards/{card}",
        _own,
        methods=["PUT"],
        dependencies=[auth.allow("money", own=True)],
    )
    app = web.app("test", routes=[inner], signed=signed)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


async def _anybody() -> str:
    return "anybody"


async def _own(request: Request, merchant: int, card: int, body: Card) -> list[str | int]:
    return [auth.actor_of(request).subject, merchant, card, body.number]


OWN = "/v1/merchants/5/cards/7"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"number":"x"}', b'{"number":1}', b"\x00", b"[" * 9_000, b"x" * 70_000],
)
async def test_a_stranger_hears_401_whatever_he_sends(
    vouched: httpx.AsyncClient, body: bytes
) -> None:
    for path in (OWN, "/v1/merchants/x/cards/y", "/nowhere", "/secret", "/openapi.json"):
        for method in ("PUT", "GET", "POST"):
            answer = await vouched.request(method, path, content=body, headers=JSON)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert (await vouched.get("/anybody")).status_code == 200


@pytest.mark.parametrize(
    ("roles", "status"),
    [
        ({"money"}, 422),
        ({"merchant:5"}, 422),
        ({"merchant:6"}, 403),
        ({"merchant:None"}, 403),
        ({"service"}, 403),
        (set(), 403),
    ],
)
async def test_the_role_is_asked_for_before_the_body_is_read(
    vouched: httpx.AsyncClient, roles: set[str], status: int
) -> None:
    signed = Vouched("test", SECRET, roles)
    answer = await vouched.put(OWN, json={"number": "x"}, auth=signed)
    assert answer.status_code == status


async def test_a_body_other_than_the_signed_one_is_refused(vouched: httpx.AsyncClient) -> None:
    signed = Vouched("test", SECRET, {"money"}, subject="o1")
    answer = await vouched.put(OWN, json={"number": 1}, auth=signed)
    assert (answer.status_code, answer.json()) == (200, ["o1", 5, 7, 1])
    kept = {auth.HEADER: answer.request.headers[auth.HEADER]} | JSON
    again = await vouched.put(OWN, content=answer.request.content, headers=kept)
    assert again.status_code == 200
    for forged in (b'{"number":2}', b""):
        other = await vouched.put(OWN, content=forged, headers=kept)
        assert (other.status_code, other.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("kind", ["application/x+json", "application/JSON+Json; a=b"])
async def test_every_kind_of_json_has_the_one_reader(client: httpx.AsyncClient, kind: str) -> None:
    headers = {"content-type": kind}
    twice = await client.post("/cards/1", content=b'{"number":1,"number":2}', headers=headers)
    assert (twice.status_code, twice.json()["code"]) == (400, "duplicate-key")


async def test_an_answer_lists_the_first_faults_and_counts_the_rest(
    client: httpx.AsyncClient,
) -> None:
    body = {"number": 1, "digits": ["x"] * 300}
    answer = await client.post("/cards/1", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["fields"]) == web.FIELDS_MAX
    assert answer.json()["detail"].endswith("; and 280 more")
    assert len(answer.content) < 10_000
