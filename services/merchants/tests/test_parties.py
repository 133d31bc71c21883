"""The numbers of a party at the door: read in any spelling, checked, shown by their last digits."""

import json
from typing import Any

import pytest

from kit.base.db import Database
from support.trail import Trail

from .test_api import PARTY

IDENTITY = {
    "national_id": "۰۰۱۲۳۴۵۶۷۹",
    "sheba": "ir05 0170-0000-0012-3456-7890-12",
    "postal_code": "١١٩٣٦-٥٣٤٧١",
    "mobile": "0912 345 6789",
}


async def test_a_partys_numbers_are_taken_in_any_spelling_and_shown_by_their_last_digits(
    door: Any, pool: Database
) -> None:
    trail = await Trail.of(pool)
    first = await door("PUT", "/v1/parties/2", PARTY | IDENTITY)
    assert first.status_code == 201
    shown = {
        "national_id": "******5679",
        "sheba": "*" * 22 + "9012",
        "bank_fa": "بانک ملی ایران",
        "bank_en": "Bank Melli Iran",
        "postal_code": "1193653471",
        "mobile": "*********6789",
    }
    assert first.json().items() >= shown.items()
    plain = {"national_id": "12345679", "mobile": "+989123456789", "postal_code": "1193653471"}
    again = await door("PUT", "/v1/parties/2", PARTY | IDENTITY | plain)
    assert (again.status_code, again.json()) == (200, first.json())
    assert (await door("GET", "/v1/parties/2")).json() == first.json()
    kept = json.dumps(await trail.rows())
    assert not [n for n in ("0012345679", "IR0501700000", "9123456789") if n in kept]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"national_id": "0012345678"}, "invalid"),
        ({"national_id": "1111111111"}, "invalid"),
        ({"legal_id": "10380284791"}, "invalid"),
        ({"sheba": "IR060170000000123456789012"}, "invalid"),
        ({"sheba": "IR05"}, "invalid"),
        ({"postal_code": "0193653471"}, "invalid"),
        ({"mobile": "02188776655"}, "invalid"),
        ({"mobile": 9123456789}, "invalid"),
        ({"legal_id": "10380284790"}, "two-identities"),
    ],
)
async def test_a_wrong_number_of_a_party_is_refused_in_both_languages(
    door: Any, wrong: dict[str, Any], code: str
) -> None:
    refused = await door("PUT", "/v1/parties/2", PARTY | IDENTITY | wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    if code == "invalid" and isinstance(next(iter(wrong.values())), str):
        (field,) = refused.json()["fields"]
        assert field["field"] == next(iter(wrong))
        assert " · " in field["error"]
    assert (await door("GET", "/v1/parties/2")).status_code == 404


async def test_a_national_id_is_one_partys(door: Any) -> None:
    assert (await door("PUT", "/v1/parties/2", PARTY | IDENTITY)).status_code == 201
    other = await door("PUT", "/v1/parties/3", PARTY | {"national_id": "0012345679"})
    assert (other.status_code, other.json()["code"]) == (422, "already-taken")
    same_account = PARTY | {"sheba": IDENTITY["sheba"]}
    assert (await door("PUT", "/v1/parties/3", same_account)).status_code == 201
