"""The HTTP door: who may read, pages, masks, counts."""

from typing import Any

from kit.base.db import Database
from notify.contacts import consumer as contacts_consumer
from notify.sms_queue import consumer
from support.trail import Trail

PRICE = 1_180


async def _queue(pool: Database, samples: Any, make: Any) -> None:
    async with pool.transaction() as tx:
        contacts = [make.contact_event(samples.contact(member)) for member in (1, 2)]
        await contacts_consumer.on_members_contacts(tx, contacts)
        outcomes = [make.entry_event(samples.outcome(member)) for member in (1, 2, 1, 2, 1, 3)]
        await consumer.on_ledger_entries(tx, outcomes, segment_price_rial=PRICE)


async def test_messages_come_in_pages_with_masked_numbers(
    pool: Database, client: Any, samples: Any, make: Any
) -> None:
    await _queue(pool, samples, make)
    first = (await client.get("/v1/messages?limit=4")).json()
    assert len(first["items"]) == 4
    rest = (await client.get(f"/v1/messages?limit=4&after={first['next']}")).json()
    assert len(rest["items"]) == 2
    assert rest["next"] is None
    masked = {item["member"]: item["mobile"] for item in first["items"] + rest["items"]}
    assert masked == {1: "0910***0001", 2: "0910***0002", 3: ""}
    assert "sealed" not in first["items"][0]
    assert first["items"][0]["parts"] == 1  # segments
    mine = (await client.get("/v1/messages?member=2")).json()
    assert [item["member"] for item in mine["items"]] == [2, 2]
    assert mine["counts"] is None


async def test_counts_are_by_state(pool: Database, client: Any, samples: Any, make: Any) -> None:
    assert (await client.get("/v1/messages?counts=true")).json()["counts"] == {}
    await _queue(pool, samples, make)
    counted = (await client.get("/v1/messages?limit=1&counts=true")).json()
    assert counted["counts"] == {"queued": 5, "waiting": 1}


async def test_only_operators_read_and_limits_hold(client: Any) -> None:
    assert (await client.get("/v1/messages", roles=("reviewer",))).status_code == 403
    assert (await client.http.get("/v1/messages")).status_code == 401
    for query in ("limit=201", "limit=0", "after=-1", "member=0", "member=x"):
        refused = await client.get(f"/v1/messages?{query}")
        assert refused.status_code == 422, query
        assert refused.json()["code"] == "invalid"


async def test_the_callbacks_are_not_in_the_published_document(client: Any) -> None:
    document = (await client.get("/openapi.json", roles=("service",))).json()
    assert all(path.startswith("/v1/") for path in document["paths"])
    assert "/v1/messages" in document["paths"]


async def test_who_reads_messages_is_kept(
    pool: Database, client: Any, samples: Any, make: Any
) -> None:
    await _queue(pool, samples, make)
    trail = await Trail.of(pool)
    await client.get("/v1/messages?member=2", roles=("support",))
    (row,) = await trail.rows()
    assert (row["act"], row["route"], row["after"]) == (
        "read",
        "GET /v1/messages",
        {"members": [2]},
    )
