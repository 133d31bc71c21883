"""The trail of identity: every write, and every reading of people, by whom and from where."""

import json
import uuid
from typing import Any

from identity.main import SERVICE
from kit.base import auth
from support import services
from support.trail import Trail

from .conftest import ELSEWHERE, HERE, LOGIN, PASSWORD, SARA, Network, Person

NEW = "پنج کلمهٔ بی‌ربط دیگر"
INSIDE = {
    "POST /internal/sessions/uses",
    "POST /internal/api-keys/uses",
}  # of a gateway: a use is no act of a person


def routes() -> set[str]:
    """Every route of the service."""
    nobody: Any = object()  # nothing is called
    opened = services.opened(SERVICE, nobody, nobody)
    return set(services.routes_of(services.application(SERVICE, opened)))


async def everything(network: Network) -> None:
    """Each write once, and each reading of people."""
    factor, user = uuid.uuid4(), f"/v1/users/{SARA}"
    person = await network.member(("money",))
    await network.enrol(person, factor)
    await network.confirm(person, factor, network.code(person))
    body = {"current": PASSWORD, "password": NEW}
    assert (await network.of(person, "PUT", "/v1/password", body)).status_code == 200
    assert (await network.of(person, "DELETE", "/v1/sessions")).status_code == 200
    path = f"/v1/sessions/{person.session}"
    assert (await network.of(person, "DELETE", path)).status_code == 200
    key, later, ends = uuid.uuid4(), uuid.uuid4(), {"ends_at": "2026-09-21T00:00:00Z"}
    body = {"name": "shop-sync", "roles": ["partners"], **ends}
    assert (await network.call("PUT", f"/v1/api-keys/{key}", body)).status_code == 201
    path = f"/v1/api-keys/{key}/successors/{later}"
    assert (await network.call("PUT", path, ends)).status_code == 201
    assert (await network.call("DELETE", f"/v1/api-keys/{later}")).status_code == 200
    await proposals(network, person)
    reason = {"reason": "کار تازه"}
    for path, change in (("standings", {"standing": "stopped"}), ("grants", {"grants": []})):
        done = await network.call("PUT", f"{user}/{path}/{uuid.uuid4()}", change | reason)
        assert done.status_code == 201, done.text
    for path in (user, "/v1/users"):
        read = await network.call("GET", path, address=ELSEWHERE)
        assert read.status_code == 200


async def proposals(network: Network, by: Person) -> None:
    """One that is withdrawn, one that is rejected, and one that is approved."""
    other = Person(str(uuid.UUID(int=2)), by.session, "", ["money"], [])
    write = {"method": "PUT", "content_type": "", "body": "", "roles": ["money"]}
    path = ""
    for number, decision in enumerate(("withdrawal", "rejection", "approval")):
        target = {"target": f"/v1/terms/{number}"}
        made = await network.of(by, "POST", "/internal/proposals", write | target)
        assert made.status_code == 202, made.text
        path = f"/v1/proposals/{made.json()['proposal']}"
        one = by if decision == "withdrawal" else other
        body = {"reason": "x"} if decision == "rejection" else None
        done = await network.of(one, "PUT", f"{path}/{decision}", body)
        assert done.status_code == 200, done.text
    assert (await network.of(other, "GET", path)).status_code == 200
    result = {"status": 201, "body": "", "is_secret": False}
    inside = f"{path.replace('/v1/', '/internal/')}/result"
    done = await network.call("PUT", inside, result, roles=(auth.SERVICE,))
    assert done.status_code == 200, done.text


async def test_every_write_and_every_reading_of_people_is_kept(network: Network) -> None:
    trail = await Trail.of(network.database)
    await everything(network)
    rows = await trail.rows()
    writes = {row for row in routes() if not row.startswith("GET ")} - INSIDE
    reads = {"GET /v1/users/{user}", "GET /v1/users", "GET /v1/proposals/{proposal}"}
    assert {row["route"] for row in rows if row["act"] == "write"} == writes
    assert {row["route"] for row in rows if row["act"] == "read"} == reads
    changed = next(row for row in rows if row["route"].endswith("/grants/{change}"))
    assert changed["before"]["standing"] == "stopped"
    assert (changed["after"]["grants"], changed["after"]["kind"]) == ([], "grants")


async def test_the_trail_holds_no_secret_and_no_login(network: Network) -> None:
    trail = await Trail.of(network.database)
    await everything(network)
    text = json.dumps(await trail.rows(), ensure_ascii=False)
    for secret in (
        PASSWORD,
        NEW,
        "pvs_",
        "pvi_",
        "pvk_",
        "otpauth",
        LOGIN,
        LOGIN[3:],
        "سارا",
        "Sara",
    ):
        assert secret not in text


async def test_an_auditor_reads_who_did_it_and_from_where(network: Network) -> None:
    trail = await Trail.of(network.database)
    await everything(network)
    path = f"/v1/audit/identity?after={trail.after}&limit=200"
    items = (await network.call("GET", path, roles=("auditor",))).json()["items"]
    by_route = {item["route"]: item for item in items}
    password = by_route["PUT /v1/password"]
    assert (password["subject"], password["address"]) == (str(SARA), HERE)
    assert by_route["POST /v1/sessions"]["subject"] == "stranger"
    assert by_route["GET /v1/users"]["address"] == ELSEWHERE
    assert by_route["PUT /v1/users/{user}"]["subject"] == "tester"
    refused = await network.call("GET", path)
    assert refused.status_code == 403
