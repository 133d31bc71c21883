"""HTTP doors of endpoints and deliveries: who may, what is refused, what stands twice."""

import uuid
from typing import Any

import pytest

from kit.base.db import Database
from notify.webhooks import consumer
from support.trail import Trail

pytestmark = pytest.mark.SH14
ENDPOINT = "0b2f6d1e-3c5a-4e7b-9a1d-7f8e9d0c1b2a"
PATH = f"/v1/merchants/5/webhook-endpoints/{ENDPOINT}"
BODY = {"url": "https://shop.example/hook", "events": ["transaction.completed"]}


async def _made(client: Any, path: str = PATH, body: Any = None) -> dict[str, Any]:
    answer = await client.send("PUT", path, body or BODY)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_endpoint_is_made_once_and_its_secret_shown_once(
    hooks: Database, client: Any
) -> None:
    trail = await Trail.of(hooks)
    made = await _made(client)
    assert made["secret"].startswith("whsec_")
    again = await client.send("PUT", PATH, BODY)
    assert again.status_code == 200
    assert again.json() == made | {"secret": None}
    assert (await client.get(PATH)).json() == made | {"secret": None}
    listed = (await client.get("/v1/merchants/5/webhook-endpoints")).json()
    assert listed["items"] == [made | {"secret": None}]
    rows = await trail.rows()
    assert [row["route"][:4] for row in rows] == ["PUT ", "PUT "]
    assert "whsec_" not in str(rows)


async def test_it_is_changed_stopped_and_opened_again(hooks: Database, client: Any) -> None:
    await _made(client)
    changed = BODY | {"url": "https://shop.example/other", "enabled": False}
    answer = (await client.send("PUT", PATH, changed)).json()
    assert (answer["url"], answer["enabled"]) == ("https://shop.example/other", False)
    answer = (await client.send("PUT", PATH, BODY)).json()
    assert (answer["enabled"], answer["secret"]) == (True, None)


async def test_a_secret_is_put_in_place_of_another(hooks: Database, client: Any) -> None:
    made = await _made(client)
    path = f"{PATH}/secrets/{uuid.uuid4()}"
    first = await client.send("PUT", path, {"overlap_s": 60})
    assert first.status_code == 201
    assert first.json()["text"] not in (None, made["secret"])
    again = await client.send("PUT", path, {"overlap_s": 60})
    assert (again.status_code, again.json()["text"]) == (200, None)
    other = f"/v1/merchants/5/webhook-endpoints/{uuid.uuid4()}"
    await _made(client, other)
    taken = await client.send("PUT", f"{other}/secrets/{path.rpartition('/')[2]}", {})
    assert taken.json()["code"] == "already-exists-differently"


async def test_what_is_of_another_merchant_is_not_there(hooks: Database, client: Any) -> None:
    await _made(client)
    foreign = PATH.replace("/5/", "/6/")
    for method, path, body in (
        ("GET", foreign, None),
        ("GET", foreign + "/deliveries", None),
        ("PUT", f"{foreign}/secrets/{uuid.uuid4()}", {}),
        ("PUT", f"{foreign}/tests/{uuid.uuid4()}", None),
        ("POST", foreign + "/replays", {"message": str(uuid.uuid4())}),
    ):
        answer = await client.send(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
    taken = await client.send("PUT", foreign, BODY)
    assert taken.json()["code"] == "already-exists-differently"
    nobody = await client.send("PUT", f"/v1/merchants/9/webhook-endpoints/{uuid.uuid4()}", BODY)
    assert nobody.status_code == 404


async def test_only_partners_write_and_a_merchant_reads_its_own(
    hooks: Database, client: Any
) -> None:
    await _made(client)
    own = ("merchant:5",)
    assert (await client.get(PATH + "/deliveries", roles=own)).status_code == 200
    assert (await client.get(PATH, roles=("merchant:6",))).status_code == 403
    for roles in (own, ("money",), ("support",)):
        assert (await client.send("PUT", PATH, BODY, roles=roles)).status_code == 403


async def test_bad_bodies_are_refused_and_nothing_is_kept(hooks: Database, client: Any) -> None:
    for body, code in (
        (BODY | {"url": "http://shop.example/"}, "bad-webhook-url"),
        (BODY | {"url": "https://10.0.0.1/"}, "bad-webhook-url"),
        (BODY | {"events": []}, "invalid"),
        (BODY | {"events": ["transaction.completed", "all"]}, "invalid"),
        (BODY | {"enabled": "yes"}, "invalid"),
        (BODY | {"secret": "whsec_mine"}, "invalid"),
        ({"url": "https://shop.example/"}, "invalid"),
        ([], "invalid"),
    ):
        answer = await client.send("PUT", PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (422, code), body
        assert answer.json()["fa"]
    assert (await client.get("/v1/merchants/۵/webhook-endpoints")).json()["items"] == []


async def test_a_merchant_has_ten_endpoints_at_most(hooks: Database, client: Any) -> None:
    for number in range(10):
        await _made(client, f"/v1/merchants/5/webhook-endpoints/{uuid.UUID(int=number + 1)}")
    answer = await client.send("PUT", PATH, BODY)
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-endpoints")


async def test_a_test_is_queued_once_and_shows_how_it_went(hooks: Database, client: Any) -> None:
    await _made(client)
    path = f"{PATH}/tests/{uuid.uuid4()}"
    first = (await client.send("PUT", path)).json()
    assert (first["type"], first["state"], first["transaction"]) == ("endpoint.test", "pending", "")
    assert (await client.send("PUT", path)).json() == first
    await client.send("PUT", PATH, BODY | {"enabled": False})
    answer = await client.send("PUT", f"{PATH}/tests/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint-disabled")


async def test_deliveries_come_in_pages_and_are_replayed(
    hooks: Database, client: Any, samples: Any, make: Any
) -> None:
    await _made(client)
    async with hooks.transaction() as tx:
        outcomes = [make.entry_event(samples.outcome(1, merchant=5)) for _ in range(3)]
        await consumer.on_ledger_entries(tx, outcomes)
    first = (await client.get(PATH + "/deliveries?limit=2&state=pending")).json()
    assert len(first["items"]) == 2
    rest = (await client.get(f"{PATH}/deliveries?limit=2&after={first['next']}")).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert (await client.get(PATH + "/deliveries?state=delivered")).json()["items"] == []
    period = {"since": "2026-03-21T00:00:00+03:30", "until": "2026-03-22T00:00:00+03:30"}
    assert (await client.send("POST", PATH + "/replays", period)).json() == {"events": 3}
    message = {"message": first["items"][0]["message"]}
    assert (await client.send("POST", PATH + "/replays", message)).json() == {"events": 1}
    for body in ({}, {"since": period["since"]}, period | message, message | {"until": None}):
        answer = await client.send("POST", PATH + "/replays", body)
        assert answer.status_code == (200 if body == message | {"until": None} else 422), body
