"""Questionnaire, rules and prices at the door: versions, faults; old answers stay; the trail."""

import copy
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from kit.base.db import Database
from merchants.onboarding.domain import assessment
from support import services
from support.trail import Trail

from . import joining
from .joining import ACTIVATION, APPLICATION, FIRST, PATH, SECOND, approved, arrange, assessed

LATER = "2026-03-22T00:00:00Z"


def document(kind: str, **changes: Any) -> dict[str, Any]:
    return {"effective_from": LATER, "body": copy.deepcopy(FIRST[kind]) | changes}


def next_questionnaire() -> dict[str, Any]:
    questions = copy.deepcopy(FIRST["questionnaire"]["questions"])
    questions[0]["fa"] = "کار شما چیست؟"
    questions = [one for one in questions if one["id"] != "note"]
    new = {"kind": "text", "id": "street", "fa": "کدام خیابان؟", "en": "Which street?"}
    return document("questionnaire", questions=[*questions, new | {"length_max": 100}])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("questionnaire", {"questions": FIRST["questionnaire"]["questions"][:-1]}),
        ("rules", {"rate_min_bp": 75}),
        ("prices", {"message_rial": 2_000}),
    ],
)
async def test_a_document_is_published_in_versions(
    door: Any, kind: str, change: dict[str, Any]
) -> None:
    path = f"/v1/onboarding/{kind}/versions"
    first = (await door("GET", f"{path}/1")).json()
    assert first["body"] == FIRST[kind]
    put = await door("PUT", f"{path}/2", document(kind, **change))
    assert (put.status_code, put.json()["effective_from"]) == (201, LATER)
    again = await door("PUT", f"{path}/2", document(kind, **change))
    assert (again.status_code, again.json()) == (200, put.json())
    assert (await door("GET", f"{path}/2")).json() == put.json()
    listed = (await door("GET", f"{path}?after=1")).json()
    assert (listed["items"], listed["next"]) == ([put.json()], None)
    assert (await door("GET", f"{path}?limit=1")).json()["next"] == 1
    for version, body, code in (
        (2, document(kind), "already-exists-differently"),
        (4, document(kind), "version-not-next"),
        (3, document(kind) | {"effective_from": "2026-03-21T23:59:59Z"}, "effective-too-soon"),
        (3, document(kind, colour="red"), "document-invalid"),
        (3, {"effective_from": LATER, "body": [1]}, "invalid"),
        (3, {"effective_from": "soon", "body": {}}, "invalid"),
    ):
        refused = await door("PUT", f"{path}/{version}", body)
        assert refused.json()["code"] == code, refused.text
        assert refused.json()["fa"]


async def test_a_version_is_not_in_force_before_every_service_can_know(door: Any) -> None:
    soon = document("prices") | {"effective_from": "2026-03-21T08:00:59Z"}
    refused = await door("PUT", "/v1/onboarding/prices/versions/2", soon)
    assert refused.json()["code"] == "effective-too-soon"


@pytest.mark.NH24
async def test_a_new_questionnaire_changes_no_old_answer(door: Any, at: Any) -> None:
    await arrange(door)
    before = (await door("PUT", PATH, APPLICATION)).json()
    path = "/v1/onboarding/questionnaire/versions/2"
    assert (await door("PUT", path, next_questionnaire())).status_code == 201
    other = f"/v1/applications/{uuid.UUID(int=2)}"
    early = await door("PUT", other, APPLICATION | {"questionnaire_version": 2})
    assert (early.json()["code"], early.json()["expected"]) == ("questionnaire-not-in-force", 1)
    at.at += timedelta(days=2)
    assert (await door("GET", PATH)).json() == before
    assert (await door("PUT", PATH, APPLICATION)).json() == before  # a repeat of before
    assert (await door("PUT", f"{PATH}/assessment")).status_code == 201
    old = await door("PUT", other, APPLICATION)
    assert (old.status_code, old.json()["expected"]) == (409, 2)
    answers = APPLICATION["answers"] | {"street": "ولی‌عصر"}
    new = APPLICATION | {"questionnaire_version": 2, "answers": answers}
    made = await door("PUT", other, new)
    assert (made.status_code, made.json()["answers"][0]["question_fa"]) == (201, "کار شما چیست؟")


@pytest.mark.NH23
async def test_an_assessment_stays_as_it_was_under_newer_rules_and_prices(
    door: Any, at: Any
) -> None:
    await arrange(door)
    before = await assessed(door)
    for kind, change in (("rules", {"rate_min_bp": 500}), ("prices", {"message_rial": 9})):
        put = await door("PUT", f"/v1/onboarding/{kind}/versions/2", document(kind, **change))
        assert put.status_code == 201, put.text
    await door("PUT", "/v1/terms/2", joining.TERMS_BODY | {"effective_from": LATER, "fee_bp": 9})
    at.at += timedelta(days=2)
    assert (await door("PUT", f"{PATH}/assessment")).json() == before
    assert (await door("GET", f"{PATH}/assessment")).json() == before
    approval = await door("PUT", f"{PATH}/approval", {}, subject=SECOND)
    assert approval.status_code == 201, approval.text  # it was made again, from its own versions
    other = f"/v1/applications/{uuid.UUID(int=2)}"
    after = await assessed(door, other)
    versions = ("questionnaire_version", "rules_version", "prices_version", "terms_version")
    assert [before[v] for v in versions] == [1, 1, 1, 1]
    assert [after[v] for v in versions] == [1, 2, 2, 2]
    assert after["scheme"]["values"][0]["minimum"] == 500


async def test_every_write_of_joining_is_in_the_trail_without_a_persons_numbers(
    door: Any, pool: Database
) -> None:
    await arrange(door)
    trail = await Trail.of(pool)
    await approved(door)
    await door("PUT", f"{PATH}/activation", ACTIVATION)
    reason = {"reason": "نشد"}
    for number, path in ((2, "rejection"), (3, "withdrawal")):
        other = f"/v1/applications/{uuid.UUID(int=number)}"
        await door("PUT", other, APPLICATION)
        assert (await door("PUT", f"{other}/{path}", reason)).status_code == 201
    put = await door("PUT", "/v1/onboarding/prices/versions/2", document("prices"))
    assert put.status_code == 201
    rows = await trail.rows()
    writes = {r for r in services.routes_of(door.app) if not r.startswith("GET ")}
    joined = {r for r in writes if r.startswith(("PUT /v1/applications", "PUT /v1/onboarding"))}
    assert {row["route"] for row in rows} == joined
    assert {row["subject"] for row in rows if "approval" in row["route"]} == {SECOND}
    assert {row["subject"] for row in rows if "assessment" in row["route"]} == {"tester"}
    kept = json.dumps(rows)
    assert not [n for n in ("9123456789", "IR0501700000") if n in kept]


def test_the_example_is_assessed_as_it_was_when_the_rules_were_published() -> None:
    """The whole result of version 1, byte for byte: it stays, or approvals of before fail."""
    golden = (joining.MIGRATION.parents[1] / "tests/golden/assessment.json").read_text("utf-8")
    assert joining.rendered(assessment.assess(joining.basis())) == golden
