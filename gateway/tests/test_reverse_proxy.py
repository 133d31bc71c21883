"""The reverse proxy over real sockets: no answer goes astray, and no key costs next to nothing."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.clients import Purpose, Service, Services
from kit.base import errors, telemetry
from kit.base.settings import SettingsError
from support.certificates import Authority

from .conftest import settings_of
from .fakes import operator
from .proxied import Members, Proxied, Tables, head, proxied, served

CLOSE = "Connection: close"
INSIDE = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"


async def everybody_gets_his_own(at: Proxied) -> None:
    async with at.client() as client:
        for number in range(12):
            path = f"/v1/{'members' if number % 2 else 'parties'}/{number}"
            answer = await client.get(path, headers=operator("sara"))
            assert answer.json() == {"path": path, "subject": "sara", "bytes": 0}
    assert "/secret" not in {path for _, path, _ in at.members.requests}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("length", ["5", "0005", "60"])
async def test_a_read_with_a_length_is_refused_and_mixes_up_nothing(
    method: str, length: str
) -> None:
    """The small form of S2: the next request of anybody heard 400."""
    async with proxied() as at:
        request = head(method, "/v1/parties/1", "sara", f"Content-Length: {length}")
        for _ in range(4):
            assert await at.raw(request + b"a" * int(length)) == [400]
            await everybody_gets_his_own(at)


async def test_a_read_with_a_length_and_a_write_with_requests_in_it_shift_no_answer() -> None:
    """The large form of S2: every answer of members was one behind."""
    body = b"\r\n" * 700 + INSIDE * 2
    async with proxied() as at:
        for _ in range(2):
            request = head("GET", "/v1/members/1", "sara", "Content-Length: 1500")
            put = head("PUT", "/v1/members/1", "sara", f"Content-Length: {len(body)}", CLOSE)
            assert await at.raw(request + put + body) == [400]
            assert await at.raw(put + body) == [200]
            assert at.members.requests[-1] == ("PUT", "/v1/members/1", body)
            await everybody_gets_his_own(at)


@pytest.mark.parametrize("fields", [
    {"content-length": "1500"}, {"transfer-encoding": "chunked"}, {"expect": "100-continue"},
    {"connection": "content-type, x-odd, close", "x-odd": "1"}, {"upgrade": "h2c"},
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_no_framing_is_passed_on(fields: dict[str, str], method: str) -> None:
    """Whatever stands before the gateway and lets such a request through."""
    async with proxied() as at:
        transport = httpx.ASGITransport(app=at.router)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            for _ in range(3):
                content = None if method == "GET" else b"{}"
                answer = await client.request(
                    method, "/v1/members/9", content=content, headers=operator("sara") | fields
                )
                assert answer.status_code in (200, 413)
                await everybody_gets_his_own(at)


async def test_an_answer_to_another_question_is_none() -> None:
    """A sale is never booked to whom nobody asked for (findings S2)."""
    async with proxied() as at:
        digest = "ab" * 32
        identifier = await at.services.find_identifier(digest)
        assert identifier is not None
        assert identifier.digest == digest
        at.members.answers_another = True
        with pytest.raises(errors.Unavailable):
            await at.services.find_identifier(digest)
        read: Any = telemetry.REGISTRY.get_sample_value
        assert read("peyvand_alarms_total", {"alarm": "answer-to-another-question"}) >= 1
        at.members.answers_another = False
        assert await at.services.find_identifier(digest) is not None


async def test_evidence_passes_whole_and_byte_for_byte() -> None:
    """What is no JSON, and larger than other bodies, but not than evidence may be."""
    content = b"%PDF-1.7" + bytes(range(256)) * 16_384
    async with proxied() as at, at.client() as client:
        path = "/v1/evidence/5/d/f"
        answer = await client.put(path, content=content, headers=operator("sara"))
        assert (answer.status_code, answer.json()["bytes"]) == (200, len(content))
        assert at.members.requests[-1] == ("PUT", path, content)
        for where, length in ((path, 5 * 2**20 + 1), ("/v1/parties/5/disputes/d", 65_537)):
            longer = head("PUT", where, "sara", f"Content-Length: {length}", CLOSE)
            assert await at.raw(longer) == [413]


async def test_uploads_that_hang_take_no_look_ups_connection() -> None:
    """110 slow imports once made every till's look-up fail (findings S14)."""
    async with proxied(administration_each=50, lookup_timeout_ms=30_000) as at:
        at.members.hold = asyncio.Event()
        async with at.client() as client:
            sent = [
                asyncio.ensure_future(
                    client.post("/v1/members/import", content=b"{}", headers=operator("sara"))
                )
                for _ in range(10)
            ]
            async with asyncio.timeout(60):
                while len(at.members.requests) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert await at.services.find_identifier("ab" * 32) is not None
            answer = await client.get("/v1/members/3", headers=operator("sara"))
            assert answer.json()["path"] == "/v1/members/3"
            at.members.hold.set()
            statuses = [answer.status_code for answer in await asyncio.gather(*sent)]
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) >= 2


async def test_a_body_that_comes_slowly_holds_no_service() -> None:
    async with proxied() as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(head("POST", "/v1/members/import", "sara", "Content-Length: 1000") + b"a")
        async with at.client() as client:
            assert (await client.get("/v1/members/3", headers=operator("sara"))).status_code == 200
        assert [path for _, path, _ in at.members.requests] == ["/v1/members/3"]
        assert at.members_connections.count <= 1
        writer.write(b"a" * 999)
        assert b"200" in await reader.readline()
        writer.close()


# ------------------------------------------------------------------------------- before identity


BOMB = b"[" * 400 + b'"\\u0000"' + b"]" * 400


@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/history", "/v1/members/import", "/x"])
@pytest.mark.parametrize("key", [None, "pvt_1_k_s", "pvo_nobody_s"])
async def test_a_body_without_a_key_is_not_read_and_leaves_no_line(
    path: str, key: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """808 bytes once wrote 132 kB of log (findings S4)."""
    async with proxied(Tables(), lookup_rate_per_s=100.0, lookup_timeout_ms=5_000) as at:
        request = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BOMB)}\r\n"
        request += f"Authorization: Bearer {key}\r\n" if key else ""
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(request.encode() + b"\r\n")  # and no byte of the body
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split()[1] == (b"404" if path == "/x" else b"401")
        assert b"connection: close" in answer
        writer.close()
        for _ in range(5):
            whole = request.encode() + b"Connection: close\r\n\r\n" + BOMB
            assert (await at.raw(whole))[0] in (401, 404)
    ours = [r for r in caplog.records if not r.name.startswith(("asyncio", "aiokafka"))]
    assert [r for r in ours if r.levelname == "ERROR"] == []


def test_every_service_and_purpose_has_connections_of_its_own() -> None:
    services = Services(settings_of("x:1", Path(), 1))
    assert set(services._pools) == set(Purpose)
    assert all(pool.connections <= 16 for pool in services._pools.values())
    assert len(Service) == 7


async def test_a_partners_key_is_vouched_for_as_its_partys_and_reaches_members_alone() -> None:
    """The service asks whose the member is; everything else is shut (findings A10)."""
    async with proxied() as at, at.client() as client:
        answer = await client.put("/v1/members/1", content=b"{}", headers=operator("partner"))
        assert answer.status_code == 200
        (actor,) = at.members.actors
        assert (actor.subject, actor.party, "enrol" in actor.roles) == ("partner", 12, True)
        for method, path in (("GET", "/v1/parties/1"), ("PUT", "/v1/parties/1")):
            refused = await client.request(method, path, headers=operator("partner"))
            assert (refused.status_code, refused.json()["code"]) == (403, "role-missing")
        await client.get("/v1/members/1", headers=operator("sara"))
        assert at.members.actors[-1].party is None


async def test_services_behind_https_are_those_of_the_named_ca(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("tls")
    ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs")
    members = Members()
    async with served(members.app(), tls=ours.sign("members")) as (port, _):
        url = {"members_url": f"https://127.0.0.1:{port}"}
        with pytest.raises(SettingsError, match="PEYVAND_SERVICES_CA"):
            Services(settings_of("x:1", Path(), port, **url))
        with pytest.raises(SettingsError, match="PEYVAND_SERVICES_CA"):
            Services(settings_of("x:1", Path(), port, services_ca=str(folder / "none"), **url))
        for authority, answers in ((ours, True), (theirs, False)):
            services = Services(
                settings_of("x:1", Path(), port, services_ca=str(authority.ca), **url)
            )
            try:
                if answers:
                    assert await services.find_identifier("ab" * 32) is not None
                    continue
                with pytest.raises(errors.Unavailable):
                    await services.find_identifier("ab" * 32)
            finally:
                await services.close()
