"""The HTTP door: first, repeated, another body, forbidden, missing."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.values import Status
from fraud.alerts import usecases as alerts
from fraud.alerts.domain import NameSeen
from fraud.cases import domain as cases_domain
from fraud.cases import store as cases_store
from fraud.cases import usecases as cases
from fraud.main import SERVICE
from kit.base import db
from kit.base.auth import Role
from support import services
from support.callers import Vouched
from support.clocks import StoppedClock
from support.trail import Trail

SECRET = "a secret of the gateway's and the rooms'"
BODY: dict[str, Any] = {
    "effective_from": "2025-06-01T00:00:00+03:30",
    "over": "card_at_merchant",
    "counts": "sales",
    "measure": "count",
    "window": "10m",
    "threshold": 4,
    "on_purchase": "hold",
    "on_redemption": "decline",
    "fa": "{value} بیش از {threshold}",
    "en": "{value} above {threshold}",
}
pytestmark = pytest.mark.usefixtures("committed")


class Client:
    """Calls as the gateway passes them on, with a signed actor."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        roles: tuple[str, ...] = (Role.RULES, Role.SUPPORT, Role.AUDITOR),
    ) -> httpx.Response:
        signed = Vouched("fraud", SECRET, roles, subject="sara")
        return await self.http.request(method, path, json=body, auth=signed)


@pytest.fixture
def stopped(now: datetime) -> StoppedClock:
    return StoppedClock(now)


@pytest_asyncio.fixture(loop_scope="session")
async def client(database: db.Database, stopped: StoppedClock) -> AsyncIterator[Client]:
    app = services.application(
        SERVICE, services.opened(SERVICE, database, stopped, actor_secret=SECRET)
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://fraud") as http:
        yield Client(http)


# ------------------------------------------------------------------------------------------ rules


async def test_a_rule_is_published_once_and_read_back(client: Client) -> None:
    path = "/v1/fraud-rules/night-burst/versions/1"
    first = await client.call("PUT", path, BODY)
    again = await client.call("PUT", path, BODY)
    other = await client.call("PUT", path, BODY | {"threshold": 5})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert other.json()["code"] == "already-exists-differently"
    assert other.json()["fa"]
    read = await client.call("GET", path)
    assert read.json() == first.json() == again.json()
    assert (read.json()["threshold"], read.json()["version"], read.json()["enabled"]) == (
        4,
        1,
        True,
    )
    ahead = await client.call("PUT", "/v1/fraud-rules/night-burst/versions/3", BODY)
    assert (ahead.status_code, ahead.json()["code"]) == (409, "version-not-next")
    earlier = BODY | {"effective_from": "2025-05-31T23:59:59+03:30"}
    back = await client.call("PUT", "/v1/fraud-rules/night-burst/versions/2", earlier)
    assert (back.status_code, back.json()["code"]) == (422, "effective-too-soon")
    assert (await client.call("GET", "/v1/fraud-rules/night-burst/versions/2")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": -1},
        {"threshold": 4.5},
        {"threshold": 512},
        {"window": "2h"},
        {"on_redemption": "hold"},
        {"effective_from": "2025-06-01T00:00:00"},
        {"unknown": 1},
        {"fa": ""},
        {"enabled": "no"},
        {"enabled": 1},
        {"on_history": "1"},
    ],
)
async def test_a_rule_that_cannot_be_is_refused(client: Client, change: dict[str, Any]) -> None:
    got = await client.call("PUT", "/v1/fraud-rules/bad-rule/versions/1", BODY | change)
    assert got.status_code == 422
    assert got.headers["content-type"] == "application/problem+json"
    missing = await client.call("GET", "/v1/fraud-rules/bad-rule/versions/1")
    assert missing.status_code == 404


async def test_rules_are_listed_page_by_page(client: Client) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await client.call("GET", f"/v1/fraud-rules?limit=4&after={after}")).json()
        seen += [item["rule"] for item in page["items"]]
        after = page["next"]
    assert len(seen) == 22
    assert seen == sorted(seen)
    assert (await client.call("GET", "/v1/fraud-rules?after=x@y")).status_code == 422
    assert (await client.call("GET", "/v1/fraud-rules?limit=201")).status_code == 422


async def test_only_operators_publish_and_nobody_unknown_reads(client: Client) -> None:
    path = "/v1/fraud-rules/night-burst/versions/1"
    assert (await client.call("PUT", path, BODY, roles=("reviewer",))).status_code == 403
    assert (await client.http.put(path, json=BODY)).status_code == 401
    for listed in ("/v1/fraud-rules", "/v1/cases", "/v1/fraud-alerts"):
        assert (await client.http.get(listed)).status_code == 401
        assert (await client.call("GET", listed, roles=("merchant:7",))).status_code == 403


# ------------------------------------------------------------------------------------------ cases


async def opened(database: db.Database, now: datetime, *, heard: bool = True) -> None:
    review = cases.Review(
        case_id="case-1",
        shard=5,
        name="t.1.1.1",
        account=1_000_001,
        member=1,
        merchant=7,
        terminal=1,
        amount_rial=100,
        opened_at=now,
        due_at=now + timedelta(hours=72),
        reasons=(),
    )
    async with database.transaction() as tx:
        await cases.open_cases(tx, [review])
        if heard:
            await cases_store.update_ledger_status(
                tx, [cases_domain.earning_outcome(5, "t.1.1.1", Status.UNDER_REVIEW)]
            )


VERDICT = "/v1/cases/case-1/verdict"


async def test_a_reviewer_decides_once_and_the_command_leaves_by_the_relay(
    client: Client, database: db.Database, now: datetime
) -> None:
    await opened(database, now)
    body = {"verdict": "release", "note": "a family, travelling"}
    first = await client.call("PUT", VERDICT, body, roles=("reviewer",))
    again = await client.call("PUT", VERDICT, body, roles=("reviewer",))
    other = await client.call("PUT", VERDICT, {"verdict": "cancel"}, roles=("reviewer",))
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert other.json()["code"] == "already-decided"
    assert first.json() == again.json()
    shown = (await client.call("GET", "/v1/cases/case-1")).json()
    assert shown == first.json()
    assert (shown["status"], shown["reviewer"], shown["transaction"]) == (
        "decided",
        "sara",
        "5.t.1.1.1",
    )
    async with database.read() as tx:
        assert await tx.fetchval("select count(*) from outbox_messages") == 1


async def test_a_verdict_has_its_time(
    client: Client, database: db.Database, now: datetime, stopped: StoppedClock
) -> None:
    await opened(database, now, heard=False)
    early = await client.call("PUT", VERDICT, {"verdict": "release"}, roles=("reviewer",))
    assert (early.status_code, early.json()["code"]) == (409, "outcome-not-heard-yet")
    await opened(database, now)
    stopped.at = now + timedelta(hours=72)
    late = await client.call("PUT", VERDICT, {"verdict": "release"}, roles=("reviewer",))
    assert (late.status_code, late.json()["code"]) == (409, "past-due")
    async with database.read() as tx:
        assert await tx.fetchval("select count(*) from outbox_messages") == 0


async def test_who_may_not_decide_and_what_is_not_there(
    client: Client, database: db.Database, now: datetime
) -> None:
    await opened(database, now)
    assert (await client.call("PUT", VERDICT, {"verdict": "release"})).status_code == 403
    reviewer = ("reviewer",)
    bad = await client.call("PUT", VERDICT, {"verdict": "perhaps"}, roles=reviewer)
    assert bad.status_code == 422
    missing = "/v1/cases/case-2"
    assert (await client.call("GET", missing)).status_code == 404
    decided = await client.call("PUT", f"{missing}/verdict", {"verdict": "cancel"}, roles=reviewer)
    assert decided.status_code == 404
    listed = (await client.call("GET", "/v1/cases?status=open")).json()
    assert [item["case_id"] for item in listed["items"]] == ["case-1"]
    assert (await client.call("GET", "/v1/cases?status=released")).json() == {
        "items": [],
        "next": None,
    }
    assert (await client.call("GET", "/v1/cases?status=odd")).status_code == 422


# ----------------------------------------------------------------------------------------- alerts


async def test_alerts_show_both_sightings(
    client: Client, database: db.Database, now: datetime
) -> None:
    async with database.transaction() as tx:
        await alerts.raise_alerts(
            tx,
            [
                NameSeen(
                    name="t.1.1.1",
                    terminal=1,
                    merchant=7,
                    shard=shard,
                    account=shard,
                    fingerprint="f",
                    seen_at=now,
                )
                for shard in (1, 2)
            ],
        )
    page = (await client.call("GET", "/v1/fraud-alerts?limit=1")).json()
    (alert,) = page["items"]
    assert alert["kind"] == "name-on-two-shards"
    assert (alert["first"]["transaction"], alert["second"]["transaction"]) == (
        "1.t.1.1.1",
        "2.t.1.1.1",
    )
    rest = (await client.call("GET", f"/v1/fraud-alerts?after={page['next']}")).json()
    assert rest == {"items": [], "next": None}


# -------------------------------------------------------------------------------------- the trail


async def test_every_write_leaves_who_what_before_and_after(
    client: Client, database: db.Database, now: datetime
) -> None:
    trail = await Trail.of(database)
    await opened(database, now)
    await client.call("PUT", "/v1/fraud-rules/night-burst/versions/1", BODY)
    await client.call("PUT", VERDICT, {"verdict": "release"}, roles=("reviewer",))
    rule, outcome = await trail.rows()
    resources = services.opened(SERVICE, database, StoppedClock(now), actor_secret=SECRET)
    app = services.application(SERVICE, resources)
    writes = {r for r in services.routes_of(app) if not r.startswith("GET ")}
    assert {rule["route"], outcome["route"]} == writes
    assert (rule["subject"], rule["after"]["threshold"]) == ("sara", BODY["threshold"])
    assert (outcome["before"]["status"], outcome["after"]["verdict"]) == ("open", "release")
