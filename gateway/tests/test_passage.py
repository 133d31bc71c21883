"""The passage over real sockets: nobody's answer is another's, and no key costs next to nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import APIRouter, Request

from gateway import main
from gateway.api import front
from gateway.api.administration import Passing, find_passage
from gateway.api.document import Book
from gateway.api.transactions import Transactions
from gateway.clients import Purpose, Service, Services
from gateway.domain import keys, limits
from gateway.settings import Settings
from gateway.usecases import shares
from gateway.usecases.access import Access
from gateway.usecases.shares import Shares
from gateway.usecases.submit import Road
from kit import auth, clock, errors, serving, telemetry, web
from kit.connections import Connections, Limits

from .around import SECRET, bearer, identifier, operator, terminal
from .conftest import settings_of

CLOSE = "Connection: close"
INSIDE = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Members:
    """A real service on a real server, which remembers what reached it."""

    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    wrong: bool = False

    def app(self) -> Any:
        router = APIRouter()

        async def answer(request: Request) -> dict[str, Any]:
            body = await request.body()
            self.heard.append((request.method, request.url.path, body))
            if self.hold is not None and request.method == "POST":
                await self.hold.wait()
            actor = auth.require(request)
            return {"path": request.url.path, "subject": actor.subject, "bytes": len(body)}

        async def found(digest: str) -> dict[str, Any]:
            told = identifier("6037991234567893", digest="00" * 32 if self.wrong else digest)
            return msgspec.to_builtins(told)

        router.add_api_route("/internal/identifiers/{digest}", found)
        for path in ("/v1/members/{rest:path}", "/v1/parties/{rest:path}", "/secret"):
            router.add_api_route(path, answer, methods=["GET", "HEAD", "PUT", "POST", "DELETE"])
        limits = {"/v1/members/import": 8 * 2**20}
        app = web.app("members", routes=[router], body_bytes_max=limits)
        inside = {"identifiers": "members", "terminals": "merchants", "outcomes": "ledger"}

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            """One server stands for every room: each call is signed for the room it is of."""
            path: str = scope.get("path", "")
            passage = find_passage(path)
            room = inside.get(path.split("/")[2], "members") if path.count("/") > 1 else "members"
            if passage is not None:
                room = passage.service_of(path).value
            signing = auth.Signing(room, auth.room_secret(SECRET, room))
            await auth.Signed(app, signing, web.problem)(scope, receive, send)

        return serve


@asynccontextmanager
async def served(app: Any, **limits: Any) -> AsyncIterator[tuple[int, Connections]]:
    """An application on a port of its own."""
    held = Connections(Limits(**limits))
    server = serving.server(app, "127.0.0.1", 0, held, 1.0)
    server.config.load()
    task = asyncio.ensure_future(server._serve())
    async with asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], held
    finally:
        server.should_exit = server.force_exit = True
        await task


@dataclass
class House:
    """A front and a service, each on its port; no road."""

    members: Members
    services: Services
    front: front.Front
    port: int
    behind: Connections

    async def raw(self, data: bytes) -> list[int]:
        """Send bytes on a connection of their own: the statuses that come back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        said = b""
        try:
            while piece := await reader.read(65_536):
                said += piece
        except ConnectionError:
            pass
        writer.close()
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", said)]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60)


def front_of(settings: Settings, services: Services, tables: Any = None) -> front.Front:
    """A gateway without a road: whoever has no business on it is to find out before."""
    shares = Shares.of(settings)
    lookups: Any = main.lookups_of(settings, tables, services)
    operators = keys.parse_operators(settings.operators)
    access = Access(lookups, operators, clock.SystemClock(), shares)
    guard = SimpleNamespace(refuse_unready=lambda: None)
    road = Road(
        settings=settings, lookups=lookups, waiting=None, guard=guard,  # type: ignore[arg-type]
        shares=shares, shown=limits.Shown(200, 600.0), producer=None, clock=clock.SystemClock(),  # type: ignore[arg-type]
    )  # fmt: skip
    return front.Front(
        Transactions(road, access, services),
        Passing(access, services, shares),
        Book(services),
        shares,
        SimpleNamespace(readiness={}),
    )


@asynccontextmanager
async def house(tables: Any = None, **changes: Any) -> AsyncIterator[House]:
    members = Members()
    async with served(members.app()) as (behind_port, behind):
        settings = settings_of("x:1", Path(), behind_port, **changes)
        services = Services(settings)
        app = front_of(settings, services, tables)
        async with served(app) as (port, _):
            try:
                yield House(members, services, app, port, behind)
            finally:
                await services.close()


def head(method: str, path: str, who: str, *fields: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *fields]
    lines += [f"{k}: {v}" for k, v in operator(who).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def everybody_hears_his_own(house: House) -> None:
    async with house.client() as client:
        for number in range(12):
            path = f"/v1/{'members' if number % 2 else 'parties'}/{number}"
            answer = await client.get(path, headers=operator("sara"))
            assert answer.json() == {"path": path, "subject": "sara", "bytes": 0}
    assert "/secret" not in {path for _, path, _ in house.members.heard}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("length", ["5", "0005", "60"])
async def test_a_read_with_a_length_is_refused_and_mixes_up_nothing(
    method: str, length: str
) -> None:
    """The small form of S2: the next request of anybody heard 400."""
    async with house() as at:
        asked = head(method, "/v1/parties/1", "sara", f"Content-Length: {length}")
        for _ in range(4):
            assert await at.raw(asked + b"a" * int(length)) == [400]
            await everybody_hears_his_own(at)


async def test_a_read_with_a_length_and_a_write_with_requests_in_it_shift_no_answer() -> None:
    """The large form of S2: every answer of members was one behind."""
    body = b"\r\n" * 700 + INSIDE * 2
    async with house() as at:
        for _ in range(2):
            asked = head("GET", "/v1/members/1", "sara", "Content-Length: 1500")
            put = head("PUT", "/v1/members/1", "sara", f"Content-Length: {len(body)}", CLOSE)
            assert await at.raw(asked + put + body) == [400]
            assert await at.raw(put + body) == [200]
            assert at.members.heard[-1] == ("PUT", "/v1/members/1", body)
            await everybody_hears_his_own(at)


@pytest.mark.parametrize("fields", [
    {"content-length": "1500"}, {"transfer-encoding": "chunked"}, {"expect": "100-continue"},
    {"connection": "content-type, x-odd, close", "x-odd": "1"}, {"upgrade": "h2c"},
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_no_framing_is_passed_on(fields: dict[str, str], method: str) -> None:
    """Whatever stands before the gateway and lets such a request through."""
    async with house() as at:
        transport = httpx.ASGITransport(app=at.front)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            for _ in range(3):
                content = None if method == "GET" else b"{}"
                answer = await client.request(
                    method, "/v1/members/9", content=content, headers=operator("sara") | fields
                )
                assert answer.status_code in (200, 413)
                await everybody_hears_his_own(at)


async def test_an_answer_to_another_question_is_none() -> None:
    """A sale is never booked to whom nobody asked for (findings S2)."""
    async with house() as at:
        digest = "ab" * 32
        found = await at.services.find_identifier(digest)
        assert found is not None
        assert found.digest == digest
        at.members.wrong = True
        with pytest.raises(errors.Unavailable):
            await at.services.find_identifier(digest)
        read: Any = telemetry.REGISTRY.get_sample_value
        assert read("peyvand_alarms_total", {"alarm": "answer-to-another-question"}) >= 1
        at.members.wrong = False
        assert await at.services.find_identifier(digest) is not None


async def test_uploads_that_hang_take_no_look_ups_connection() -> None:
    """110 slow imports once made every till's look-up fail (findings S14)."""
    async with house(administration_each=50, lookup_timeout_ms=30_000) as at:
        at.members.hold = asyncio.Event()
        async with at.client() as client:
            sent = [
                asyncio.ensure_future(
                    client.post("/v1/members/import", content=b"{}", headers=operator("sara"))
                )
                for _ in range(10)
            ]
            async with asyncio.timeout(60):
                while len(at.members.heard) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert await at.services.find_identifier("ab" * 32) is not None
            answer = await client.get("/v1/members/3", headers=operator("sara"))
            assert answer.json()["path"] == "/v1/members/3"
            at.members.hold.set()
            statuses = [answer.status_code for answer in await asyncio.gather(*sent)]
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) >= 2


async def test_a_body_that_comes_slowly_holds_no_service() -> None:
    async with house() as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(head("POST", "/v1/members/import", "sara", "Content-Length: 1000") + b"a")
        async with at.client() as client:
            assert (await client.get("/v1/members/3", headers=operator("sara"))).status_code == 200
        assert [path for _, path, _ in at.members.heard] == ["/v1/members/3"]
        assert at.behind.count <= 1
        writer.write(b"a" * 999)
        assert b"200" in await reader.readline()
        writer.close()


# ------------------------------------------------------------------------------- before identity


class Tables:
    """Tables that know one terminal."""

    terminals_changed = 0
    merchants_stopped: frozenset[int] = frozenset()

    def find_terminal(self, number: int) -> Any:
        return terminal(number) if number == 10000017 else None


BOMB = b"[" * 400 + b'"\\u0000"' + b"]" * 400


@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/history", "/v1/members/import", "/x"])
@pytest.mark.parametrize("key", [None, "pvt_1_k_s", "pvo_nobody_s"])
async def test_a_body_without_a_key_is_not_read_and_leaves_no_line(
    path: str, key: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """808 bytes once wrote 132 kB of log (findings S4)."""
    async with house(Tables()) as at:
        asked = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BOMB)}\r\n"
        asked += f"Authorization: Bearer {key}\r\n" if key else ""
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(asked.encode() + b"\r\n")  # and no byte of the body
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split()[1] == (b"404" if path == "/x" else b"401")
        assert b"connection: close" in answer
        writer.close()
        for _ in range(5):
            whole = asked.encode() + b"Connection: close\r\n\r\n" + BOMB
            assert (await at.raw(whole))[0] in (401, 404)
    assert [r for r in caplog.records if r.levelname == "ERROR" and r.name != "asyncio"] == []


async def test_strangers_have_a_limit_by_address_and_known_keys_do_not_feel_it() -> None:
    few = {"stranger_rate_per_s": 0.001, "stranger_burst": 5.0}
    async with house(Tables(), **few) as at, at.client() as client:
        nobody = {"authorization": "Bearer pvo_nobody_s"}
        asked = ["/v1/members/1", "/docs", "/openapi.json", "/nowhere", "/health/live"]
        first = [await client.get(path, headers=nobody) for path in asked]
        assert [answer.status_code for answer in first] == [401, 200, 200, 404, 200]
        for path in asked:
            answer = await client.get(path, headers=nobody)
            assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
            assert answer.headers["retry-after"]
        answer = await client.get("/v1/members/1", headers=operator("sara"))
        assert answer.status_code == 200


async def test_forged_keys_of_one_address_leave_the_look_ups_of_another() -> None:
    async with house(Tables(), lookup_rate_per_s=0.001, lookup_burst=2.0) as at:
        lookups = at.front.transactions.access.lookups
        asked: list[str] = []

        async def find_terminal(number: int, purpose: Purpose) -> None:
            asked.append(purpose)

        lookups.services = SimpleNamespace(find_terminal=find_terminal)  # type: ignore[assignment]
        for number in range(2):
            assert await lookups.strange_terminal(number + 1, "10.0.0.1") is None
        with pytest.raises(errors.Problem) as caught:
            await lookups.strange_terminal(3, "10.0.0.1")
        assert caught.value.code == "lookup-unavailable"
        assert await lookups.strange_terminal(4, "10.0.0.2") is None
        assert asked == [Purpose.STRANGER] * 3


async def test_a_status_query_and_a_till_have_their_limits_each_key_its_own() -> None:
    few = {"status_rate_per_s": 0.001, "status_burst": 2.0}
    few |= {"terminal_rate_per_s": 0.001, "terminal_burst": 30.0}
    async with house(Tables(), **few) as at, at.client() as client:
        url = "/v1/transactions/5.t.10000017.1.1"
        for who, wanted in (("sara", [202, 202, 429, 429]), ("reza", [202])):
            got = [(await client.get(url, headers=operator(who))).status_code for _ in wanted]
            assert got == wanted
        body = b'{"lines":[' + b'{"line":1,"amount_rial":1},' * 2_000 + b"]}"
        # 54 kB: what 26 sales would cost, so the second of them is one too many
        got = [
            (await client.post("/v1/transactions", content=body, headers=bearer(10000017)))
            for _ in range(3)
        ]
        assert [answer.status_code for answer in got] == [400, 429, 429]


async def test_readings_over_a_whole_book_are_few_whoever_asks() -> None:
    few = {"reading_rate_per_s": 0.001, "reading_burst": 1.0}
    async with house(**few) as at, at.client() as client:
        answers = [await client.get("/v1/vintages", headers=operator("sara")) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 429]
        assert (await client.get("/v1/members/1", headers=operator("sara"))).status_code == 200


async def test_who_is_over_a_limit_is_told_so_late() -> None:
    async with house(stranger_rate_per_s=0.001, stranger_burst=0.0, refusal_delay_ms=50) as at:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with at.client() as client:
            assert (await client.get("/docs")).status_code == 429
        assert loop.time() - began >= 0.05  # no sooner; how much later is the machine's affair


async def test_a_refusal_told_late_ends_the_connection_and_what_was_sent_ahead() -> None:
    none = {"stranger_rate_per_s": 0.001, "stranger_burst": 0.0, "refusal_delay_ms": 1}
    async with house(**none) as at:
        assert await at.raw(b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 16) == [429]


async def test_where_too_many_wait_for_a_refusal_the_next_hears_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "HELD_EACH", 2)
    none = {"stranger_rate_per_s": 0.001, "stranger_burst": 0.0, "refusal_delay_ms": 3_600_000}
    async with house(**none) as at, at.client() as client:
        waiting = [asyncio.ensure_future(client.get("/docs")) for _ in range(3)]
        done, held = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [answer.result().status_code for answer in done] == [429]
        assert len(held) == 2
        for one in held:
            one.cancel()


@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/history"])
async def test_bodies_on_their_way_are_bounded_for_each_key(path: str) -> None:
    """Six tills' keys that sent slowly once held all of 4,000 connections."""
    async with house(Tables(), pending_each=2) as at, at.client() as client:
        till = path == "/v1/transactions"
        mine = bearer(10000017) if till else operator("importer")
        begun = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        begun += f"Authorization: {mine['authorization']}\r\n\r\na"
        slow = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(2)]
        for _, writer in slow:
            writer.write(begun.encode())
        places = at.front.shares.bodies
        async with asyncio.timeout(60):
            while places.count < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        answer = await client.post(path, content=b"[]", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        other = operator("importer") if till else bearer(10000017)
        asked = "/v1/history" if till else "/v1/transactions"
        assert (await client.post(asked, content=b"[]", headers=other)).status_code == 422
        for _, writer in slow:
            writer.close()
        async with asyncio.timeout(60):
            while places.count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await client.post(path, content=b"[]", headers=mine)).status_code == 422


def test_every_service_and_purpose_has_connections_of_its_own() -> None:
    services = Services(settings_of("x:1", Path(), 1))
    assert set(services._pools) == set(Purpose)
    assert all(pool.connections <= 16 for pool in services._pools.values())
    assert len(Service) == 6
