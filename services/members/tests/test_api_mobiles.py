"""The HTTP door of mobiles that are added later."""

import uuid
from typing import Any


async def test_a_member_without_a_mobile_is_given_one(door: Any) -> None:
    body = {"name": "مریم", "consents": {"terms": True}, "external": "E-1", "party": 4_000}
    membership = (await door("PUT", f"/v1/enrolments/{uuid.UUID(int=1)}", body)).json()
    path = f"/v1/members/{membership['member']}/mobiles/{uuid.UUID(int=5)}"
    mobile = {"mobile": "۰۹۱۲۰۰۰۰۰۰۹"}
    first, again = await door("PUT", path, mobile), await door("PUT", path, mobile)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (
        first.json()
        == again.json()
        == {
            "member": membership["member"],
            "account": membership["account"],
            "identifier_id": str(uuid.UUID(int=5)),
            "last4": "0009",
        }
    )
    seen = (await door("GET", f"/v1/members/{membership['member']}")).json()
    assert seen["mobile"] == "+989120000009"
    for other, status, code in (
        ({"mobile": "09120000008"}, 422, "already-exists-differently"),
        ({"mobile": ""}, 422, "invalid"),
        ({}, 422, "invalid"),
    ):
        answer = await door("PUT", path, other)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    second = await door("PUT", path[:-1] + "6", {"mobile": "09120000008"})
    assert (second.status_code, second.json()["code"]) == (422, "mobile-already-known")
    assert any("\u0600" <= c <= "\u06ff" for c in second.json()["fa"])
