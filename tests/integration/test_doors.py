"""No address, query or body of any room's door is an error of ours, or reads back as nonsense.

Every operation of every room's own document is called on a real database with extremes in each of
its parameters and fields in turn (findings S1, S17 to S19, kind 1). Seeded: a run tells the same.
"""

import json
import random
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from kit.base import auth
from kit.base.db import Database
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock

from .extremes import RAW, TEXTS, TIMES, Shapes, beyond, put

SECRET: Final = "the actor secret of these tests"
NOW: Final = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
ROLES: Final = frozenset({*auth.STAFF, auth.SERVICE, auth.PERSON, auth.STRANGER, "merchant:5"})
SUBJECT: Final = str(uuid.UUID(int=1))  # as of whoever signed in
ROOMS: Final = ("merchants", "members", "campaigns", "fraud", "ledger", "notify", "identity")
# The database's words, and ours for what nobody foresaw.
INSIDE: Final = re.compile(
    r"constraint|violates|relation \"|asyncpg|DETAIL|invalid input|Traceback"
)
NONSENSE: Final = re.compile(
    r'"(\w+_)?(at|from|until)":"\d{4}-\d\d-\d\dT[\d:.]+"|[:\[,] ?-?(Infinity|NaN)'
)
EXTREME_TEXTS: Final = (*TEXTS, *TIMES)


def app_of(room: str, database: Database) -> FastAPI:
    """A service's application as its main lists it."""
    service = services.service(room)
    resources = services.opened(service, database, StoppedClock(NOW), actor_secret=SECRET, shards=1)
    return services.application(service, resources)


@dataclass
class Room:
    """A room's door. versions: the next number of what is published by number, by route."""

    name: str
    app: FastAPI
    client: httpx.AsyncClient
    calls: int = 0
    faults: list[str] = field(default_factory=list[str])
    numbers: dict[str, int] = field(default_factory=dict[str, int])

    async def call(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        signed = Vouched(self.name, SECRET, ROLES, subject=SUBJECT, approved_by="another")
        headers = {"content-type": "application/json"}
        self.calls += 1
        answer = await self.client.request(
            method, path, content=content, headers=headers, auth=signed
        )
        told = f"{method} {path[:200]} {(content or b'')[:300]!r} -> {answer.status_code}"
        wrong = _wrong(answer)
        if wrong:
            self.faults.append(f"{wrong}: {told} {answer.text[:400]}")
        return answer


@pytest_asyncio.fixture(loop_scope="session", scope="session", params=ROOMS)
async def room(
    request: pytest.FixtureRequest, fresh_database: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Room]:
    database = await Database.open(await fresh_database(request.param), size=2)
    app = app_of(request.param, database)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        made = Room(request.param, app, client)
        await _begin(request.param, made)
        yield made
    await database.close()


def _wrong(answer: httpx.Response) -> str:
    """What no answer may be; empty: it is well."""
    if answer.status_code >= 500:
        return "an error of ours"
    if answer.status_code < 400:
        return "no time, or no number" if NONSENSE.search(answer.text) else ""
    if answer.headers["content-type"] != "application/problem+json":
        return "no problem+json"
    if INSIDE.search(answer.text):
        return "words of our insides"
    return "" if re.search("[\u0600-\u06ff]", answer.json()["fa"]) else "no Persian"


TITLES: Final = {"title_fa": "آزمون", "title_en": "trial"}
BEGINNINGS: Final[dict[str, list[tuple[str, dict[str, Any]]]]] = {
    "merchants": [
        ("/v1/parties/2", TITLES),
        ("/v1/merchants/1", TITLES | {"party": 2, "sector": "food"}),
        ("/v1/merchants/1/branches/1", TITLES),
        ("/v1/merchants/1/terminals/1", {"branch": 1}),
    ],
    "members": [
        (f"/v1/enrolments/{uuid.UUID(int=n)}", {"mobile": m, "consents": {"terms": True}})
        for n, m in ((1, "09120000001"), (2, "09120000002"))
    ],
}


async def _begin(name: str, room: Room) -> None:
    for path, body in BEGINNINGS.get(name, ()):
        answer = await room.call("PUT", path, json.dumps(body).encode())
        assert answer.status_code == 201, answer.text


# What a schema does not tell of a body or an address that is right.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "/v1/merchants/{merchant}": {"sector": "food", "party": 2},
    "/v1/enrolments/{enrolment}": {"mobile": "09120000003", "consents": {"terms": True}},
    "/v1/identifiers/{identifier_id}/bindings/{binding}": {"account": 1_000_001},
    "/v1/members/{member}/mobiles/{identifier}": {"mobile": "09120000004"},
    "/v1/terms/{version}": {"backdated": True},
    "/v1/users/{user}": {"login": "somebody@example.org"},
    "/v1/api-keys/{key}": {"roles": ["partners"], "ends_at": "2026-09-21T00:00:00Z"},
    "/v1/merchants/{merchant}/programmes/{version}": {"backdated": True},
    "/v1/rules/{rule}/versions/{version}": {
        "condition": {"some": [{"var": "lines"}, {"==": [{"var": "sku"}, "لبنيات"]}]},
        "effect": {"fixed": {"points": 5}},
    },
}
PARAMETERS: Final[dict[str, Any]] = {
    "key_id": "aaaaaaaa", "rule": "some-rule", "kind": "prices", "id": "1.t.1.1.1",
    "digest": "0" * 64, "old": "1", "from": "2026-03-21", "to": "2026-03-21", "month": "1405-01",
    "after": None, "at": "2026-03-20T00:00:00Z", "since": None, "until": None, "vector": None,
    "sequence": None, "size": None, "issuer": None,
}  # fmt: skip
VERSIONED: Final = "{version}"


@dataclass(frozen=True)
class Operation:
    """One method of one route, and what its document says of it."""

    method: str
    route: str
    parameters: list[dict[str, Any]]
    body: dict[str, Any] | None


def operations(document: dict[str, Any]) -> list[Operation]:
    """Writers first, so that readers find something."""
    found: list[Operation] = []
    for route, methods in document["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema")
            found.append(Operation(method.upper(), route, told.get("parameters", []), body))
    return sorted(found, key=lambda one: (one.method == "GET", one.method == "DELETE"))


def values_of(room: Room, one: Operation, shapes: Shapes) -> dict[str, Any]:
    """A right value of each parameter; None: left out."""
    made: dict[str, Any] = {}
    for parameter in one.parameters:
        name, schema = parameter["name"], parameter.get("schema", {})
        if name in PARAMETERS and (PARAMETERS[name] is not None or not parameter["required"]):
            made[name] = PARAMETERS[name]
        elif parameter["in"] == "query" and not parameter.get("required"):
            made[name] = None
        elif name == "version":
            made[name] = room.numbers.setdefault(one.route, 1)
        else:
            made[name] = shapes.plain(schema)
    return made


def address(one: Operation, made: dict[str, Any]) -> str:
    path = one.route
    for name, value in made.items():
        path = path.replace(f"{{{name}}}", _quoted(value))
    queried = [p["name"] for p in one.parameters if p["in"] == "query"]
    query = "&".join(f"{n}={_quoted(made[n])}" for n in queried if made[n] is not None)
    return f"{path}?{query}" if query else path


def _quoted(value: Any) -> str:
    return quote(str(value), safe="", errors="surrogatepass")


async def ask(room: Room, one: Operation, path: str, content: bytes | None) -> None:
    """Call; what was kept is read back at once, by its own address."""
    answer = await room.call(one.method, path, content)
    if answer.status_code >= 300:
        return
    if answer.status_code == 201 and VERSIONED in one.route:
        room.numbers[one.route] += 1
    reads = room.app.openapi()["paths"][one.route]
    if one.method == "PUT" and "get" in reads:
        shown = await room.call("GET", path.partition("?")[0])
        if shown.status_code != 200:
            room.faults.append(f"kept and not shown: {path} {content!r} {shown.text[:300]}")


def body_of(one: Operation, shapes: Shapes) -> Any:
    """A right body: as small as the schema allows, or the document's own example of it."""
    if one.body is None:
        return None
    example = {} if one.route in BODIES else shapes.example(one.body)
    return shapes.plain(one.body) | example | BODIES.get(one.route, {})


async def test_a_right_body_is_taken(room: Room) -> None:
    """The samples that the extremes are put into are right: else the test above tries nothing."""
    document = room.app.openapi()
    shapes = Shapes(document)
    for one in operations(document):
        if one.method != "PUT" or "verdict" in one.route:
            continue
        path = address(one, values_of(room, one, shapes))
        content = json.dumps(body_of(one, shapes)).encode() if one.body else None
        answer = await room.call(one.method, path, content)
        assert answer.status_code in (200, 201, 202, 404, 409) or "already" in answer.text, (
            f"{one.method} {path} {content!r}: {answer.status_code} {answer.text}"
        )
        if answer.status_code == 201 and VERSIONED in one.route:
            room.numbers[one.route] += 1


async def test_nothing_that_is_sent_is_an_error_of_ours(room: Room) -> None:
    rng = random.Random(room.app.title)
    document = room.app.openapi()
    shapes = Shapes(document)
    for one in operations(document):
        for parameter in one.parameters:
            for value in beyond(parameter.get("schema", {}), rng) + rng.sample(EXTREME_TEXTS, 6):
                made = values_of(room, one, shapes) | {parameter["name"]: value}
                content = json.dumps(body_of(one, shapes)).encode() if one.body else None
                await ask(room, one, address(one, made), content)
        if one.body is None:
            continue
        # times last: no version follows one that counts from the end of all times
        for at, schema in sorted(shapes.places(one.body), key=lambda place: "date" in str(place)):
            for value in beyond(schema, rng):
                sent = json.dumps(put(body_of(one, shapes), at, value)).encode()
                await ask(room, one, address(one, values_of(room, one, shapes)), sent)
        for raw in RAW:
            await ask(room, one, address(one, values_of(room, one, shapes)), raw)
    for one in operations(document):
        if one.method == "GET":
            await room.call("GET", address(one, values_of(room, one, shapes)))
    assert room.calls > 50
    assert not room.faults, "\n".join([f"{len(room.faults)} faults", *room.faults[:15]])
