"""A merchant that joins, for tests: the documents of version 1, answers, and one application."""

import json
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from contracts.merchants import Terms
from merchants.onboarding.domain import documents
from merchants.onboarding.domain.assessment import Basis
from merchants.onboarding.domain.documents import DocumentKind
from merchants.onboarding.domain.facts import Facts, facts_of

MIGRATION = Path(__file__).parents[1] / "migrations/0014_onboarding.sql"
FIRST: dict[str, dict[str, Any]] = {  # the documents that every platform begins with
    kind: json.loads(body)
    for kind, body in re.findall(
        r"\('(\w+)', 1, [^$]*\$json\$(.*?)\$json\$", MIGRATION.read_text("utf-8"), re.DOTALL
    )
}
QUESTIONNAIRE: Any = documents.read_body(DocumentKind.QUESTIONNAIRE, FIRST["questionnaire"])
RULES: Any = documents.read_body(DocumentKind.RULES, FIRST["rules"])
PRICES: Any = documents.read_body(DocumentKind.PRICES, FIRST["prices"])
TERMS = Terms(
    version=1,
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    price_rial=1_000,
    price_points=1,
    fee_bp=150,
)
# a grocer of two branches; docs/guides/joining.md works it out by hand
ANSWERS: dict[str, int | str] = {
    "sector": "supermarket",
    "size": "small",
    "branches": 2,
    "channel": "both",
    "margin_percent": 18,
    "customers": 3_000,
    "purchases_per_year": 24,
    "basket_rial": 2_500_000,
    "competitors": "with-club",
    "competitor_reward_percent": 2,
    "goal": "frequency",
    "goal_target_percent": 15,
    "goal_by": "2026-12-21",
}
APPLICANT = {
    "title_fa": "خواربار البرز",
    "title_en": "Alborz Grocery",
    "legal_id": "10380284790",
    "sheba": "IR050170000000123456789012",
    "postal_code": "1193653471",
    "mobile": "09123456789",
}
APPLICATION: dict[str, Any] = {**APPLICANT, "questionnaire_version": 1, "answers": ANSWERS}
ACTIVATION: dict[str, Any] = {
    "party": 2,
    "merchant": 5,
    "branch": 1,
    "branch_title_fa": "مرکزی",
    "branch_title_en": "Central",
}
TERMS_BODY = {
    "effective_from": "2026-01-01T00:00:00Z",
    "price_rial": 1_000,
    "price_points": 1,
    "fee_bp": 150,
}
ID = str(uuid.UUID(int=1))
PATH = f"/v1/applications/{ID}"
SECOND = "treasurer"  # the second person


def basis(**answers: int | str | None) -> Basis:
    """What the example's assessment is made of; answers: in place of the example's."""
    merged = {k: v for k, v in (ANSWERS | answers).items() if v is not None}
    return Basis(
        questionnaire_version=1,
        answers=merged,
        rules_version=1,
        rules=RULES,
        prices_version=1,
        prices=PRICES,
        terms=TERMS,
    )


def facts(**answers: int | str | None) -> Facts:
    """The example's facts; answers: in place of the example's."""
    return facts_of(basis(**answers).answers)


async def arrange(door: Any) -> None:
    """The network's terms, without which nothing is assessed."""
    assert (await door("PUT", "/v1/terms/1", TERMS_BODY)).status_code == 201


async def assessed(door: Any, path: str = PATH, **answers: int | str | None) -> Any:
    """An application that was made and assessed by "tester"; its assessment."""
    merged = {k: v for k, v in (ANSWERS | answers).items() if v is not None}
    made = await door("PUT", path, APPLICATION | {"answers": merged})
    assert made.status_code == 201, made.text
    answer = await door("PUT", f"{path}/assessment")
    assert answer.status_code == 201, answer.text
    return answer.json()


async def approved(door: Any, path: str = PATH) -> None:
    """An application that was made, assessed, and approved by a second person."""
    await assessed(door, path)
    answer = await door("PUT", f"{path}/approval", {"accepts": []}, subject=SECOND)
    assert answer.status_code == 201, answer.text


def rendered(result: Any) -> str:
    """An assessment as the golden file has it."""
    shown = json.loads(msgspec.json.encode(result))
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"
