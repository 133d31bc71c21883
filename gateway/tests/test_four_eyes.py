"""Writes that need two people: kept, carried out once with both names, by whoever may (0044)."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.proxy import domain
from gateway.proxy.domain import FOUR_EYES, FOUR_EYES_TO_OPEN
from kit.base import auth, errors
from kit.base.auth import Role

from .conftest import Edge
from .fakes import api_key, operator, program, session, token
from .proposals import Proposals

SARA = "00000000-0000-7000-8000-000000000001"
ROLES = ("money", "partners", "rules", "terminals", "users")
OPEN, STOP = b'{"standing":"open","reason":"x"}', b'{"standing":"stopped","reason":"x"}'
TERMS, BODY = "/v1/terms/9", '{"fee_bp": 200, "title": "نرخ"}'.encode()
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture
async def sara(edge: Edge) -> AsyncIterator[dict[str, str]]:
    """Headers of somebody who signed in with a second factor and may all that four eyes see."""
    mine = uuid.uuid4().hex
    await edge.publish(session(mine, roles=ROLES))
    edge.services.proposals = Proposals()
    edge.services.forwarded.clear()
    edge.services.actors.clear()
    yield token(mine) | JSON
    edge.services.proposals = Proposals()
    edge.services.status, edge.services.more_headers = 201, {}


def written(edge: Edge) -> list[tuple[str, str, bytes]]:
    """What came to a service but approvals: method, path, body."""
    return [
        (method, path, body)
        for method, path, _, body in edge.services.forwarded
        if not path.endswith("/approval")
    ]


async def approve(edge: Edge, headers: dict[str, str], proposal: str = "p1") -> httpx.Response:
    return await edge.client.put(f"/v1/proposals/{proposal}/approval", headers=headers)


@pytest.mark.parametrize("pattern", [*FOUR_EYES, *FOUR_EYES_TO_OPEN])
async def test_every_write_of_the_table_waits_for_a_second_person(
    edge: Edge, sara: dict[str, str], pattern: str
) -> None:
    path = f"{pattern.replace('{}', 'x7')}?dry=1"
    answer = await edge.client.put(path, content=OPEN, headers=sara)
    assert (answer.status_code, answer.headers["location"]) == (202, "/v1/proposals/p1")
    assert written(edge) == [], "nothing happened in the service"
    (kept,) = edge.services.proposals.writes.values()
    assert (kept["method"], kept["target"], kept["proposed_by"]) == ("PUT", path, SARA)
    assert (base64.b64decode(kept["body"]), kept["content_type"]) == (OPEN, JSON["content-type"])
    route = domain.find_route(path.partition("?")[0])
    assert route is not None
    assert set(kept["roles"]) == route.rights_of(path.partition("?")[0]).writes <= set(Role)


@pytest.mark.parametrize("pattern", FOUR_EYES_TO_OPEN)
async def test_what_is_stopped_is_stopped_at_once(
    edge: Edge, sara: dict[str, str], pattern: str
) -> None:
    path = pattern.replace("{}", "7")
    answer = await edge.client.put(path, content=STOP, headers=sara)
    assert (answer.status_code, written(edge)) == (201, [("PUT", path, STOP)])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"standing":"stopped","standing":"open"}', "duplicate-key"),
        (b"{", "malformed-json"),
        (b"", "malformed-json"),
    ],
)
async def test_a_status_that_cannot_be_read_is_refused(
    edge: Edge, sara: dict[str, str], body: bytes, code: str
) -> None:
    answer = await edge.client.put("/v1/parties/7/standings/7", content=body, headers=sara)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (written(edge), edge.services.proposals.writes) == ([], {})


@pytest.mark.parametrize("body", [b"[]", b"1", b'{"standing":["stopped"]}', b'{"a":"stopped"}'])
async def test_what_stops_nothing_waits(edge: Edge, sara: dict[str, str], body: bytes) -> None:
    answer = await edge.client.put("/v1/parties/7/standings/7", content=body, headers=sara)
    assert (answer.status_code, written(edge)) == (202, [])


async def test_other_writes_and_readings_of_a_person_wait_for_nobody(
    edge: Edge, sara: dict[str, str]
) -> None:
    for method, path in (
        ("PUT", "/v1/parties/7"),
        ("PUT", "/v1/users/7"),
        ("DELETE", "/v1/api-keys/7"),
        ("GET", TERMS),
    ):
        answer = await edge.client.request(method, path, headers=sara)
        assert answer.status_code == 201, path
    assert edge.services.proposals.writes == {}


async def test_programs_wait_for_nobody(edge: Edge, sara: dict[str, str]) -> None:
    """Two people gave the key its rights."""
    mine = uuid.uuid4().hex
    await edge.publish(api_key(mine, roles=("money",)))
    for headers in (program(mine), operator("sara")):
        answer = await edge.client.put(TERMS, content=BODY, headers=headers)
        assert answer.status_code == 201
    assert edge.services.proposals.writes == {}


async def test_where_one_person_is_enough_it_is_done_at_once(
    edge: Edge, sara: dict[str, str]
) -> None:
    edge.services.proposals.one_is_enough = True
    answer = await edge.client.put("/v1/api-keys/7", content=BODY, headers=sara)
    assert (answer.status_code, written(edge)) == (201, [("PUT", "/v1/api-keys/7", BODY)])


async def test_what_is_approved_is_carried_out_with_both_names(
    edge: Edge, sara: dict[str, str]
) -> None:
    await edge.client.put(f"{TERMS}?a=%20b", content=BODY, headers=sara)
    answer = await approve(edge, sara)
    assert (answer.status_code, answer.json()["state"]) == (200, "executed")
    assert written(edge) == [("PUT", f"{TERMS}?a=%20b", BODY)]
    actor = edge.services.actors[-1]
    assert (actor.subject, actor.approved_by, actor.session) == (SARA, "reza", "")
    assert actor.roles == {*ROLES, auth.PERSON}
    result = edge.services.proposals.results["p1"]
    assert (result["status"], result["is_secret"]) == (201, False)
    assert json.loads(base64.b64decode(result["body"]))["bytes"] == len(BODY)
    assert (await approve(edge, sara)).json() == answer.json()
    assert len(written(edge)) == 1, "once"


@pytest.mark.parametrize("status", [409, 422, 403])
async def test_a_refusal_of_the_service_is_the_result(
    edge: Edge, sara: dict[str, str], status: int
) -> None:
    """The state moved on between the two people."""
    await edge.client.put(TERMS, content=BODY, headers=sara)
    edge.services.status = status
    answer = await approve(edge, sara)
    assert (answer.status_code, answer.json()["result"]["status"]) == (200, status)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_service_that_is_away_leaves_it_approved_and_the_same_call_goes_on(
    edge: Edge, sara: dict[str, str], status: int
) -> None:
    """As after a gateway that was killed between approval and result."""
    await edge.client.put(TERMS, content=BODY, headers=sara)
    edge.services.status = status
    away = await approve(edge, sara)
    assert (away.status_code, away.json()["code"]) == (503, "service-unavailable")
    assert edge.services.proposals.results == {}
    edge.services.status = 200
    done = await approve(edge, sara)
    assert done.json()["result"]["status"] == 200
    assert written(edge) == [("PUT", TERMS, BODY)] * 2, "the very bytes, under the caller's name"


async def test_whoever_approves_has_the_right_at_the_gateway_too(
    edge: Edge, sara: dict[str, str]
) -> None:
    await edge.client.put(TERMS, content=BODY, headers=sara)
    other = uuid.uuid4().hex
    await edge.publish(session(other, roles=("support",)))
    answer = await approve(edge, token(other))
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")
    assert written(edge) == []
    mine = uuid.uuid4().hex
    await edge.publish(api_key(mine, roles=("money",)))
    for headers in (program(mine), operator("sara")):
        assert (await approve(edge, headers)).status_code == 403, "no program approves"


@pytest.mark.parametrize("header", ["no-store", "private, no-store"])
async def test_an_answer_with_a_secret_is_marked(
    edge: Edge, sara: dict[str, str], header: str
) -> None:
    await edge.client.put("/v1/api-keys/7", content=BODY, headers=sara)
    edge.services.more_headers = {"Cache-Control": header}
    await approve(edge, sara)
    assert edge.services.proposals.results["p1"]["is_secret"]


async def test_a_refusal_of_identity_is_answered(edge: Edge, sara: dict[str, str]) -> None:
    edge.services.proposals.status = 422
    answer = await edge.client.put(TERMS, content=BODY, headers=sara)
    assert (answer.status_code, written(edge)) == (422, [])


@pytest.mark.parametrize(
    ("method", "path", "two"),
    [
        ("PUT", "/v1/terms/9", True),
        ("PUT", "/v1/terms/۹", True),
        ("PUT", "/v1/terms/9/", False),  # no address of any service
        ("PUT", "/v1/terms", False),
        ("GET", "/v1/terms/9", False),
        ("DELETE", "/v1/api-keys/9", False),
        ("PUT", "/v1/users/9", False),
        ("PUT", "/v1/merchants/5/programmes/1", True),
        ("PUT", "/v1/merchants/5/programmes/1/x", False),
    ],
)
def test_the_table_is_of_whole_paths(method: str, path: str, two: bool) -> None:
    assert domain.needs_two_people(method, path, b"") is two


def test_a_status_without_a_body_is_nothing() -> None:
    with pytest.raises(errors.Malformed):
        domain.needs_two_people("PUT", "/v1/users/7/standings/8", b"")


def test_only_an_approval_carries_out() -> None:
    cases: list[tuple[Any, bool]] = [
        (("PUT", "/v1/proposals/7/approval"), True),
        (("GET", "/v1/proposals/7/approval"), False),
        (("PUT", "/v1/proposals/7/rejection"), False),
        (("PUT", "/v1/applications/7/approval"), False),
    ]
    assert [domain.is_approval(*call) for call, _ in cases] == [is_one for _, is_one in cases]
