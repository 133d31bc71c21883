"""Keys of programs at the edge, on a real broker: rights, ends, a partner's, last use."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.access import domain as keys
from gateway.access.usecases import ProgramKeys
from kit.base import clock, errors

from .conftest import Edge
from .fakes import api_key, program, purchase, session

PARTY = "/v1/parties/7"


def name() -> str:
    return uuid.uuid4().hex


async def test_a_programs_key_opens_what_its_roles_say(edge: Edge) -> None:
    mine = name()
    await edge.publish(api_key(mine, roles=("merchant:12", "partners")))
    answer = await edge.client.put(PARTY, content=b"{}", headers=program(mine))
    assert (answer.status_code, answer.json()["subject"]) == (201, "shop-sync")
    assert answer.json()["roles"] == ["merchant:12", "partners"]
    own = await edge.client.get("/v1/merchants/12/terminals", headers=program(mine))
    assert own.status_code == 201
    other = await edge.client.put("/v1/terms/9", content=b"{}", headers=program(mine))
    assert (other.status_code, other.json()["code"]) == (403, "role-missing")
    person = await edge.client.get("/v1/sessions", headers=program(mine))
    assert person.status_code == 403, "it is no person"


async def test_a_partners_key_enrols_for_its_party(edge: Edge) -> None:
    mine = name()
    await edge.publish(api_key(mine, roles=("enrol:12",)))
    answer = await edge.client.put("/v1/enrolments/x", content=b"{}", headers=program(mine))
    assert answer.status_code == 201
    assert edge.services.actors[-1].party == 12
    elsewhere = await edge.client.get(PARTY, headers=program(mine))
    assert elsewhere.status_code == 403


async def test_a_partys_key_conducts_its_own_disputes_alone(edge: Edge) -> None:
    """By itself: two people gave it the right, so nothing waits for a second one."""
    mine = name()
    await edge.publish(api_key(mine, roles=("party:12",)))
    dispute = "disputes/0b2f6d1e-3c5a-4e7b-9a1d-7f8e9d0c1b2a"
    for rest in ("", "/answer", "/withdrawal", "/escalation"):
        path = f"/v1/parties/12/{dispute}{rest}"
        answer = await edge.client.put(path, content=b"{}", headers=program(mine))
        assert answer.status_code == 201, rest
    own = await edge.client.get("/v1/parties/12/disputes", headers=program(mine))
    assert own.status_code == 201
    for path in (
        f"/v1/parties/13/{dispute}",
        f"/v1/parties/012/{dispute}",
        "/v1/parties/13/disputes",
        "/v1/parties/12",
        "/v1/parties/12/standings",
        "/v1/evidence/13/a/b",
        "/v1/disputes",
        "/v1/disputes/12",
        "/v1/merchants/12/statements/1",
    ):
        refused = await edge.client.get(path, headers=program(mine))
        assert (refused.status_code, refused.json()["code"]) == (403, "role-missing"), path
    decision = await edge.client.put(
        "/v1/disputes/12/decision", content=b"{}", headers=program(mine)
    )
    assert (decision.status_code, decision.json()["code"]) == (403, "role-missing")


async def test_a_key_that_ended_is_refused_as_soon_as_the_table_has_it(edge: Edge) -> None:
    mine = name()
    await edge.publish(api_key(mine))
    assert (await edge.client.get(PARTY, headers=program(mine))).status_code == 201
    await edge.publish(api_key(mine, version=2, ends_at=datetime.now(UTC)))
    for _ in range(2):
        ended = await edge.client.get(PARTY, headers=program(mine))
        assert (ended.status_code, ended.json()["code"]) == (401, "api-key-ended")
        await edge.publish(api_key(mine))  # an older version opens nothing again


async def test_a_key_issued_a_moment_ago_is_looked_up(edge: Edge) -> None:
    mine = name()
    edge.services.api_keys[mine] = api_key(mine)
    for _ in range(3):
        assert (await edge.client.get(PARTY, headers=program(mine))).status_code == 201
    assert edge.services.calls.count(f"/internal/api-keys/{mine}") == 1


@pytest.mark.parametrize(
    "headers",
    [program("0" * 32), program("x"), {"authorization": "Bearer pvk_"},
     {"authorization": "Bearer pvk_" + "A" * 32 + "_x"}],
)  # fmt: skip
async def test_a_key_of_nobody_is_refused(edge: Edge, headers: dict[str, str]) -> None:
    answer = await edge.client.get(PARTY, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "api-key-unknown")


async def test_a_wrong_secret_and_the_secret_of_a_session_are_refused(edge: Edge) -> None:
    mine = name()
    await edge.publish(api_key(mine), session(mine))
    wrong = await edge.client.get(PARTY, headers=program(mine, "guessed"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "api-key-unknown")


async def test_no_programs_key_sells(edge: Edge) -> None:
    mine = name()
    await edge.publish(api_key(mine))
    answer = await edge.post(purchase(903), program(mine))
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


async def test_without_heartbeats_no_key_opens() -> None:
    stale: Any = SimpleNamespace(sessions_fresh=lambda: False)
    nobody: Any = None
    programs = ProgramKeys(nobody, stale, nobody, clock.SystemClock())
    with pytest.raises(errors.Problem) as caught:
        await programs.caller("pvk_" + "0" * 32 + "_x", "10.0.0.1")
    assert (caught.value.status, caught.value.code) == (503, "sessions-unavailable")


async def test_a_use_is_reported_once_in_an_hour(edge: Edge) -> None:
    mine = name()
    await edge.publish(api_key(mine))
    for _ in range(3):
        await edge.client.get(PARTY, headers=program(mine))
        async with asyncio.timeout(30):
            while not any(mine in report for report in edge.services.uses):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    assert sum(mine in report for report in edge.services.uses) == 1


async def test_a_use_is_reported_again_after_an_hour_and_until_it_is_taken() -> None:
    at, reports = SimpleNamespace(time=datetime(2026, 3, 21, tzinfo=UTC)), list[list[str]]()

    class Services:
        away = True

        async def report_uses(self, noun: str, names: list[str]) -> None:
            assert noun == "api-keys"
            reports.append(names)
            if self.away:
                raise errors.Unavailable("away")

    services: Any = Services()
    key = api_key("0" * 32, ends_at=at.time + timedelta(days=1))
    lookups: Any = SimpleNamespace(known_api_key=lambda _: key)
    fresh: Any = SimpleNamespace(sessions_fresh=lambda: True)
    now: Any = SimpleNamespace(now=lambda: at.time)
    programs = ProgramKeys(lookups, fresh, services, now)
    text = program("0" * 32)["authorization"].removeprefix("Bearer ")

    async def use(minutes: int) -> int:
        at.time += timedelta(minutes=minutes)
        await programs.caller(text, "10.0.0.1")
        await programs.report_uses()
        return len(reports)

    assert await use(0) == 1
    services.away = False
    assert [await use(0), await use(59), await use(1), await use(1)] == [2, 2, 3, 3]


def test_a_party_is_read_from_the_roles() -> None:
    assert keys.party_of(["merchant:7", "enrol:12"]) == 12
    assert keys.party_of(["merchant:7"]) is None
