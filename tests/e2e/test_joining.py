"""A merchant joins through the gateway: assessed, approved by another person, and it sells."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from contracts import iran
from peyvand import Conflict, Forbidden, Invalid, NotFound, OutcomeUnknown, Status

from .participants import Participants, Shop, now, preview_of, until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

MARGIN_PERCENT = 18


def application(participants: Participants, **answers: Any) -> dict[str, Any]:
    """A grocer who sells at tills; its legal id is of this run. answers: in place of its own."""
    body = f"1{next(participants.numbers) % 10**9:09d}"
    return {
        "title_fa": "خواربار البرز",
        "title_en": "Alborz Grocery",
        "legal_id": body + iran.legal_id_check_digit(body),
        "sheba": "IR050170000000123456789012",
        "postal_code": "1193653471",
        "mobile": "۰۹۱۲۳۴۵۶۷۸۹",
        "questionnaire_version": 1,
        "answers": {
            "sector": "supermarket",
            "size": "small",
            "branches": 1,
            "channel": "till",
            "margin_percent": MARGIN_PERCENT,
            "customers": "۳٬۰۰۰",
            "purchases_per_year": 24,
            "basket_rial": 2_500_000,
            "competitors": "without-club",
            "goal": "frequency",
            "goal_target_percent": 15,
            "goal_by": (now() + timedelta(days=200)).date().isoformat(),
        }
        | answers,
    }


def numbers(participants: Participants) -> dict[str, Any]:
    """Numbers for what an activation makes."""
    return {
        **{noun: next(participants.numbers) for noun in ("party", "merchant", "branch")},
        "branch_title_fa": "مرکزی",
        "branch_title_en": "Central",
    }


@pytest.mark.SH1
@pytest.mark.NH22
@pytest.mark.NH23
@pytest.mark.NH24
async def test_an_applicant_is_assessed_approved_by_another_person_and_its_till_earns(
    participants: Participants,
) -> None:
    paper = await participants.operator.onboarding_document("questionnaire", 1)
    asked = {question["id"] for question in paper["body"]["questions"]}
    request, id_ = application(participants), str(uuid.uuid4())
    assert request["answers"].keys() <= asked
    made = await participants.operator.put_application(id_, request)
    assert next(step["code"] for step in made["steps"] if not step["done"]) == "scheme"

    result = await participants.operator.assess(id_)
    values = {one["item"]: one for one in result["scheme"]["values"]}
    # a tenth of the margin of 18 %, in steps of 0.25 %; a point settles at 100 Rial
    assert values["earn_rate_bp"]["value"] == 175
    assert (result["scheme"]["earn_points"], result["scheme"]["earn_per_rial"]) == (7, 40_000)
    assert all(one["reason"]["fa"] and one["reason"]["en"] for one in values.values())
    assert result["indicators"][0]["target"] == 1_500
    package = result["package"]
    assert (package["package"], package["setup_rial"]) == ("basic", 60_000_000)
    assert package["monthly_rial"] == sum(one["amount_rial"] for one in package["monthly"])
    assert (
        await participants.operator.assess(id_)
        == await participants.operator.assessment(id_)
        == result
    )

    with pytest.raises(Forbidden) as refused:
        await participants.operator.approve(id_)
    assert refused.value.code == "second-person-needed"
    assert (await participants.treasurer.approve(id_))["state"] == "approved"

    preview = await participants.operator.preview(id_, {"validity_days": 540})
    chosen: dict[str, Any] = numbers(participants) | {"changes": {"validity_days": 540}}
    active = await participants.operator.activate(id_, chosen)
    assert (active["state"], active["merchant"]) == ("active", chosen["merchant"])
    assert await participants.operator.activate(id_, chosen) == active
    programme = await participants.operator.programme(chosen["merchant"], 1)
    assert programme.items() >= preview["programme"].items()
    assert {one["by"] for one in active["transitions"]} == {"operator", "treasurer"}
    acts = [act["route"].rpartition("/")[2] for act in await acts_of(participants, id_)]
    assert list(dict.fromkeys(acts)) == ["{application}", "assessment", "approval", "activation"]
    await sells_as_recommended(
        participants, Shop(chosen["merchant"], chosen["party"], chosen["branch"])
    )
    steps = (await participants.operator.application(id_))["steps"]
    assert [step["code"] for step in steps if not step["done"]] == ["evaluation"]


async def sells_as_recommended(participants: Participants, shop: Shop) -> None:
    """A till of the new merchant sells, and the member earns 7 points for each 40,000 Rial."""
    till, member = await participants.till(shop), await participants.member()

    async def would_earn() -> int:
        try:
            heard = await till.client.inquire(
                till.name(), member.card, amount_rial=400_000, occurred_at=now()
            )
        except (Invalid, OutcomeUnknown):  # the gateway does not know the merchant yet
            return 0
        return preview_of(heard).would_earn_points

    assert await until(would_earn) == 70
    answer = await till.buy(member, 1_000_000)
    assert (answer.status, answer.points_earned) == (Status.COMPLETED, 175)
    assert (await participants.balance(member))["points"] == 175


async def acts_of(participants: Participants, application_id: str) -> list[dict[str, Any]]:
    """What the trail of merchants has of one application, oldest first."""
    return await participants.rows(
        "merchants",
        "select route from audit where target ->> 'application' = $1 and act = 'write' order by id",
        application_id,
    )


@pytest.mark.NH11
async def test_a_scheme_that_loses_money_is_approved_by_naming_its_warnings(
    participants: Participants,
) -> None:
    id_ = str(uuid.uuid4())
    await participants.operator.put_application(id_, application(participants, margin_percent=0))
    result = await participants.operator.assess(id_)
    codes = [one["code"] for one in result["forecast"]["warnings"]]
    assert "rate-above-margin" in codes
    with pytest.raises(Conflict) as refused:
        await participants.treasurer.approve(id_)
    assert refused.value.code == "warnings-not-accepted"
    assert (await participants.treasurer.approve(id_, codes))["state"] == "approved"
    assert (await participants.operator.withdraw(id_, "سودی نمی‌ماند"))["state"] == "withdrawn"
    with pytest.raises(Conflict) as refused:
        await participants.operator.activate(id_, numbers(participants))
    assert refused.value.code == "application-in-other-state"


async def test_each_step_is_for_whoever_may(participants: Participants) -> None:
    id_ = str(uuid.uuid4())
    with pytest.raises(Forbidden):
        await participants.treasurer.put_application(id_, application(participants))
    with pytest.raises(Invalid) as refused:
        await participants.operator.put_application(
            id_, application(participants, goal="fame", branches=0)
        )
    assert refused.value.code == "answers-invalid"
    with pytest.raises(NotFound):
        await participants.operator.application(id_)
    await participants.operator.put_application(id_, application(participants))
    with pytest.raises(Forbidden):
        await participants.treasurer.assess(id_)
    with pytest.raises(Forbidden):
        await participants.reviewer.application(id_)
    rejected = await participants.treasurer.reject(id_, "مدارک کامل نیست")
    assert rejected["state"] == "rejected"
    listed = await participants.treasurer.applications(str(uuid.UUID(int=uuid.UUID(id_).int - 1)))
    assert (listed.items[0]["application"], listed.items[0]["state"]) == (id_, "rejected")
