import json
import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from contracts import members as contract
from contracts.members import Identifier, IdentifierKind
from kit.base.db import Database
from members.terms import Terms

BODY: dict[str, Any] = {
    "mobile": "۰۹۱۲ ۳۴۵ ۶۷۸۹",
    "name": "مريم كاظمي",
    "consents": {"terms": True, "receipts": True},
}


def enrolment(n: int) -> str:
    return f"/v1/enrolments/{uuid.UUID(int=n)}"


@pytest.mark.SH5
@pytest.mark.NH7
async def test_enrolment_gives_account_card_and_qr(door: Any) -> None:
    answer = await door("PUT", enrolment(1), BODY)
    assert answer.status_code == 201
    membership = answer.json()
    assert membership["account"] >= 1_000_001
    assert membership["shard"] == membership["account"] % 12
    number = membership["card"]["number"]
    assert contract.canonical(IdentifierKind.CARD, number) == number
    assert number.startswith("936400")
    assert membership["card"]["last4"] == number[-4:]
    assert contract.canonical(IdentifierKind.QR, membership["qr"]) == membership["qr"]


async def test_repeats_give_the_same_membership_with_the_number_masked(door: Any) -> None:
    first = (await door("PUT", enrolment(1), BODY)).json()
    masked = first | {"card": first["card"] | {"number": "*" * 12 + first["card"]["last4"]}}
    for path, body in [
        (enrolment(1), BODY),
        (enrolment(2), BODY),
        (enrolment(3), BODY | {"mobile": "+98 912 345 6789", "name": "other"}),
    ]:
        answer = await door("PUT", path, body)
        assert (answer.status_code, answer.json()) == (200, masked)


async def test_a_mobile_may_be_left_out_only_where_a_reference_stands_for_it(door: Any) -> None:
    bare = {"consents": {"terms": True}}
    answer = await door("PUT", enrolment(1), bare | {"external": "C-7", "party": 4_000})
    assert answer.status_code == 201
    view = (await door("GET", f"/v1/members/{answer.json()['member']}")).json()
    assert view["mobile"] == ""
    answer = await door("PUT", enrolment(2), bare)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-mobile")


async def test_the_same_id_with_another_body_is_refused(door: Any) -> None:
    await door("PUT", enrolment(1), BODY)
    answer = await door("PUT", enrolment(1), BODY | {"name": "other"})
    assert (answer.status_code, answer.json()["code"]) == (422, "already-exists-differently")


@pytest.mark.NH8
async def test_the_view_opens_personal_data(door: Any) -> None:
    membership = (
        await door("PUT", enrolment(1), BODY | {"external": "C-7", "party": 4_000})
    ).json()
    view = (await door("GET", f"/v1/members/{membership['member']}")).json()
    assert (view["mobile"], view["name"]) == ("+989123456789", "مریم کاظمی")
    assert view["consents"] == {
        "terms": True,
        "receipts": True,
        "marketing": False,
        "wording": "1",
        "given_at": "2026-03-21T08:00:00Z",
    }
    kinds = sorted((i["kind"], i["last4"]) for i in view["identifiers"])
    assert kinds == [
        ("card", membership["card"]["last4"]),
        ("external", ""),
        ("mobile", "6789"),
        ("qr", membership["qr"][-4:]),
    ]
    assert view["household"] == [membership["member"]]
    assert view["balance"] == {
        "points": 0,
        "credit_rial": 0,
        "transactions_count": 0,
        "last_transaction_at": None,
    }


async def test_a_household_shares_account_and_shard(door: Any) -> None:
    first = (await door("PUT", enrolment(1), BODY)).json()
    joining = BODY | {"mobile": "09120000002", "account": first["account"]}
    second = (await door("PUT", enrolment(2), joining)).json()
    assert (second["account"], second["shard"]) == (first["account"], first["shard"])
    view = (await door("GET", f"/v1/members/{first['member']}")).json()
    assert view["household"] == [first["member"], second["member"]]


async def test_nothing_personal_is_stored_or_published_in_clear(door: Any, pool: Database) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    secrets_of_hers = ["9123456789", "مریم", membership["card"]["number"], membership["qr"]]
    async with pool.read() as tx:
        for table in ("members", "identifiers", "bindings", "enrolments", "consents"):
            rows = await tx.fetch(f"select t::text as row from {table} t")  # type: ignore[arg-type]
            text = " ".join(row["row"] for row in rows)
            blobs = text.encode()
            for secret in secrets_of_hers:
                assert secret not in text
                assert secret.encode().hex().encode() not in blobs
        rows = await tx.fetch("select body from outbox_messages")
        for row in rows:
            assert not any(secret.encode() in row["body"] for secret in secrets_of_hers)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"mobile": "0912345678"}, 422, "bad-mobile"),
        ({"mobile": "021 8888 8888"}, 422, "bad-mobile"),
        ({"mobile": 9123456789}, 422, "invalid"),
        ({"consents": {"terms": False}}, 422, "terms-not-accepted"),
        ({"consents": {}}, 422, "invalid"),
        ({"consents": {"terms": "yes"}}, 422, "invalid"),
        ({"name": "a\nb"}, 422, "bad-text"),
        ({"name": "x" * 101}, 422, "invalid"),
        ({"account": 999}, 422, "unknown-account"),
        ({"account": True}, 422, "invalid"),
        ({"account": 1000001.0}, 422, "invalid"),
        ({"external": " ", "party": 4_000}, 422, "bad-external"),
        ({"card": "1234567812345678"}, 422, "bad-card"),
        ({"more": 1}, 422, "invalid"),
    ],
)
async def test_bad_enrolments_are_refused_by_a_stable_code(
    door: Any, pool: Database, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await door("PUT", enrolment(1), BODY | changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["fa"]
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from members") == 0
        assert await tx.fetchval("select count(*) from outbox_messages") == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed-json"),
        (
            b'{"mobile":"09123456789","mobile":"09123456788","consents":{"terms":true}}',
            "duplicate-key",
        ),
        (b'{"mobile":"0912\\u0000","consents":{"terms":true}}', "unstorable-text"),
        (b'{"name":"\\udc00","mobile":"09123456789","consents":{"terms":true}}', "unstorable-text"),
    ],
)
async def test_unreadable_bodies_are_malformed(door: Any, body: bytes, code: str) -> None:
    answer = await door("PUT", enrolment(1), body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_an_external_reference_has_one_owner(door: Any) -> None:
    await door("PUT", enrolment(1), BODY | {"external": "C-7", "party": 4_000})
    other = BODY | {"mobile": "09120000002", "external": "C-7", "party": 4_000}
    answer = await door("PUT", enrolment(2), other)
    assert (answer.status_code, answer.json()["code"]) == (422, "identifier-taken")


async def test_missing_and_forbidden(door: Any) -> None:
    calls = [
        ("PUT", enrolment(1), BODY),
        ("GET", "/v1/members/7", None),
        ("POST", "/v1/members/import", b""),
        ("PUT", f"/v1/members/7/cards/{uuid.UUID(int=1)}", None),
        ("PUT", f"/v1/members/7/mobiles/{uuid.UUID(int=1)}", {"mobile": "09120000001"}),
        ("PUT", f"/v1/members/7/consents/{uuid.UUID(int=1)}", ANSWERS),
        ("POST", f"/v1/identifiers/{uuid.UUID(int=1)}/block", None),
        ("PUT", f"/v1/identifiers/{uuid.UUID(int=1)}/bindings/{uuid.UUID(int=1)}", BINDING),
        ("GET", f"/internal/identifiers/{'a' * 76}", None),
    ]
    for method, path, body in calls:
        forbidden = await door(method, path, body, roles=("reviewer",))
        assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden"), path
        nobody = await door(method, path, body, roles=())
        assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthorized"), path
    for method, path, body in calls[1:2] + calls[3:]:
        roles = ("service",) if path.startswith("/internal") else ("enrol",)
        missing = await door(method, path, body, roles=roles)
        assert (missing.status_code, missing.json()["code"]) == (404, "not-found"), path


ANSWERS = {"receipts": False, "marketing": True, "wording": "2"}
BINDING = {"account": 1_000_001, "member": 7, "from_at": "2026-03-21T08:03:00Z"}


# ----------------------------------------------------------------------------------------- cards


async def test_the_number_of_a_further_card_is_in_one_answer(door: Any) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    path = f"/v1/members/{membership['member']}/cards/{uuid.UUID(int=5)}"
    first, again = await door("PUT", path), await door("PUT", path)
    assert (first.status_code, again.status_code) == (201, 200)
    number = first.json()["number"]
    assert contract.luhn_valid(number)
    assert again.json() == first.json() | {"number": "*" * 12 + number[-4:]}
    other = (await door("PUT", enrolment(2), BODY | {"mobile": "09120000002"})).json()
    taken = await door("PUT", f"/v1/members/{other['member']}/cards/{uuid.UUID(int=5)}")
    assert (taken.status_code, taken.json()["code"]) == (422, "already-exists-differently")


async def test_a_block_stands_from_its_first_time(door: Any, at: Any) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    path = f"/v1/identifiers/{membership['card']['identifier_id']}/block"
    first = await door("POST", path)
    at.at += timedelta(hours=1)
    again = await door("POST", path)
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["blocked_at"] == "2026-03-21T08:00:00Z"


async def test_a_card_changes_hands_no_sooner_than_every_till_hears_of_it(
    door: Any, at: Any
) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    other = (await door("PUT", enrolment(2), BODY | {"mobile": "09120000002"})).json()
    path = f"/v1/identifiers/{membership['card']['identifier_id']}/bindings/{uuid.UUID(int=9)}"
    body = {"account": other["account"], "member": other["member"]}
    soon = await door("PUT", path, body | {"from_at": "2026-03-21T08:02:59.999Z"})
    assert (soon.status_code, soon.json()["code"]) == (422, "binding-too-soon")
    strange = body | {"account": membership["account"], "from_at": "2026-03-21T08:03:00Z"}
    answer = await door("PUT", path, strange)
    assert (answer.status_code, answer.json()["code"]) == (422, "member-not-of-account")
    right = body | {"from_at": "2026-03-21T11:33:00+03:30"}
    first, again = await door("PUT", path, right), await door("PUT", path, right)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert [b["member"] for b in first.json()["bindings"]] == [
        membership["member"],
        other["member"],
    ]
    late = await door("PUT", path, body | {"from_at": "2026-03-21T08:04:00Z"})
    assert (late.status_code, late.json()["code"]) == (422, "already-exists-differently")
    at.at += timedelta(minutes=4)
    view = (await door("GET", f"/v1/members/{other['member']}")).json()
    held = {i["identifier_id"] for i in view["identifiers"]}
    assert membership["card"]["identifier_id"] in held


async def test_a_qr_that_changed_hands_is_not_shown_to_its_first_holder(door: Any, at: Any) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    other = (await door("PUT", enrolment(2), BODY | {"mobile": "09120000002"})).json()
    view = (await door("GET", f"/v1/members/{membership['member']}")).json()
    qr = next(i["identifier_id"] for i in view["identifiers"] if i["kind"] == "qr")
    path = f"/v1/identifiers/{qr}/bindings/{uuid.UUID(int=9)}"
    body = {"account": other["account"], "member": other["member"]}
    answer = await door("PUT", path, body | {"from_at": "2026-03-21T08:03:00Z"})
    assert answer.status_code == 201
    at.at += timedelta(minutes=4)
    again = (await door("PUT", enrolment(1), BODY)).json()
    assert again["qr"] not in ("", membership["qr"])


@pytest.mark.NH8
async def test_consents_are_recorded_again(door: Any, at: Any) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    path = f"/v1/members/{membership['member']}/consents/{uuid.UUID(int=3)}"
    at.at += timedelta(days=1)
    first, again = await door("PUT", path, ANSWERS), await door("PUT", path, ANSWERS)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json() == {
        "member": membership["member"],
        "terms": True,
        "receipts": False,
        "marketing": True,
        "wording": "2",
        "given_at": "2026-03-22T08:00:00Z",
    }
    differing = await door("PUT", path, ANSWERS | {"receipts": True})
    assert differing.json()["code"] == "already-exists-differently"


async def test_the_miss_path_finds_an_identifier_enrolled_a_moment_ago(
    door: Any, terms: Terms
) -> None:
    membership = (await door("PUT", enrolment(1), BODY)).json()
    key = terms.key_set.identifiers[0]
    for kind, text in [
        (IdentifierKind.MOBILE, "+989123456789"),
        (IdentifierKind.CARD, membership["card"]["number"]),
        (IdentifierKind.QR, membership["qr"]),
    ]:
        digest = contract.digest(key, kind, text)
        answer = await door("GET", f"/internal/identifiers/{digest}", roles=("service",))
        identifier = msgspec.json.decode(answer.content, type=Identifier)
        assert (identifier.digest, identifier.bindings[0].member) == (digest, membership["member"])
    bad = await door("GET", "/internal/identifiers/xyz", roles=("service",))
    assert bad.status_code == 422


# ---------------------------------------------------------------------------------------- import


def ndjson(*lines: dict[str, Any] | bytes) -> bytes:
    return b"".join(
        (ln if isinstance(ln, bytes) else json.dumps(ln).encode()) + b"\n" for ln in lines
    )


def person(n: int, **more: Any) -> dict[str, Any]:
    return {"mobile": f"0912{n:07d}", "name": f"عضو {n}", "consents": {"terms": True}} | more


async def test_an_import_enrols_and_lists_bad_lines_by_number(door: Any, pool: Database) -> None:
    card = "6037997000000004"
    card = card[:-1] + contract.luhn_check_digit(card[:-1])
    body = ndjson(
        person(1, external="A", party=4_000),
        b"not json",
        person(2, consents={"terms": False}),
        person(1),
        person(3, external="A", party=4_000),
        b"",
        person(4, mobile="123"),
        person(5, account=77),
        person(6, card=card),
        b'{"mobile":"09120000009","name":"\\ud800","consents":{"terms":true}}',
        b'{"mobile":"09120000009","more":1,"consents":{"terms":true}}',
        person(7, card=card),
    )
    answer = await door("POST", "/v1/members/import", body)
    assert answer.status_code == 200
    result = answer.json()
    assert (result["enrolled"], result["known"]) == (2, 1)
    assert [(bad["line"], bad["code"]) for bad in result["bad"]] == [
        (2, "malformed"),
        (3, "terms-not-accepted"),
        (5, "identifier-taken"),
        (6, "malformed"),
        (7, "bad-mobile"),
        (8, "unknown-account"),
        (10, "unstorable-text"),
        (11, "bad-fields"),
        (12, "identifier-taken"),
    ]
    assert all(bad["fa"] and bad["detail"] for bad in result["bad"])
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from members") == 2
        assert await tx.fetchval("select count(*) from accounts") == 2
        assert await tx.fetchval("select count(*) from identifiers") == 4


async def test_an_import_again_finds_everybody_known(door: Any) -> None:
    body = ndjson(*(person(n, external=f"E{n}", party=4_000) for n in range(2_500)))
    first = (await door("POST", "/v1/members/import", body)).json()
    again = (await door("POST", "/v1/members/import", body)).json()
    assert first == {"enrolled": 2_500, "known": 0, "bad": []}
    assert again == {"enrolled": 0, "known": 2_500, "bad": []}


async def test_an_imported_member_gets_a_card_when_enrolling(door: Any) -> None:
    await door("POST", "/v1/members/import", ndjson(person(1)))
    answer = await door("PUT", enrolment(1), person(1))
    assert answer.status_code == 200
    assert contract.luhn_valid(answer.json()["card"]["number"])


async def test_an_import_adds_identifiers_that_a_known_member_lacks(
    door: Any, terms: Terms
) -> None:
    membership = (await door("PUT", enrolment(1), person(1))).json()
    result = (
        await door("POST", "/v1/members/import", ndjson(person(1, external="Z", party=4_000)))
    ).json()
    assert result == {"enrolled": 0, "known": 1, "bad": []}
    digest = contract.digest(
        terms.key_set.identifiers[0], IdentifierKind.EXTERNAL, "Z", party=4_000
    )
    answer = await door("GET", f"/internal/identifiers/{digest}", roles=("service",))
    identifier = msgspec.json.decode(answer.content, type=Identifier)
    assert identifier.bindings[0].member == membership["member"]


async def test_an_import_has_a_bound(door: Any) -> None:
    answer = await door("POST", "/v1/members/import", b"{}\n" * 10_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    empty = await door("POST", "/v1/members/import", b"")
    assert empty.json() == {"enrolled": 0, "known": 0, "bad": []}
