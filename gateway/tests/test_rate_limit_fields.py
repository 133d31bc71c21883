"""RateLimit-Policy and RateLimit: which limits an answer met, and where the nearest stands.

Source: draft-ietf-httpapi-ratelimit-headers-11, structured fields of RFC 9651.
"""

import asyncio
import random
import re
from typing import Any, Final

import httpx

from gateway import limits

from .fakes import bearer, operator, terminal
from .proxied import Proxied, Tables, proxied

POLICY: Final = re.compile(r'"([a-z-]+)";q=(\d{1,15});(?:w=(\d{1,15})|qu="concurrent-requests")')
STANDING: Final = re.compile(r'"([a-z-]+)";r=(\d{1,15});t=(\d{1,15})')
SLOW: Final = 0.001  # a token in a thousand seconds: none comes while a test runs


class Shops(Tables):
    """Tables that know the tills of two merchants: 10000017 and 18 of 12, 10000020 of 13."""

    def find_terminal(self, number: int) -> Any:
        merchant = {10000017: 12, 10000018: 12, 10000020: 13}.get(number)
        return None if merchant is None else terminal(number, merchant)


def told(answer: httpx.Response) -> tuple[list[str], tuple[str, int, int]]:
    """Names of the policies that an answer tells, and name, r and t of the nearest."""
    policies = answer.headers["ratelimit-policy"].split(", ")
    read = [POLICY.fullmatch(policy) for policy in policies]
    standing = STANDING.fullmatch(answer.headers["ratelimit"])
    assert standing is not None
    assert all(read), policies
    names = [one[1] for one in read if one is not None]
    assert standing[1] in names
    return names, (standing[1], int(standing[2]), int(standing[3]))


def test_who_waits_as_long_as_he_is_told_passes_and_the_rest_is_never_more_than_there_is() -> None:
    rng = random.Random(9651)
    for _ in range(300):
        limiter = limits.RateLimiter(rng.choice((0.01, 0.5, 3, 50)), rng.choice((1, 4, 100)), "x")
        now = rng.random() * 1000
        for _ in range(40):
            cost = rng.choice((1, 1, 2, 7, 1_000))
            left = limiter.draw("k", now, cost)
            standing = STANDING.fullmatch(limiter.standing(left).decode())
            assert standing is not None
            rest, wait_s = int(standing[2]), int(standing[3])
            assert wait_s >= 1
            if left < 0:
                assert rest == 0
                assert wait_s == limiter.wait_s(left)
                assert limiter.draw("k", now + wait_s, cost) >= -1e-6
                now += wait_s
            else:
                assert limiter.draw("other", now) >= 0
                assert 0 <= left - rest < 1
                assert limiter.burst - left <= wait_s * limiter.rate_per_s + 1e-6
            now += rng.random()


def test_a_limit_of_any_size_is_told_in_integers_of_a_structured_field() -> None:
    for rate, burst in ((0.0, 0.0), (0.0, 5.0), (1e-12, 1e9), (1e9, 1e14), (0.001, 0.5)):
        limiter = limits.RateLimiter(rate, burst, "x")
        assert POLICY.fullmatch(limiter.policy.decode()), limiter.policy
        for left in (limiter.draw("k", 1.0), limiter.draw("k", 2.0), burst, -1.0):
            assert STANDING.fullmatch(limiter.standing(left).decode()), (rate, burst, left)


async def test_an_operator_is_told_at_each_answer_how_much_is_left() -> None:
    few = {"administration_rate_per_s": SLOW, "administration_burst": 3.0}
    async with proxied(**few) as at, at.client() as client:
        answers = [await client.get("/v1/members/1", headers=operator("sara")) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        standings = [told(answer)[1] for answer in answers]
        assert [rest for _, rest, _ in standings] == [2, 1, 0, 0]
        assert [round(wait_s, -1) for _, _, wait_s in standings] == [1_000, 2_000, 3_000, 1_000]
        assert answers[3].headers["retry-after"] == str(standings[3][2])
        assert answers[0].headers["ratelimit-policy"] == '"administration";q=3;w=3000'


async def test_the_nearest_of_several_limits_is_told() -> None:
    few = {"reading_rate_per_s": SLOW, "reading_burst": 2.0}
    async with proxied(**few) as at, at.client() as client:
        answer = await client.get("/v1/vintages", headers=operator("sara"))
        assert told(answer)[0] == ["administration", "readings"]
        assert told(answer)[1][:2] == ("readings", 1)
        again = [await client.get("/v1/vintages", headers=operator("sara")) for _ in range(2)]
        assert [answer.status_code for answer in again] == [404, 429]
        assert told(again[1])[1] == ("readings", 0, int(again[1].headers["retry-after"]))


async def test_a_stranger_is_told_his_addresss_limit() -> None:
    few = {"stranger_rate_per_s": SLOW, "stranger_burst": 2.0}
    async with proxied(Tables(), **few) as at, at.client() as client:
        nobody = {"authorization": "Bearer pvo_nobody_s"}
        answers = [await client.get(path, headers=nobody) for path in ("/docs", "/v1/members/1")]
        assert [told(answer)[1][:2] for answer in answers] == [("address", 1), ("address", 0)]
        refused = await client.get("/nowhere")
        assert refused.status_code == 429
        assert told(refused)[1] == ("address", 0, int(refused.headers["retry-after"]))


async def test_what_is_full_by_places_is_told_in_places() -> None:
    async with proxied(administration_each=1) as at, at.client() as client:
        at.members.hold = asyncio.Event()
        first = asyncio.ensure_future(
            client.post("/v1/members/1", content=b"{}", headers=operator("sara"))
        )
        async with asyncio.timeout(60):
            while not at.members.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        second = await client.get("/v1/members/1", headers=operator("sara"))
        assert second.status_code == 429
        assert told(second)[1] == ("administration-places", 0, int(second.headers["retry-after"]))
        at.members.hold.set()
        assert (await first).status_code == 200


async def test_an_answer_that_says_itself_when_to_ask_again_tells_no_window() -> None:
    """Retry-After may not lie before the end of a window: then the policies are told alone."""
    async with proxied(Tables()) as at, at.client() as client:
        answer = await client.get("/v1/transactions/5.t.10000017.1.1", headers=operator("sara"))
        assert answer.status_code == 202
        assert answer.headers["ratelimit-policy"].startswith('"status";q=')
        assert "ratelimit" not in answer.headers


async def sold(at: Proxied, client: httpx.AsyncClient, till: int, times: int = 1) -> list[int]:
    """Statuses of a till's requests: 400, as they hold nothing, where a limit lets them in."""
    answers = [
        await client.post("/v1/transactions", content=b"{", headers=bearer(till))
        for _ in range(times)
    ]
    return [answer.status_code for answer in answers]


async def test_a_till_is_told_its_own_limit_and_its_merchants() -> None:
    few = {"terminal_rate_per_s": SLOW, "terminal_burst": 3.0}
    async with (
        proxied(Shops(), **few, merchant_rate_per_s=SLOW, merchant_burst=2.0) as at,
        at.client() as client,
    ):
        one = await client.post("/v1/transactions", content=b"{", headers=bearer(10000017))
        assert told(one)[0] == ["terminal", "merchant"]
        assert told(one)[1][:2] == ("merchant", 1)


async def test_one_keys_flood_costs_neither_its_sisters_nor_another_merchant() -> None:
    few = {"terminal_rate_per_s": SLOW, "terminal_burst": 3.0}
    async with (
        proxied(Shops(), **few, merchant_rate_per_s=SLOW, merchant_burst=5.0) as at,
        at.client() as client,
    ):
        assert await sold(at, client, 10000017, 20) == [400] * 3 + [429] * 17
        assert await sold(at, client, 10000018, 2) == [400, 400]
        assert await sold(at, client, 10000020, 3) == [400] * 3


async def test_all_keys_of_a_merchant_share_its_limit_and_another_merchant_keeps_its_own() -> None:
    async with (
        proxied(Shops(), merchant_rate_per_s=SLOW, merchant_burst=4.0) as at,
        at.client() as client,
    ):
        assert await sold(at, client, 10000017, 3) == [400] * 3
        assert await sold(at, client, 10000018, 3) == [400, 429, 429]
        assert await sold(at, client, 10000020, 4) == [400] * 4


async def test_all_who_come_for_one_party_share_a_limit_that_the_network_does_not_feel() -> None:
    few = {"tenant_rate_per_s": SLOW, "tenant_burst": 2.0}
    async with proxied(**few) as at, at.client() as client:
        path = "/v1/merchants/12"
        got = [await client.get(path, headers=operator("shop")) for _ in range(3)]
        assert [answer.status_code for answer in got] == [404, 404, 429]
        assert told(got[2])[0] == ["administration", "tenant"]
        assert (await client.get(path, headers=operator("sara"))).status_code == 404


async def test_a_flood_of_reports_leaves_a_till_its_lane() -> None:
    """All connections for administration wait for a report; a till's look-up has its own."""
    async with proxied(
        Shops(), administration_each=64, administration_connections=2, lookup_timeout_ms=30_000
    ) as at:
        at.members.hold = asyncio.Event()
        async with at.client() as client:
            reports = [
                asyncio.ensure_future(
                    client.post("/v1/members/9", content=b"{}", headers=operator("sara"))
                )
                for _ in range(12)
            ]
            async with asyncio.timeout(60):
                while len(at.members.requests) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert await at.services.find_identifier("ab" * 32) is not None
            assert await sold(at, client, 10000020, 20) == [400] * 20
            assert not any(report.done() and report.result().is_success for report in reports)
            at.members.hold.set()
            await asyncio.gather(*reports)
