"""Signing in, and the end of sessions: one answer for every failure, limits, what gateways hear."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from identity.sessions import domain
from kit.base import auth

from .conftest import ELSEWHERE, HERE, LOGIN, NOW, PASSWORD, SARA, Network, Person

WRONG = "not the password"


def told(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, answer.json()


async def test_a_session_is_what_its_token_says_and_gateways_hear_of_it(network: Network) -> None:
    person = await network.member(("support", "owner:5", "money"))
    (published,) = await network.published()
    name, session, secret = person.token.split("_", 2)
    assert (name, session) == ("pvs", person.session)
    assert published.session == session
    assert published.sha256 == domain.digest(secret)
    assert published.user == str(SARA)
    assert (published.roles, published.withheld) == (("merchant:5", "support"), ("money",))
    assert (published.version, published.ended) == (1, False)
    assert published.idle_ends_at == NOW + timedelta(minutes=30)
    assert published.ends_at == NOW + timedelta(hours=12)


@pytest.mark.parametrize("login", ["09123456789", "۰۹۱۲ ۳۴۵ ۶۷۸۹", "+98-912-345-6789"])
async def test_a_login_opens_in_every_spelling(network: Network, login: str) -> None:
    await network.member()
    assert (await network.sign_in(login)).status_code == 201


async def test_every_failure_has_one_answer(network: Network) -> None:
    await network.member()
    await network.register(uuid.UUID(int=2), "invited@example.org")
    answers = [
        told(await network.sign_in(password=WRONG)),
        told(await network.sign_in("nobody@example.org")),
        told(await network.sign_in("no login at all")),
        told(await network.sign_in("invited@example.org")),
    ]
    stopped = {"standing": "stopped", "reason": "x"}
    await network.call("PUT", f"/v1/users/{SARA}/standings/{uuid.uuid4()}", stopped)
    answers.append(told(await network.sign_in()))
    assert answers == [answers[0]] * 5
    assert (answers[0][0], answers[0][1]["code"]) == (401, "sign-in-refused")


@pytest.mark.parametrize("login", [LOGIN, "nobody@example.org"])
async def test_after_five_failures_one_waits_whoever_it_is(network: Network, login: str) -> None:
    await network.member()
    for _ in range(5):
        assert (await network.sign_in(login, WRONG)).status_code == 401
        network.wait(seconds=60)
    limited = await network.sign_in(login)
    assert (limited.status_code, limited.json()["code"]) == (429, "too-many-attempts")
    assert limited.headers["retry-after"] == "601"
    network.wait(seconds=601)
    expected = 201 if login == LOGIN else 401
    assert (await network.sign_in(login)).status_code == expected


async def test_a_strangers_failures_shut_out_nobody_elsewhere(network: Network) -> None:
    """Nobody fills another's counter (findings S8): five from here are five from here."""
    await network.member()
    for _ in range(6):
        await network.sign_in(password=WRONG, address=ELSEWHERE)
    assert (await network.sign_in(address=ELSEWHERE)).status_code == 429
    assert (await network.sign_in(address=HERE)).status_code == 201


async def test_an_address_that_tries_many_logins_waits(network: Network) -> None:
    await network.member()
    for number in range(20):
        answer = await network.sign_in(f"user{number}@example.org", WRONG)
        assert answer.status_code == 401
    assert (await network.sign_in()).status_code == 429
    assert (await network.sign_in(address=ELSEWHERE)).status_code == 201


async def test_a_login_that_many_addresses_try_waits(network: Network) -> None:
    await network.member()
    for number in range(50):
        answer = await network.sign_in(password=WRONG, address=f"10.1.0.{number}")
        assert answer.status_code == 401
    assert (await network.sign_in(address=ELSEWHERE)).status_code == 429


async def test_attempts_at_once_are_no_way_round_the_limit(network: Network) -> None:
    await network.member()
    answers = await asyncio.gather(*(network.sign_in(password=WRONG) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_a_success_forgets_the_failures_before_it(network: Network) -> None:
    await network.member()
    for _ in range(3):
        for _ in range(4):
            assert (await network.sign_in(password=WRONG)).status_code == 401
        assert (await network.sign_in()).status_code == 201


async def test_attempts_are_forgotten_once_they_count_no_more(network: Network) -> None:
    from identity.main import SERVICE
    from support import services

    await network.sign_in(password=WRONG)
    network.wait(seconds=901)
    opened = services.opened(SERVICE, network.database, network.at)
    (job,) = [job for part in SERVICE.parts for job in part(opened).jobs]
    await job.run()
    async with network.database.read() as tx:
        assert await tx.fetchval("select count(*) from sign_in_attempts") == 0


async def test_own_sessions_are_listed_with_device_and_address(network: Network) -> None:
    await network.member()
    network.wait(seconds=1)
    person = await network.signed_in(device="دفتر", address=ELSEWHERE)
    items = (await network.of(person, "GET", "/v1/sessions")).json()["items"]
    assert [item["current"] for item in items] == [False, True]
    assert (items[1]["device"], items[1]["address"]) == ("دفتر", ELSEWHERE)
    assert "sha256" not in items[1]
    path = f"/v1/users/{SARA}/sessions"
    listed = (await network.call("GET", path, roles=(auth.Role.AUDITOR,))).json()["items"]
    assert [item["session"] for item in listed] == [item["session"] for item in items]
    page = (await network.of(person, "GET", "/v1/sessions?limit=1")).json()
    rest = (await network.of(person, "GET", f"/v1/sessions?after={page['next']}")).json()
    assert [item["session"] for item in rest["items"]] == [person.session]


async def test_a_session_ends_once_and_the_first_end_stands(network: Network) -> None:
    person = await network.member()
    path = f"/v1/sessions/{person.session}"
    first = await network.of(person, "DELETE", path)
    network.wait(seconds=5)
    again = await network.of(person, "DELETE", path)
    assert (first.status_code, told(again)) == (200, told(first))
    assert [(one.version, one.ended) for one in await network.published()] == [
        (1, False),
        (2, True),
    ]
    assert (await network.of(person, "GET", "/v1/sessions")).json()["items"] == []


async def test_all_others_end_and_this_one_stays(network: Network) -> None:
    first, second = await network.member(), await network.signed_in()
    third = await network.signed_in()
    ended = await network.of(second, "DELETE", "/v1/sessions")
    assert (ended.status_code, ended.json()) == (200, {"ended": 2})
    assert (await network.of(second, "DELETE", "/v1/sessions")).json() == {"ended": 0}
    open_now = (await network.of(second, "GET", "/v1/sessions")).json()["items"]
    assert [item["session"] for item in open_now] == [second.session]
    over = {one.session for one in await network.published() if one.ended}
    assert over == {first.session, third.session}


async def test_nobody_ends_anothers_session_but_an_operator(network: Network) -> None:
    sara = await network.member()
    token = await network.register(uuid.UUID(int=2), "ali@example.org")
    await network.accept(token)
    ali = await network.signed_in("ali@example.org")
    path = f"/v1/sessions/{sara.session}"
    refused = await network.of(ali, "DELETE", path)
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    ended = await network.call("DELETE", path)
    assert (ended.status_code, ended.json()["user"]) == (200, str(SARA))
    assert (await network.published())[-1].ended


async def test_an_accepted_invitation_ends_every_session(network: Network) -> None:
    person = await network.member()
    await network.accept(await network.invite(), "پنج کلمهٔ بی‌ربط دیگر")
    last = (await network.published())[-1]
    assert (last.session, last.ended) == (person.session, True)
    assert (await network.sign_in()).status_code == 401


async def uses(network: Network, *persons: Person) -> int:
    body = {"sessions": [person.session for person in persons]}
    answer = await network.call("POST", "/internal/sessions/uses", body, roles=(auth.SERVICE,))
    assert answer.status_code == 200
    return answer.json()["moved"]


async def test_a_use_moves_the_idle_end_once_in_a_quarter_of_it(network: Network) -> None:
    person = await network.member()
    network.wait(minutes=7)
    assert await uses(network, person) == 0
    network.wait(minutes=1)
    assert (await uses(network, person, person), await uses(network, person)) == (1, 0)
    last = (await network.published())[-1]
    assert (last.version, last.idle_ends_at) == (2, NOW + timedelta(minutes=38))


async def test_no_use_moves_the_idle_end_past_the_end(network: Network) -> None:
    person = await network.member()
    for _ in range(24):
        network.wait(minutes=29.5)
        assert await uses(network, person) == 1
    last = (await network.published())[-1]
    assert last.idle_ends_at == last.ends_at == NOW + timedelta(hours=12)
    assert await uses(network, person) == 0


async def test_a_session_that_is_over_is_used_no_more(network: Network) -> None:
    idle, ended = await network.member(), await network.signed_in()
    await network.of(ended, "DELETE", f"/v1/sessions/{ended.session}")
    network.wait(minutes=30)
    assert await uses(network, idle, ended) == 0
    unknown = Person("", "f" * 32, "", [], [])
    assert await uses(network, unknown) == 0


async def test_a_gateway_that_lacks_a_session_gets_what_the_topic_has(network: Network) -> None:
    import msgspec

    from contracts.identity import Session

    person = await network.member()
    path = f"/internal/sessions/{person.session}"
    answer = await network.call("GET", path, roles=(auth.SERVICE,))
    (published,) = await network.published()
    assert msgspec.json.decode(answer.content, type=Session) == published
    missing = await network.call("GET", f"/internal/sessions/{'f' * 32}", roles=(auth.SERVICE,))
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"login": ""}, {"login": "x" * 255}, {"password": ""}, {"password": "x" * 513}, {"code": ""},
     {"code": "1" * 65}, {"device": "x" * 101}, {"device": "a\u0007"}, {"remember": True},
     {"login": 1}, {"password": None}],
)  # fmt: skip
async def test_bad_input_is_refused_and_counts_as_no_attempt(network: Network, change: Any) -> None:
    for _ in range(6):
        answer = await network.sign_in(**({"login": LOGIN, "password": PASSWORD} | change))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_the_trail_has_who_signed_in_and_from_where(network: Network) -> None:
    person = await network.member()
    async with network.database.read() as tx:
        row = await tx.fetchrow(
            "select subject, address, after::text as after from audit"
            " where route = 'POST /v1/sessions' order by id desc limit 1"
        )
    assert row is not None
    assert (row["subject"], row["address"]) == ("stranger", HERE)
    assert str(SARA) in row["after"]
    assert person.session in row["after"].replace("-", "")
