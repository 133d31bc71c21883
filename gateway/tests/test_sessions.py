"""Sessions at the edge, on a real broker: open, withheld, ended within a second, used, unknown."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.access import domain as keys
from gateway.access.usecases import OpenSessions
from gateway.limits import RateLimiter
from gateway.tables.usecases.readiness import SESSIONS, STATE_TOPICS, Readiness
from kit.base import auth, clock, errors

from .conftest import Edge
from .fakes import OPENED, bearer, operator, purchase, session, token

SARA = "00000000-0000-7000-8000-000000000001"
PARTY = "/v1/parties/7"


def name() -> str:
    return uuid.uuid4().hex


async def test_a_session_opens_what_an_operators_key_opens(edge: Edge) -> None:
    mine = name()
    await edge.publish(session(mine))
    answer = await edge.client.put(PARTY, content=b"{}", headers=token(mine))
    assert (answer.status_code, answer.json()["subject"]) == (201, SARA)
    assert answer.json()["roles"] == ["partners", auth.PERSON]
    own = await edge.client.get("/v1/sessions", headers=token(mine))
    assert own.status_code == 201
    status = await edge.client.get("/v1/transactions/5.t.1.1.1", headers=token(mine))
    assert status.status_code == 202


async def test_a_service_is_told_the_session_and_where_it_comes_from(edge: Edge) -> None:
    mine = name()
    await edge.publish(session(mine))
    await edge.client.get("/v1/sessions", headers=token(mine))
    seen = edge.services.actors[-1]
    assert (seen.subject, seen.session) == (SARA, mine)
    assert seen.address == "127.0.0.1"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_session_may_not_do_what_its_roles_do_not_say(edge: Edge, method: str) -> None:
    mine = name()
    await edge.publish(session(mine, roles=("support",)))
    answer = await edge.client.request(method, PARTY, headers=token(mine))
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


async def test_what_a_second_factor_would_add_is_refused_with_what_to_do(edge: Edge) -> None:
    mine = name()
    withheld = ("history", "money")
    await edge.publish(session(mine, withheld=withheld))
    window = await edge.client.put("/v1/windows/9", content=b"{}", headers=token(mine))
    assert (window.status_code, window.json()["code"]) == (403, "second-factor-needed")
    history = await edge.post({}, token(mine), "/v1/history")
    assert (history.status_code, history.json()["code"]) == (403, "second-factor-needed")
    await edge.publish(session(mine, version=2, roles=("history", "money", "partners")))
    window = await edge.client.put("/v1/windows/9", content=b"{}", headers=token(mine))
    assert window.status_code == 201
    history = await edge.post({}, token(mine), "/v1/history")
    assert history.json()["code"] == "missing-field"


async def test_a_session_that_ended_is_refused_within_a_second(edge: Edge) -> None:
    """Measured in records, not in seconds of a busy machine: as soon as the table has it."""
    mine = name()
    await edge.publish(session(mine))
    assert (await edge.client.get(PARTY, headers=token(mine))).status_code == 201
    await edge.publish(session(mine, version=2, ended=True))
    ended = await edge.client.get(PARTY, headers=token(mine))
    assert (ended.status_code, ended.json()["code"]) == (401, "session-ended")
    await edge.publish(session(mine))
    late = await edge.client.get(PARTY, headers=token(mine))
    assert late.json()["code"] == "session-ended", "an older version opens nothing again"


@pytest.mark.parametrize("end", ["idle_ends_at", "ends_at"])
async def test_each_end_of_a_session_counts_by_itself(edge: Edge, end: str) -> None:
    mine = name()
    await edge.publish(session(mine, **{end: datetime.now(UTC) - timedelta(seconds=1)}))
    answer = await edge.client.get(PARTY, headers=token(mine))
    assert (answer.status_code, answer.json()["code"]) == (401, "session-ended")


async def test_a_session_opened_a_moment_ago_is_looked_up(edge: Edge) -> None:
    mine = name()
    edge.services.sessions[mine] = session(mine)
    before = edge.services.calls.count(f"/internal/sessions/{mine}")
    for _ in range(3):
        assert (await edge.client.get(PARTY, headers=token(mine))).status_code == 201
    assert edge.services.calls.count(f"/internal/sessions/{mine}") == before + 1
    await edge.publish(session(mine, version=2, ended=True))
    ended = await edge.client.get(PARTY, headers=token(mine))
    assert ended.json()["code"] == "session-ended", "whatever was looked up before"


@pytest.mark.parametrize(
    "headers",
    [token("0" * 32), token("x"), {"authorization": "Bearer pvs_"},
     {"authorization": "Bearer pvs_" + "0" * 31 + "_x"},
     {"authorization": "Bearer pvs_" + "A" * 32 + "_x"},
     {"authorization": "Bearer pvs_" + "0" * 32 + "_"}],
)  # fmt: skip
async def test_a_token_of_nobody_is_refused(edge: Edge, headers: dict[str, str]) -> None:
    for path in (PARTY, "/v1/transactions/5.t.1.1.1"):
        answer = await edge.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "session-unknown")


async def test_a_wrong_secret_is_refused(edge: Edge) -> None:
    mine = name()
    await edge.publish(session(mine))
    answer = await edge.client.get(PARTY, headers=token(mine, "guessed"))
    assert (answer.status_code, answer.json()["code"]) == (401, "session-unknown")


async def test_no_session_sells(edge: Edge) -> None:
    mine = name()
    await edge.publish(session(mine))
    answer = await edge.post(purchase(901), token(mine))
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


def test_tills_wait_for_no_heartbeat_of_sessions() -> None:
    """Identity may be away while shops sell."""
    now = datetime.now(UTC)
    readiness = Readiness(False, lambda: now)
    for topic in STATE_TOPICS:
        age_s = 31 if topic.name == SESSIONS else 1
        readiness.note_heartbeat((topic.name, 0), int((now.timestamp() - age_s) * 1000))
    assert readiness.tables_fresh()
    assert not readiness.sessions_fresh()
    readiness.note_heartbeat((SESSIONS, 0), int(now.timestamp() * 1000))
    assert readiness.sessions_fresh()


async def test_without_heartbeats_no_session_opens() -> None:
    """One that ended meanwhile must not pass."""
    stale: Any = SimpleNamespace(sessions_fresh=lambda: False)
    nobody: Any = None
    sessions = OpenSessions(nobody, stale, nobody, clock.SystemClock())
    with pytest.raises(errors.Problem) as caught:
        await sessions.caller("pvs_" + "0" * 32 + "_x", "10.0.0.1")
    assert (caught.value.status, caught.value.code) == (503, "sessions-unavailable")


async def reported(edge: Edge, mine: str, times: int) -> None:
    async with asyncio.timeout(30):
        while sum(mine in report for report in edge.services.uses) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_use_is_reported_beside_the_request_and_again_until_it_is_taken(
    edge: Edge,
) -> None:
    due, fresh = name(), name()
    later = datetime.now(UTC) + timedelta(minutes=20)
    await edge.publish(session(due, idle_ends_at=later), session(fresh))
    edge.services.uses_status = 503
    try:
        for mine in (due, fresh):
            assert (await edge.client.get(PARTY, headers=token(mine))).status_code == 201
        await reported(edge, due, 2)
    finally:
        edge.services.uses_status = 200
    await reported(edge, due, sum(due in report for report in edge.services.uses) + 1)
    assert not [report for report in edge.services.uses if fresh in report]
    await asyncio.sleep(0.3)
    quiet = len(edge.services.uses)
    await asyncio.sleep(0.3)
    assert len(edge.services.uses) == quiet, "it was taken, and nobody used it since"


def test_a_use_is_due_after_a_quarter_of_the_idle_time() -> None:
    one = session(
        "0" * 32, idle_ends_at=OPENED + timedelta(minutes=30), ends_at=OPENED + timedelta(hours=12)
    )
    assert not keys.use_is_due(one, OPENED + timedelta(minutes=7))
    assert keys.use_is_due(one, OPENED + timedelta(minutes=7.5))
    last = session("0" * 32, idle_ends_at=one.ends_at, ends_at=one.ends_at)
    assert not keys.use_is_due(last, one.ends_at - timedelta(seconds=1))


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/invitations/accept"])
@pytest.mark.parametrize(
    "headers", [{}, bearer(10000017), operator("sara"), {"authorization": "x"}]
)
async def test_signing_in_needs_no_key_and_takes_none(
    edge: Edge, path: str, headers: dict[str, str]
) -> None:
    answer = await edge.post({"login": "a"}, headers, path)
    assert (answer.status_code, answer.json()["subject"]) == (201, auth.STRANGER)
    assert answer.json()["roles"] == [auth.STRANGER]
    assert edge.services.actors[-1].address == "127.0.0.1"
    assert "authorization" not in edge.services.forwarded[-1][2]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/sessions"), ("DELETE", "/v1/sessions"), ("PUT", "/v1/sessions"),
     ("POST", "/v1/sessions/"), ("POST", "/v1/invitations"), ("POST", "/v1/invitations/accept/x"),
     ("GET", "/v1/invitations/accept"), ("PUT", "/v1/password"), ("GET", "/v1/users")],
)  # fmt: skip
async def test_nothing_else_of_identity_is_open(edge: Edge, method: str, path: str) -> None:
    answer = await edge.client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "key-missing")
    keyed = await edge.client.request(method, path, headers=operator("sara"))
    assert keyed.status_code == 403, "sara has no role users"


async def test_a_stranger_signs_in_within_the_limits_of_strangers(edge: Edge) -> None:
    quotas: Any = edge.app.asgi.quotas
    kept = (quotas.strangers.rate_per_s, quotas.strangers.burst, quotas.strangers._buckets)
    quotas.strangers.rate_per_s, quotas.strangers.burst = 0.001, 3.0
    quotas.strangers._buckets = {}
    try:
        answers = [await edge.post({}, {}, "/v1/sessions") for _ in range(5)]
    finally:
        quotas.strangers.rate_per_s, quotas.strangers.burst, quotas.strangers._buckets = kept
    assert isinstance(quotas.strangers, RateLimiter)
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
