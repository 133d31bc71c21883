"""A till's key is as wide as its till: what it may undo, and what it may not (findings S11)."""

from typing import Any

import pytest

from .around import CARD, OPENED, SISTER, STRANGER, TERMINAL, bearer, purchase
from .conftest import House

ORDERED = {"merchant": 12, "order": "S11", "operation": "purchase"}


def undo(kind: str, sequence: int, original: dict[str, Any], **changes: Any) -> dict[str, Any]:
    bare = {"kind": kind, "amount_rial": ..., "lines": ..., "original": original}
    return purchase(sequence, **(bare | changes))


def by_name(terminal: int, sequence: int) -> dict[str, Any]:
    at = OPENED.isoformat()
    return {"terminal": terminal, "epoch": 1, "sequence": sequence, "occurred_at": at}


def by_id(name: str) -> dict[str, Any]:
    return {"id": f"5.{name}"}


# a name that came and one that never did look alike to the gateway: neither may reach the road
OTHERS = [
    pytest.param(by_name(SISTER, 7), id="a sister till's name"),
    pytest.param(by_name(SISTER, 10**15), id="a sister till's name that never came"),
    pytest.param(by_id(f"t.{SISTER}.1.7"), id="a sister till's id"),
    pytest.param(by_name(STRANGER, 7), id="another merchant's name"),
    pytest.param(by_id(f"t.{STRANGER}.1.7"), id="another merchant's id"),
    pytest.param(by_name(77777, 7), id="nobody's name"),
    pytest.param(by_id("h.12.A%2E7.purchase"), id="an imported sale of the merchant"),
]


@pytest.mark.parametrize("original", OTHERS)
async def test_a_till_reverses_no_name_but_its_own(house: House, original: dict[str, Any]) -> None:
    heard = len(house.stage.heard)
    identifier = ... if "id" in original else {"card": CARD}
    body = undo("reversal", 400, original, identifier=identifier)
    answer = await house.post(body)
    assert (answer.status_code, answer.json()["code"]) == (403, "reversal-of-another-terminal")
    assert len(house.stage.heard) == heard


async def test_a_till_reverses_its_own_names_come_or_not(house: House) -> None:
    for original in (by_name(TERMINAL, 7), by_name(TERMINAL, 10**15)):
        assert (await house.post(undo("reversal", 401, original))).status_code == 200
    own = by_id(f"t.{TERMINAL}.1.7")
    assert (await house.post(undo("reversal", 401, own, identifier=...))).status_code == 200


async def test_a_sister_till_refunds_what_it_may_not_reverse(house: House) -> None:
    assert (await house.post(undo("refund", 402, by_name(SISTER, 7)))).status_code == 200
    answer = await house.post(undo("refund", 403, by_name(STRANGER, 7)))
    assert (answer.status_code, answer.json()["code"]) == (403, "original-of-another-merchant")


async def test_an_order_is_reversed_by_its_own_merchants_keys_only(house: House) -> None:
    at = {"occurred_at": OPENED.isoformat()}
    online = {"terminal": ..., "epoch": ..., **ORDERED, "operation": "undo"}
    body = undo("reversal", 0, ORDERED | at, **online)
    del body["sequence"]
    for key in (TERMINAL, SISTER):
        assert (await house.post(body, bearer(key))).status_code == 200
    other = body | {"merchant": 13}
    answer = await house.post(other, bearer(STRANGER))
    assert (answer.status_code, answer.json()["code"]) == (403, "original-of-another-merchant")
    # and an order's request reverses no sale of another till under cover of the shop's name
    sale = body | {"original": by_name(SISTER, 7)}
    answer = await house.post(sale, bearer(TERMINAL))
    assert (answer.status_code, answer.json()["code"]) == (403, "reversal-of-another-terminal")
