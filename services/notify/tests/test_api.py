"""The HTTP door: who may read, pages, masks, counts."""

from typing import Any

from house import testing
from kit.db import Database
from notify import consumer

PRICE = 1_180


async def _queue(pool: Database, world: Any, make: Any) -> None:
    async with pool.transaction() as tx:
        contacts = [make.contact_event(world.contact(member)) for member in (1, 2)]
        await consumer.on_members_contacts(tx, contacts)
        outcomes = [make.entry_event(world.outcome(member)) for member in (1, 2, 1, 2, 1, 3)]
        await consumer.on_ledger_entries(tx, outcomes, part_price_rial=PRICE)


async def test_messages_come_in_pages_with_masked_numbers(
    pool: Database, door: Any, world: Any, make: Any
) -> None:
    await _queue(pool, world, make)
    first = (await door.get("/v1/messages?limit=4")).json()
    assert len(first["items"]) == 4
    rest = (await door.get(f"/v1/messages?limit=4&after={first['next']}")).json()
    assert len(rest["items"]) == 2
    assert rest["next"] is None
    shown = {item["member"]: item["mobile"] for item in first["items"] + rest["items"]}
    assert shown == {1: "0910***0001", 2: "0910***0002", 3: ""}
    assert "sealed" not in first["items"][0]
    mine = (await door.get("/v1/messages?member=2")).json()
    assert [item["member"] for item in mine["items"]] == [2, 2]
    assert mine["counts"] is None


async def test_counts_are_by_state(pool: Database, door: Any, world: Any, make: Any) -> None:
    assert (await door.get("/v1/messages?counts=true")).json()["counts"] == {}
    await _queue(pool, world, make)
    counted = (await door.get("/v1/messages?limit=1&counts=true")).json()
    assert counted["counts"] == {"queued": 5, "waiting": 1}


async def test_only_operators_read_and_limits_hold(door: Any) -> None:
    assert (await door.get("/v1/messages", roles=("reviewer",))).status_code == 403
    assert (await door.client.get("/v1/messages")).status_code == 401
    for query in ("limit=201", "limit=0", "after=-1", "member=0", "member=x"):
        refused = await door.get(f"/v1/messages?{query}")
        assert refused.status_code == 422, query
        assert refused.json()["code"] == "invalid"


async def test_the_callbacks_are_not_in_the_published_document(door: Any) -> None:
    document = (await door.get("/openapi.json", roles=("service",))).json()
    assert list(document["paths"]) == ["/v1/messages", "/v1/audit/notify"]


async def test_who_reads_messages_is_kept(pool: Database, door: Any, world: Any, make: Any) -> None:
    await _queue(pool, world, make)
    trail = await testing.Trail.of(pool)
    await door.get("/v1/messages?member=2", roles=("support",))
    (row,) = await trail.rows()
    assert (row["act"], row["route"], row["after"]) == (
        "read",
        "GET /v1/messages",
        {"members": [2]},
    )
