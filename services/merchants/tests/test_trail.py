"""The trail: every write of the room leaves actor, act, before and after (findings S12)."""

import asyncio
import json
import uuid
from typing import Any

import asyncpg
import pytest

from kit.base import errors
from kit.base.db import Database
from support import services
from support.trail import Trail

from .test_api import MERCHANT, PARTY, STOP, activation, arrange

OF_OTHER_TESTS = (  # test_onboarding, test_activation_codes, test_settlement, test_disputes
    "/v1/applications",
    "/v1/onboarding",
    "/v1/activations",
    "/v1/terminals/{terminal}/activation-codes",
    "/v1/windows/{window}/settlement",
    "/v1/parties/{party}/sheba-changes",
    "/v1/parties/{party}/disputes",
    "/v1/disputes",
    "/v1/evidence",
)


async def test_every_write_leaves_actor_act_before_and_after(door: Any, pool: Database) -> None:
    trail = await Trail.of(pool)
    await arrange(door)
    calls: list[tuple[str, str, Any]] = [
        ("PUT", activation(1), None),
        ("PUT", "/v1/terminals/10/keys/aaaa1111", None),
        ("DELETE", "/v1/terminals/10/keys/aaaa1111", None),
        ("PUT", f"/v1/terminals/10/standings/{uuid.UUID(int=1)}", STOP),
        ("PUT", f"/v1/merchants/5/standings/{uuid.UUID(int=2)}", STOP),
        ("PUT", f"/v1/parties/2/standings/{uuid.UUID(int=3)}", STOP),
        ("PUT", "/v1/windows/1", {}),
    ]
    for method, path, body in calls:
        assert (await door(method, path, body)).status_code in (200, 201, 202)
    items = await trail.rows()
    writes = {r for r in services.routes_of(door.app) if not r.startswith("GET ")}
    elsewhere = {r for r in writes if r.split(" ")[1].startswith(OF_OTHER_TESTS)}
    assert {item["route"] for item in items} == writes - elsewhere
    assert {(item["subject"], item["act"]) for item in items} == {("tester", "write")}
    assert all(item["after"] is not None and len(item["body_sha256"]) == 64 for item in items)
    revoked = next(item for item in items if item["route"].startswith("DELETE"))
    assert revoked["target"] == {"terminal": "10", "key_id": "aaaa1111"}
    before, after = ([k["revoked_at"] for k in revoked[w]["keys"]] for w in ("before", "after"))
    assert (before.count(None), after.count(None)) == (2, 1)
    assert "pvt_" not in json.dumps(items)  # no key that works


async def test_an_auditor_reads_the_trail_by_pages(door: Any, pool: Database) -> None:
    trail = await Trail.of(pool)
    await arrange(door)
    rows = await trail.rows()

    async def read(query: str) -> dict[str, Any]:
        path = f"/v1/audit/merchants?after={trail.after}&{query}"
        answer = await door("GET", path, roles=("auditor",))
        assert answer.status_code == 200, answer.text
        return answer.json()

    page = await read("limit=2")
    assert [item["id"] for item in page["items"]] == [row["id"] for row in rows[:2]]
    assert page["next"] == rows[1]["id"]
    first = page["items"][0]
    assert (first["route"], first["target"]) == ("PUT /v1/parties/{party}", {"party": "2"})
    assert (first["before"], first["after"]["title_en"]) == (None, "Bread Co")
    assert (first["subject"], first["act"]) == ("tester", "write")
    assert (await read("subject=somebody"))["items"] == []
    assert len((await read("limit=200&subject=tester"))["items"]) == len(rows)


async def test_a_failed_or_refused_write_leaves_no_row(door: Any, pool: Database) -> None:
    await arrange(door)
    trail = await Trail.of(pool)
    assert (await door("PUT", "/v1/merchants/5", MERCHANT | {"party": 3})).status_code == 404
    assert (await door("PUT", "/v1/parties/9", PARTY, roles=("auditor",))).status_code == 403
    assert await trail.rows() == []


async def test_the_trail_is_for_ever(door: Any, pool: Database, owner_dsn: Any, dsn: str) -> None:
    await arrange(door)
    owner = await Database.open(owner_dsn(dsn), size=1)
    try:
        for database in (pool, owner):
            for sql in ("update audit set subject = 'x'", "delete from audit"):
                with pytest.raises(errors.Alarm) as refused:
                    async with database.transaction() as tx:
                        await tx.execute(sql)
                assert isinstance(refused.value.__cause__, asyncpg.InsufficientPrivilegeError)
        with pytest.raises(errors.Alarm) as refused:
            async with owner.transaction() as tx:
                await tx.execute("truncate audit")
        assert isinstance(refused.value.__cause__, asyncpg.InsufficientPrivilegeError)
    finally:
        await owner.close()


async def test_a_write_waits_for_the_one_before_it_so_that_pages_leave_none_out(
    door: Any, pool: Database, owner_dsn: Any, dsn: str
) -> None:
    """Rows of the trail are numbered and chained in the order of their commits."""
    await arrange(door)
    trail = await Trail.of(pool)
    owner = await asyncpg.connect(owner_dsn(dsn))
    holder = await asyncpg.connect(dsn)
    await owner.execute(
        "create function wait_at_commit() returns trigger language plpgsql as $$"
        " begin perform pg_advisory_xact_lock_shared(77); return null; end $$;"
        " create constraint trigger late after insert on audit deferrable initially deferred"
        " for each row when (new.target ->> 'party' = '90') execute function wait_at_commit()"
    )
    try:
        await holder.execute("select pg_advisory_lock(77)")
        late = asyncio.ensure_future(door("PUT", "/v1/parties/90", PARTY))
        waits = "select exists (select from pg_locks where objid = 77 and not granted)"
        while not await owner.fetchval(waits):  # noqa: ASYNC110 - a lock of the database's
            await asyncio.sleep(0.01)
        following = asyncio.ensure_future(door("PUT", "/v1/parties/91", PARTY))
        await asyncio.wait([following], timeout=0.3)
        path = f"/v1/audit/merchants?after={trail.after}"
        assert (await door("GET", path, roles=("auditor",))).json()["items"] == []
        await holder.execute("select pg_advisory_unlock(77)")
        assert [(await late).status_code, (await following).status_code] == [201, 201]
        page = (await door("GET", path, roles=("auditor",))).json()["items"]
        assert [item["target"] for item in page] == [{"party": "90"}, {"party": "91"}]
        assert [item["id"] for item in page] == [row["id"] for row in await trail.rows()]
    finally:
        await owner.execute("drop trigger late on audit; drop function wait_at_commit()")
        await owner.close()
        await holder.close()
