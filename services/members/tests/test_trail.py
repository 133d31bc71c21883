"""The trail: who wrote what of members, and who read whom; nobody's data in it (S12)."""

import json
import uuid
from datetime import timedelta
from typing import Any

from kit.base.db import Database
from support import services
from support.trail import Trail

from .test_adjustments import ADD
from .test_api import ANSWERS, BODY, enrolment


async def test_every_write_and_reading_leaves_who_and_whose(
    door: Any, pool: Database, at: Any
) -> None:
    trail = await Trail.of(pool)
    membership = (await door("PUT", enrolment(1), BODY)).json()
    bare = {"consents": {"terms": True}, "external": "C-9", "party": 4_000}
    other = (await door("PUT", enrolment(2), bare)).json()
    member, card = membership["member"], membership["card"]["identifier_id"]
    at.at += timedelta(minutes=1)
    line = b'{"mobile":"09120000077","consents":{"terms":true}}\n'
    bound = {"account": other["account"], "member": other["member"]}
    later = {"from_at": "2026-03-21T08:10:00Z"}
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/v1/members/import", line),
        ("PUT", f"/v1/members/{member}/cards/{uuid.UUID(int=5)}", None),
        ("PUT", f"/v1/members/{member}/consents/{uuid.UUID(int=6)}", ANSWERS),
        ("PUT", f"/v1/members/{other['member']}/mobiles/{uuid.UUID(int=7)}", OTHER_MOBILE),
        ("POST", f"/v1/identifiers/{card}/block", None),
        ("PUT", f"/v1/identifiers/{card}/bindings/{uuid.UUID(int=8)}", bound | later),
        ("PUT", f"/v1/accounts/{membership['account']}/standings/{uuid.UUID(int=9)}", STOP),
        ("GET", f"/v1/members/{member}", None),
    ]
    adjusting = f"/v1/accounts/{membership['account']}/adjustments/{uuid.UUID(int=10)}"
    calls.append(("PUT", adjusting, ADD))
    for method, path, body in calls:
        answer = await door(method, path, body, approved_by="reza")
        assert answer.status_code in (200, 201, 202), (path, answer.text)
    items = await trail.rows()
    writes = {r for r in services.routes_of(door.app) if not r.startswith("GET ")}
    assert {i["route"] for i in items if i["act"] == "write"} == writes
    assert [(i["route"], i["after"]) for i in items if i["act"] == "read"] == [
        ("GET /v1/members/{member}", {"members": [member]})
    ]
    rebound = next(i for i in items if "bindings" in i["route"])
    assert [b["member"] for b in rebound["before"]["bindings"]] == [member]
    assert [b["member"] for b in rebound["after"]["bindings"]] == [member, other["member"]]
    whole = json.dumps(items, ensure_ascii=False)
    for secret in (
        "9123456789",
        "کاظمی",
        "9120000077",
        "9120000078",
        membership["card"]["number"][6:],
    ):
        assert secret not in whole  # nobody's number or name


STOP = {"standing": "stopped", "reason": "کارت دزدیده شد"}
OTHER_MOBILE = {"mobile": "09120000078"}
