"""Joining at the door: each step once, repeated, in the wrong order, by the wrong person."""

import asyncio
import uuid
from typing import Any

import pytest

from kit.base.db import Database

from .joining import ACTIVATION, ANSWERS, APPLICATION, PATH, SECOND, approved, arrange, assessed

REASON = {"reason": "مدارک کامل نیست"}
MANAGER = ("partners", "money")


@pytest.mark.SH1
@pytest.mark.NH24
async def test_an_applicant_is_assessed_approved_and_activated(door: Any) -> None:
    await arrange(door)
    made = await door("PUT", PATH, APPLICATION)
    assert (made.status_code, made.json()["state"]) == (201, "applicant")
    result = (await door("PUT", f"{PATH}/assessment")).json()
    assert result["forecast"]["warnings"] == []
    ready = await door("PUT", f"{PATH}/approval", {"accepts": []}, subject=SECOND)
    assert (ready.status_code, ready.json()["state"]) == (201, "approved")
    active = await door("PUT", f"{PATH}/activation", ACTIVATION | {"changes": {}})
    assert (active.status_code, active.json()["merchant"]) == (201, 5)
    reached = [(one["state"], one["by"]) for one in active.json()["transitions"]]
    assert reached == [
        ("applicant", "tester"),
        ("assessed", "tester"),
        ("approved", SECOND),
        ("active", "tester"),
    ]
    assert [one["code"] for one in active.json()["steps"] if not one["done"]] == [
        "terminals",
        "evaluation",
    ]
    party = (await door("GET", "/v1/parties/2")).json()
    assert (party["legal_id"], party["bank_fa"]) == ("10380284790", "بانک ملی ایران")
    assert (await door("GET", "/v1/merchants/5")).json() == {
        "merchant": 5,
        "party": 2,
        "sector": "supermarket",
        "title_fa": "خواربار البرز",
        "title_en": "Alborz Grocery",
        "reference": None,
    }
    assert (await door("GET", "/v1/merchants/5/branches/1")).json()["title_en"] == "Central"
    programme = (await door("GET", "/v1/merchants/5/programmes/1")).json()
    made_of = {"earn_points": 1, "earn_per_rial": 50_000, "validity_days": 365}
    made_of |= {"activation_days": 7, "redeem_min_points": 50, "redeem_max_share_bp": 5_000}
    assert programme.items() >= (made_of | {"party": 2, "version": 1}).items()
    assert programme["effective_from"] == "2026-03-21T08:00:00Z"


async def test_every_step_repeated_changes_nothing(door: Any, pool: Database) -> None:
    await arrange(door)
    steps: list[tuple[str, Any, str]] = [
        ("", APPLICATION, "tester"),
        ("/assessment", None, "tester"),
        ("/approval", {"accepts": []}, SECOND),
        ("/activation", ACTIVATION, "tester"),
    ]
    for path, body, subject in steps:
        first = await door("PUT", PATH + path, body, subject=subject)
        again = await door("PUT", PATH + path, body, subject=subject)
        by_another = await door("PUT", PATH + path, body, subject="somebody")
        assert (first.status_code, again.status_code) == (201, 200), first.text
        assert again.json() == first.json() == by_another.json()
    for path, body, _ in steps[:3]:  # also when the application has gone on
        assert (await door("PUT", PATH + path, body)).status_code == 200
    async with pool.read() as tx:
        assert await tx.fetchval("select count(*) from application_transitions") == 4
        assert await tx.fetchval("select count(*) from outbox_messages") == 3


async def test_the_same_id_with_other_details_is_refused(door: Any) -> None:
    await arrange(door)
    await approved(door)
    await door("PUT", f"{PATH}/activation", ACTIVATION)
    other = f"/v1/applications/{uuid.UUID(int=2)}"
    await assessed(door, other, goal="retain")
    await door("PUT", f"{other}/rejection", REASON)
    calls: list[tuple[str, Any]] = [
        (PATH, APPLICATION | {"title_en": "Other"}),
        (PATH, APPLICATION | {"answers": ANSWERS | {"branches": 3}}),
        (PATH, APPLICATION | {"questionnaire_version": 2}),
        (f"{PATH}/approval", {"accepts": ["no-break-even"]}),
        (f"{PATH}/activation", ACTIVATION | {"merchant": 6}),
        (f"{other}/rejection", {"reason": "دلیل دیگر"}),
    ]
    for path, body in calls:
        answer = await door("PUT", path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "already-exists-differently")
        assert answer.json()["fa"]


async def test_in_the_wrong_order_nothing_happens(door: Any) -> None:
    await arrange(door)
    await door("PUT", PATH, APPLICATION)

    async def refused(path: str, body: Any, state: str) -> None:
        answer = await door("PUT", PATH + path, body, subject=SECOND)
        code, kept = "application-in-other-state", await door("GET", PATH)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert answer.json()["state"] == kept.json()["state"] == state

    await refused("/approval", {}, "applicant")
    await refused("/activation", ACTIVATION, "applicant")
    await door("PUT", f"{PATH}/assessment")
    await refused("/activation", ACTIVATION, "assessed")
    await door("PUT", f"{PATH}/approval", {}, subject=SECOND)
    await refused("/rejection", REASON, "approved")
    assert (await door("PUT", f"{PATH}/withdrawal", REASON)).status_code == 201
    await refused("/activation", ACTIVATION, "withdrawn")
    await refused("/rejection", REASON, "withdrawn")
    kept = (await door("GET", PATH)).json()
    assert kept["transitions"][-1]["reason"] == REASON["reason"]
    assert (await door("GET", "/v1/merchants/5")).status_code == 404


@pytest.mark.SH1
async def test_who_assessed_does_not_approve_whatever_roles_that_person_has(door: Any) -> None:
    await arrange(door)
    await assessed(door)
    same = await door("PUT", f"{PATH}/approval", {}, roles=MANAGER)
    assert (same.status_code, same.json()["code"]) == (403, "second-person-needed")
    assert (await door("GET", PATH)).json()["state"] == "assessed"
    other = await door("PUT", f"{PATH}/approval", {}, roles=("money",), subject=SECOND)
    assert other.status_code == 201


@pytest.mark.NH11
async def test_a_warning_is_accepted_by_name_or_the_approval_is_refused(door: Any) -> None:
    await arrange(door)
    result = await assessed(door, margin_percent=0)
    codes = [one["code"] for one in result["forecast"]["warnings"]]
    assert codes == ["rate-above-margin", "basket-below-cost", "no-break-even"]
    refused = await door("PUT", f"{PATH}/approval", {"accepts": codes[1:]}, subject=SECOND)
    assert (refused.status_code, refused.json()["code"]) == (409, "warnings-not-accepted")
    assert [one["code"] for one in refused.json()["warnings"]] == codes[:1]
    accepted = {"accepts": list(reversed(codes))}
    assert (await door("PUT", f"{PATH}/approval", accepted, subject=SECOND)).status_code == 201
    assert (await door("PUT", f"{PATH}/activation", ACTIVATION)).status_code == 201


async def test_an_assessment_that_comes_out_otherwise_is_not_approved(
    door: Any, pool: Database, owner_dsn: Any, dsn: str
) -> None:
    await arrange(door)
    await assessed(door)
    owner = await Database.open(owner_dsn(dsn), size=1)
    async with owner.transaction() as tx:
        await tx.execute(
            "update application_transitions set document ="
            " jsonb_set(document, '{forecast,sales_rial}', '1') where state = 'assessed'"
        )
    await owner.close()
    refused = await door("PUT", f"{PATH}/approval", {}, subject=SECOND)
    assert (refused.status_code, refused.json()["code"]) == (409, "assessment-differs")


@pytest.mark.SH1
async def test_the_preview_is_what_the_activation_makes(door: Any) -> None:
    await arrange(door)
    await assessed(door)
    before = (await door("GET", f"{PATH}/preview")).json()
    assert before["forecast"] == (await door("GET", f"{PATH}/assessment")).json()["forecast"]
    query = "earn_rate_bp=۱۵۰&validity_days=540&own_discount_bp=100&own_discount_max_rial=20000"
    seen = await door("GET", f"{PATH}/preview?{query}")
    assert (seen.status_code, seen.json()["sector"]) == (200, "supermarket")
    assert seen.json()["applicant"]["mobile"] == "*********6789"
    changes: dict[str, Any] = {"earn_rate_bp": "۱۵۰", "validity_days": 540}
    changes |= {"own_discount_bp": 100, "own_discount_max_rial": 20_000}
    await door("PUT", f"{PATH}/approval", {}, subject=SECOND)
    made = await door("PUT", f"{PATH}/activation", ACTIVATION | {"changes": changes})
    assert made.status_code == 201, made.text
    programme = (await door("GET", "/v1/merchants/5/programmes/1")).json()
    assert programme.items() >= seen.json()["programme"].items()
    assert (programme["earn_points"], programme["earn_per_rial"]) == (3, 200_000)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"earn_rate_bp": 49}, "outside-limits"),
        ({"earn_rate_bp": 701}, "outside-limits"),
        ({"own_discount_max_rial": 45_001}, "outside-limits"),
        ({"validity_days": -1}, "invalid"),
        ({"validity_days": 365.0}, "invalid"),
        ({"validity_days": True}, "invalid"),
        ({"price_rial": 1}, "invalid"),
    ],
)
async def test_a_change_beyond_the_limits_makes_nothing(
    door: Any, changes: dict[str, Any], code: str
) -> None:
    await arrange(door)
    await approved(door)
    refused = await door("PUT", f"{PATH}/activation", ACTIVATION | {"changes": changes})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await door("GET", PATH)).json()["state"] == "approved"
    for path in ("/v1/parties/2", "/v1/merchants/5"):
        assert (await door("GET", path)).status_code == 404


async def test_an_activation_makes_everything_or_nothing(door: Any) -> None:
    await arrange(door)
    await approved(door)
    titles = {"title_fa": "دیگری", "title_en": "Other"}
    await door("PUT", "/v1/parties/9", titles)
    await door("PUT", "/v1/merchants/5", {"party": 9, "sector": "bakery", **titles})
    for taken in ({"merchant": 5}, {"party": 9, "merchant": 6}):
        refused = await door("PUT", f"{PATH}/activation", ACTIVATION | taken)
        assert (refused.status_code, refused.json()["code"]) == (422, "already-exists-differently")
    late = ACTIVATION | {"merchant": 6, "effective_from": "2026-03-21T07:59:59Z"}
    refused = await door("PUT", f"{PATH}/activation", late)
    assert (refused.status_code, refused.json()["code"]) == (422, "effective-too-soon")
    assert (await door("GET", "/v1/parties/2")).status_code == 404
    assert (await door("GET", "/v1/merchants/6")).status_code == 404
    later = ACTIVATION | {"merchant": 6, "effective_from": "1405-01-01"}
    assert (await door("PUT", f"{PATH}/activation", later)).status_code == 422
    later["effective_from"] = "2026-04-01T00:00:00+03:30"
    assert (await door("PUT", f"{PATH}/activation", later)).status_code == 201
    programme = (await door("GET", "/v1/merchants/6/programmes/1")).json()
    assert programme["effective_from"] == "2026-03-31T20:30:00Z"


async def test_one_party_joins_with_a_second_merchant(door: Any) -> None:
    await arrange(door)
    await approved(door)
    await door("PUT", f"{PATH}/activation", ACTIVATION)
    other = f"/v1/applications/{uuid.UUID(int=2)}"
    await approved(door, other)
    made = await door("PUT", f"{other}/activation", ACTIVATION | {"merchant": 6})
    assert (made.status_code, made.json()["merchant"]) == (201, 6)
    assert (await door("GET", "/v1/merchants/6")).json()["party"] == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"answers": ANSWERS | {"branches": 0}}, "answers-invalid"),
        ({"answers": {}}, "answers-invalid"),
        ({"answers": ANSWERS | {"branches": 1.5}}, "invalid"),
        ({"answers": ANSWERS | {"branches": True}}, "invalid"),
        ({"answers": [1]}, "invalid"),
        ({"answers": {f"q{n}": 1 for n in range(101)}}, "invalid"),
        ({"sheba": "IR00"}, "invalid"),
        ({"mobile": "021"}, "invalid"),
        ({"postal_code": None}, "invalid"),
        ({"national_id": "0012345679"}, "two-identities"),
        ({"title_fa": " "}, "invalid"),
        ({"colour": "red"}, "invalid"),
        ({"questionnaire_version": 0}, "invalid"),
    ],
)
async def test_a_bad_application_is_refused_and_not_kept(
    door: Any, change: dict[str, Any], code: str
) -> None:
    refused = await door("PUT", PATH, APPLICATION | change)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["fa"]
    assert (await door("GET", PATH)).status_code == 404


async def test_persian_answers_are_the_same_application(door: Any) -> None:
    first = await door("PUT", PATH, APPLICATION)
    spelled = ANSWERS | {"branches": "۲", "basket_rial": "۲٬۵۰۰٬۰۰۰", "goal_by": "۱۴۰۵-۰۹-۳۰"}
    again = await door("PUT", PATH, APPLICATION | {"answers": spelled, "mobile": "۰۹۱۲۳۴۵۶۷۸۹"})
    assert (again.status_code, again.json()) == (200, first.json())
    shown = {one["question"]: one["fa"] for one in first.json()["answers"]}
    assert shown["branches"] == "۲ شعبه"


async def test_what_is_missing_is_not_found(door: Any) -> None:
    for method, path, body in (
        ("GET", PATH, None),
        ("GET", f"{PATH}/assessment", None),
        ("GET", f"{PATH}/preview", None),
        ("PUT", f"{PATH}/assessment", None),
        ("PUT", f"{PATH}/approval", {}),
        ("PUT", f"{PATH}/rejection", REASON),
        ("PUT", f"{PATH}/withdrawal", REASON),
        ("PUT", f"{PATH}/activation", ACTIVATION),
        ("GET", "/v1/onboarding/rules/versions/2", None),
    ):
        answer = await door(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
    await door("PUT", PATH, APPLICATION)
    assert (await door("GET", f"{PATH}/assessment")).status_code == 404
    assert (await door("GET", f"{PATH}/preview")).status_code == 404
    for path in ("/v1/applications/one", "/v1/onboarding/songs/versions/1"):
        assert (await door("GET", path)).status_code == 422


async def test_without_terms_nothing_is_assessed(door: Any) -> None:
    await door("PUT", PATH, APPLICATION)
    refused = await door("PUT", f"{PATH}/assessment")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-in-force")
    await arrange(door)
    assert (await door("PUT", f"{PATH}/assessment")).status_code == 201


async def test_applications_are_listed_by_state_and_page(door: Any) -> None:
    await arrange(door)
    paths = [f"/v1/applications/{uuid.UUID(int=n)}" for n in (1, 2, 3)]
    for path in paths:
        await door("PUT", path, APPLICATION)
    await door("PUT", f"{paths[1]}/assessment")
    page = (await door("GET", "/v1/applications?limit=2")).json()
    assert [one["application"][-1] for one in page["items"]] == ["1", "2"]
    rest = (await door("GET", f"/v1/applications?limit=2&after={page['next']}")).json()
    assert ([one["application"][-1] for one in rest["items"]], rest["next"]) == (["3"], None)
    only = (await door("GET", "/v1/applications?state=assessed")).json()["items"]
    assert [(one["application"][-1], one["sector"]) for one in only] == [("2", "supermarket")]
    for query in ("state=lost", "limit=0", "limit=201", "after=1"):
        assert (await door("GET", f"/v1/applications?{query}")).status_code == 422


async def test_of_two_requests_at_once_one_takes_effect(door: Any, pool: Database) -> None:
    await arrange(door)
    other = f"/v1/applications/{uuid.UUID(int=2)}"
    made = await asyncio.gather(*(door("PUT", PATH, APPLICATION) for _ in range(3)))
    assert sorted(one.status_code for one in made) == [200, 200, 201]
    rated = await asyncio.gather(*(door("PUT", f"{PATH}/assessment") for _ in range(3)))
    assert sorted(one.status_code for one in rated) == [200, 200, 201]
    await door("PUT", f"{PATH}/approval", {}, subject=SECOND)
    await approved(door, other)
    same = [door("PUT", f"{path}/activation", ACTIVATION) for path in (PATH, PATH, other)]
    answers = await asyncio.gather(*same)
    assert sorted(one.status_code for one in answers) in ([200, 201, 422], [201, 422, 422])
    async with pool.read() as tx:
        active = await tx.fetchval("select count(*) from applications where state = 'active'")
        assert (active, await tx.fetchval("select count(*) from programmes")) == (1, 1)
