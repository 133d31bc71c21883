"""A settlement goes on without who does not pay, and waits for who cannot be paid."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from contracts.values import NETWORK_PARTY as NETWORK
from kit.base.db import Database

from .conftest import NOW
from .ledger_outcomes import BAKER, FLORIST, GROCER, outcome, redemption
from .test_clearing import commit, markers
from .test_settlement import (
    NEW_SHEBA,
    PATH,
    answered,
    approved,
    brief,
    closed,
    commands_of,
    payouts,
    proposed,
)

pytestmark = pytest.mark.SH14
__all__ = ["closed"]  # the fixture


async def test_who_does_not_pay_is_left_out_and_the_others_go_on(
    closed: Any, pool: Database
) -> None:
    """Without the florist's 7,000 the baker owes 9,150, of which it has paid 2,150."""
    await proposed(closed)
    await approved(closed)
    await answered(closed, "PV1-C1-1,paid,2150,")
    report = (await closed("PUT", f"{PATH}/exclusions/{FLORIST}", subject="sara")).json()
    assert report["state"] == "proposed"
    parties = {one["party"]: one for one in report["parties"]}
    assert {p: int(one["target_rial"]) for p, one in parties.items()} == {
        NETWORK: 330,
        BAKER: -9_150,
        GROCER: 8_820,
        FLORIST: 0,
    }
    assert parties[FLORIST]["excluded"]
    late = await answered(closed, "PV1-C1-2,paid,7000,")
    assert late.json()["code"] == "settlement-not-there"  # cancelled, and not approved yet
    alone = await closed("PUT", PATH + "/approval", subject="sara")
    assert alone.json()["code"] == "same-person"
    report = await approved(closed)
    asked = [i for i in report["instructions"] if i["state"] == "instructed"]
    assert [(i["reference"], i["party"], i["amount_rial"]) for i in asked] == [
        ("PV1-C2-1", BAKER, "7000")
    ]
    await answered(closed, "PV1-C2-1,paid,7000,")
    await answered(closed, "PV1-P1-1,paid,8820,")
    assert (await closed("GET", PATH)).json()["state"] == "completed"
    booked = brief(await commands_of(pool))
    assert not any(FLORIST in (debtor, creditor) for _, _, debtor, creditor, _ in booked)
    # the florist's pair is still open, and comes with the next window
    await commit(pool, [(0, outcome(5, redemption(FLORIST, GROCER, 1_000, 0)))])
    await closed("PUT", "/v1/windows/2", {})
    await commit(pool, markers(2, {0: 6, 1: 4, 2: 2}))
    following = await proposed(closed, "/v1/windows/2/settlement")
    targets = {one["party"]: int(one["target_rial"]) for one in following["parties"]}
    assert targets == {BAKER: 7_000, GROCER: 1_000, FLORIST: -8_000}


async def test_a_party_without_a_sheba_waits_for_one(closed: Any, pool: Database) -> None:
    await commit(pool, [(0, outcome(5, redemption(BAKER, FLORIST, 90_000, 0)))])
    await closed("PUT", "/v1/windows/2", {})
    await commit(pool, markers(2, {0: 6, 1: 4, 2: 2}))
    path = "/v1/windows/2/settlement"
    await proposed(closed, path)
    await approved(closed, path)
    await answered(closed, "PV2-C1-1,paid,92150,", path=path)
    report = (await closed("GET", path)).json()
    assert [one["party"] for one in payouts(report)] == [GROCER]
    waits = await closed("PUT", path + "/reinstruction")
    assert (waits.status_code, waits.json()["code"]) == (409, "party-has-no-sheba")
    change = f"/v1/parties/{FLORIST}/sheba-changes/{uuid.uuid4()}"
    await closed("PUT", change, {"sheba": NEW_SHEBA, "reason": "x"}, subject="sara")
    still = await closed("PUT", path + "/reinstruction")
    assert still.json()["code"] == "party-has-no-sheba"  # not approved yet
    await closed("PUT", change + "/approval", subject="reza")
    assert (await closed("PUT", path + "/reinstruction")).json()["lines"] == 1


async def test_what_is_unpaid_is_told_by_its_age(closed: Any, pool: Database, at: Any) -> None:
    empty = (await closed("GET", "/v1/ageing?late=true")).json()
    assert (empty["window"], empty["items"], empty["next"]) == (1, [], None)
    report = (await closed("GET", "/v1/ageing?limit=2")).json()
    assert report["total"] == {
        "current": "22330",
        "days_1_7": "0",
        "days_8_30": "0",
        "days_over_30": "0",
    }
    assert [one["party"] for one in report["items"]] == [NETWORK, BAKER]
    assert report["items"][1]["owes"]["current"] == "12150"
    rest = (await closed("GET", f"/v1/ageing?after={report['next']}")).json()
    assert [one["party"] for one in rest["items"]] == [GROCER, FLORIST]
    for days, age in ((1, "days_1_7"), (7, "days_1_7"), (8, "days_8_30"), (31, "days_over_30")):
        at.at = NOW + timedelta(days=days)
        later = (await closed("GET", "/v1/ageing?late=true")).json()
        assert later["total"][age] == "22330"
        assert [one["party"] for one in later["items"]] == [BAKER, GROCER, FLORIST]
    at.at = NOW
    await proposed(closed)
    await approved(closed)
    await answered(closed, "PV1-C1-1,paid,2150,", "PV1-C1-2,paid,7000,")
    await answered(closed, "PV1-P1-1,paid,8820,")
    paid = (await closed("GET", "/v1/ageing")).json()
    assert (paid["total"]["current"], paid["items"]) == ("0", [])
