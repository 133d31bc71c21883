"""What a caller may take of what all share, over real sockets."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from gateway.access.usecases import quotas
from gateway.clients import Purpose
from kit.base import errors

from .fakes import bearer, operator
from .proxied import Tables, proxied


async def test_strangers_have_a_limit_by_address_and_known_keys_do_not_feel_it() -> None:
    few = {"stranger_rate_per_s": 0.001, "stranger_burst": 5.0}
    async with proxied(Tables(), **few) as at, at.client() as client:
        nobody = {"authorization": "Bearer pvo_nobody_s"}
        paths = ["/v1/members/1", "/docs", "/openapi.json", "/nowhere", "/health/live"]
        first = [await client.get(path, headers=nobody) for path in paths]
        assert [answer.status_code for answer in first] == [401, 200, 200, 404, 200]
        for path in paths:
            answer = await client.get(path, headers=nobody)
            assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
            assert answer.headers["retry-after"]
        answer = await client.get("/v1/members/1", headers=operator("sara"))
        assert answer.status_code == 200


async def test_forged_keys_of_one_address_leave_the_look_ups_of_another() -> None:
    async with proxied(Tables(), lookup_rate_per_s=0.001, lookup_burst=2.0) as at:
        lookups = at.router.transactions.access.lookups
        purposes: list[str] = []

        async def find_terminal(number: int, purpose: Purpose) -> None:
            purposes.append(purpose)

        lookups.services = SimpleNamespace(find_terminal=find_terminal)  # type: ignore[assignment]
        for number in range(2):
            assert await lookups.strange_terminal(number + 1, "10.0.0.1") is None
        with pytest.raises(errors.Problem) as caught:
            await lookups.strange_terminal(3, "10.0.0.1")
        assert caught.value.code == "lookup-unavailable"
        assert await lookups.strange_terminal(4, "10.0.0.2") is None
        assert purposes == [Purpose.STRANGER] * 3


async def test_forged_keys_past_their_look_ups_are_strangers_too() -> None:
    """A flood of keys that nobody knows heard 503 at once, 1,500 times a second."""
    few = {"stranger_rate_per_s": 0.001, "stranger_burst": 4.0}
    async with (
        proxied(Tables(), lookup_rate_per_s=0.001, lookup_burst=2.0, **few) as at,
        at.client() as client,
    ):
        forged = [{"authorization": f"Bearer pvt_{n}_abcdefgh_{'x' * 43}"} for n in range(1, 8)]
        statuses = [
            (await client.post("/v1/transactions", content=b"{}", headers=one)).status_code
            for one in forged
        ]
        assert statuses == [401, 401, 503, 503, 429, 429, 429]


async def test_a_status_query_and_a_till_have_their_limits_each_key_its_own() -> None:
    few = {"status_rate_per_s": 0.001, "status_burst": 2.0}
    few |= {"terminal_rate_per_s": 0.001, "terminal_burst": 30.0}
    async with proxied(Tables(), **few) as at, at.client() as client:
        url = "/v1/transactions/5.t.10000017.1.1"
        for who, expected in (("sara", [202, 202, 429, 429]), ("reza", [202])):
            got = [(await client.get(url, headers=operator(who))).status_code for _ in expected]
            assert got == expected
        body = b'{"lines":[' + b'{"line":1,"amount_rial":1},' * 2_000 + b"]}"
        # 54 kB: what 26 sales would cost, so the second of them is one too many
        got = [
            (await client.post("/v1/transactions", content=body, headers=bearer(10000017)))
            for _ in range(3)
        ]
        assert [answer.status_code for answer in got] == [400, 429, 429]


async def test_readings_over_a_whole_book_are_few_whoever_asks() -> None:
    few = {"reading_rate_per_s": 0.001, "reading_burst": 1.0}
    async with proxied(**few) as at, at.client() as client:
        answers = [await client.get("/v1/vintages", headers=operator("sara")) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 429]
        assert (await client.get("/v1/members/1", headers=operator("sara"))).status_code == 200


async def test_who_is_over_a_limit_is_told_so_late() -> None:
    async with proxied(stranger_rate_per_s=0.001, stranger_burst=0.0, refusal_delay_ms=50) as at:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with at.client() as client:
            assert (await client.get("/docs")).status_code == 429
        assert loop.time() - began >= 0.05  # no sooner; how much later is the machine's affair


async def test_a_refusal_told_late_ends_the_connection_and_what_was_sent_ahead() -> None:
    none = {"stranger_rate_per_s": 0.001, "stranger_burst": 0.0, "refusal_delay_ms": 1}
    async with proxied(**none) as at:
        assert await at.raw(b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 16) == [429]


async def test_where_too_many_wait_for_a_refusal_the_next_hears_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quotas, "DELAYED_EACH_MAX", 2)
    none = {"stranger_rate_per_s": 0.001, "stranger_burst": 0.0, "refusal_delay_ms": 3_600_000}
    async with proxied(**none) as at, at.client() as client:
        pending_replies = [asyncio.ensure_future(client.get("/docs")) for _ in range(3)]
        done, held = await asyncio.wait(pending_replies, return_when=asyncio.FIRST_COMPLETED)
        assert [answer.result().status_code for answer in done] == [429]
        assert len(held) == 2
        for one in held:
            one.cancel()


@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/history"])
async def test_bodies_on_their_way_are_bounded_for_each_key(path: str) -> None:
    """Six tills' keys that sent slowly once held all of 4,000 connections."""
    async with proxied(Tables(), pending_each=2) as at, at.client() as client:
        till = path == "/v1/transactions"
        mine = bearer(10000017) if till else operator("importer")
        begun = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        begun += f"Authorization: {mine['authorization']}\r\n\r\na"
        slow = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(2)]
        for _, writer in slow:
            writer.write(begun.encode())
        places = at.router.quotas.bodies
        async with asyncio.timeout(60):
            while places.count < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        answer = await client.post(path, content=b"[]", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        other = operator("importer") if till else bearer(10000017)
        other_path = "/v1/history" if till else "/v1/transactions"
        assert (await client.post(other_path, content=b"[]", headers=other)).status_code == 422
        for _, writer in slow:
            writer.close()
        async with asyncio.timeout(60):
            while places.count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await client.post(path, content=b"[]", headers=mine)).status_code == 422


async def test_a_slash_64_of_ipv6_is_one_stranger() -> None:
    async with proxied(Tables(), stranger_rate_per_s=0.001, stranger_burst=3.0) as at:

        async def status_for(host: str) -> int:
            transport = httpx.ASGITransport(app=at.router, client=(host, 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
                return (await client.get("/health/live")).status_code

        one_line = [await status_for(f"2001:db8:0:5::{n:x}") for n in range(1, 5)]
        assert one_line == [200, 200, 200, 429]
        assert await status_for("2001:db8:0:6::1") == 200
        both_ways = [await status_for(h) for h in ("192.0.2.1", "::ffff:192.0.2.1") * 2]
        assert both_ways == [200, 200, 200, 429]
