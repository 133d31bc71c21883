"""Creations under one id at once: one answer for all, or 409 and 422 with a code, never a 500."""

import asyncio
import json
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from kit.base.db import Database

STORMS = 4  # a race is lost in one of a dozen: several storms, each under an id of its own
CONSENTS = {"receipts": True, "marketing": False, "wording": "2"}


async def enrol(door: Any, count: int) -> list[dict[str, Any]]:
    memberships: list[dict[str, Any]] = []
    for n in range(count):
        body = {"mobile": f"0912{n:07d}", "consents": {"terms": True}}
        memberships.append(
            (await door("PUT", f"/v1/enrolments/{uuid.UUID(int=n + 1)}", body)).json()
        )
    return memberships


def check(answers: list[httpx.Response], *, winners: int) -> None:
    """winners: how many created it or repeated it; the others differ."""
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1, [answer.text for answer in answers]
    assert sum(status < 300 for status in statuses) == winners, statuses
    for answer in answers:
        if answer.status_code >= 300:
            assert answer.status_code in (409, 422)
            assert answer.json()["code"] == "already-exists-differently"
        for word in ("duplicate key", "constraint", "pkey", "DETAIL"):
            assert word not in answer.text


async def test_a_card_asked_for_six_times_at_once_is_one_card(door: Any) -> None:
    (person,) = await enrol(door, 1)
    for n in range(STORMS):
        path = f"/v1/members/{person['member']}/cards/{uuid.UUID(int=100 + n)}"
        answers = await asyncio.gather(*(door("PUT", path) for _ in range(6)))
        check(answers, winners=6)
        assert len({answer.json()["last4"] for answer in answers}) == 1


async def test_one_id_of_a_card_for_several_members_is_one_members(door: Any) -> None:
    people = await enrol(door, 6)
    for n in range(STORMS):
        card = uuid.UUID(int=100 + n)
        paths = [f"/v1/members/{person['member']}/cards/{card}" for person in people]
        check(await asyncio.gather(*(door("PUT", path) for path in paths)), winners=1)


async def test_one_id_of_consents_for_several_members_is_one_members(door: Any, at: Any) -> None:
    people = await enrol(door, 6)
    for n in range(STORMS):
        at.at += timedelta(minutes=1)
        request_id = uuid.UUID(int=100 + n)
        paths = [f"/v1/members/{person['member']}/consents/{request_id}" for person in people]
        answers = await asyncio.gather(*(door("PUT", path, CONSENTS) for path in paths))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200, *[422] * 5], [answer.text for answer in answers]


async def test_one_id_of_a_binding_for_several_cards_is_one_cards(door: Any) -> None:
    people = await enrol(door, 6)
    other = people[0]
    to = {"member": other["member"], "account": other["account"]}
    for n in range(STORMS):
        binding = uuid.UUID(int=100 + n)
        paths = [
            f"/v1/identifiers/{person['card']['identifier_id']}/bindings/{binding}"
            for person in people
        ]
        body = to | {"from_at": f"2026-03-2{n + 2}T00:00:00Z"}
        check(await asyncio.gather(*(door("PUT", path, body) for path in paths)), winners=1)


async def test_one_mobile_for_several_members_is_one_members(door: Any) -> None:
    members: list[int] = []
    for n in range(5):
        body = {"external": f"C-{n}", "party": 4_000, "consents": {"terms": True}}
        answer = await door("PUT", f"/v1/enrolments/{uuid.UUID(int=n + 1)}", body)
        members.append(answer.json()["member"])
    calls = [
        door("PUT", f"/v1/members/{m}/mobiles/{uuid.UUID(int=50 + m)}", {"mobile": "09120000001"})
        for m in members
    ]
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 4]
    assert {a.json()["code"] for a in answers if a.status_code == 422} == {"identifier-taken"}


@pytest.mark.parametrize("account", ["9223372036854775808", "9223372036854775807", "-1", "1e999"])
async def test_a_line_with_a_bad_number_disturbs_no_other(
    door: Any, pool: Database, account: str
) -> None:
    lines = [json.dumps({"mobile": f"0912{n:07d}", "consents": {"terms": True}}) for n in range(3)]
    lines[1] = lines[1][:-1] + f', "account": {account}}}'
    answer = await door("POST", "/v1/members/import", "\n".join(lines).encode())
    assert answer.status_code == 200
    result = answer.json()
    assert (result["enrolled"], result["known"]) == (2, 0)
    assert [(bad["line"], bad["code"]) for bad in result["bad"]] == [(2, "bad-fields")]
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from members") == 2
