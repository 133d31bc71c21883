"""Rules of joining: answers that the questionnaire reads and shows, and the documents."""

import copy
from datetime import date, timedelta
from typing import Any

import pytest

from merchants.onboarding.domain import documents, errors, questionnaire, wording
from merchants.onboarding.domain.documents import DocumentKind
from merchants.onboarding.domain.facts import facts_of

from . import joining
from .joining import ANSWERS, QUESTIONNAIRE

TODAY = date(2026, 3, 21)


def read(**answers: Any) -> questionnaire.Answers:
    merged = {k: v for k, v in (ANSWERS | answers).items() if v is not None}
    return questionnaire.read_answers(QUESTIONNAIRE, merged, TODAY)


def faults(**answers: Any) -> list[tuple[str, str]]:
    with pytest.raises(errors.AnswersInvalid) as refused:
        read(**answers)
    problems = refused.value.extra["problems"]
    assert all(one["fa"] and one["en"] for one in problems)
    return [(one["question"], one["code"]) for one in problems]


# ----------------------------------------------------------------------------------------- answers


@pytest.mark.SH1
def test_answers_are_kept_in_one_spelling() -> None:
    spelled = {
        "sector": " supermarket ",
        "branches": "۲",
        "margin_percent": "١٨",
        "customers": "۳٬۰۰۰",
        "basket_rial": "2,500,000",
        "goal_by": "۱۴۰۵/۰۹/۳۰",
        "note": "  مشتري وفادار ",
    }
    kept = read(**spelled)
    assert kept == ANSWERS | {"note": "مشتری وفادار"}
    assert questionnaire.read_answers(QUESTIONNAIRE, kept, TODAY) == kept


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("sector", "bank", "not-a-choice"),
        ("sector", 3, "not-a-choice"),
        ("branches", 0, "out-of-range"),
        ("branches", 10_001, "out-of-range"),
        ("branches", True, "not-an-integer"),
        ("branches", 1.0, "not-an-integer"),
        ("branches", "-2", "not-an-integer"),
        ("branches", "two", "not-an-integer"),
        ("branches", "9" * 17, "not-an-integer"),
        ("margin_percent", 96, "out-of-range"),
        ("goal_by", "2026-04-19", "out-of-range"),
        ("goal_by", "2029-03-26", "out-of-range"),
        ("goal_by", "1405-13-01", "not-a-day"),
        ("goal_by", 14050930, "not-a-day"),
        ("note", "", "not-a-text"),
        ("note", "x" * 501, "not-a-text"),
        ("note", "a\x00", "not-a-text"),
        ("note", 5, "not-a-text"),
        ("goal", None, "missing"),
        ("colour", "red", "unknown"),
        ("second_goal_by", "2026-12-21", "not-asked"),
    ],
)
def test_a_faulty_answer_is_named(question: str, answer: Any, code: str) -> None:
    assert faults(**{question: answer}) == [(question, code)]


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("branches", (1, 10_000)),
        ("margin_percent", (0, 95)),
        ("goal_by", ("2026-04-20", "2029-03-25")),
        ("note", ("x", "x" * 500)),
    ],
)
def test_the_ends_of_a_range_are_taken(question: str, answers: tuple[Any, Any]) -> None:
    for answer in answers:
        assert read(**{question: answer})[question] == answer


def test_every_fault_is_told_at_once() -> None:
    assert faults(sector="bank", branches=0, goal=None, colour="red") == [
        ("sector", "not-a-choice"),
        ("branches", "out-of-range"),
        ("goal", "missing"),
        ("colour", "unknown"),
    ]


def test_a_question_is_asked_after_the_answer_that_it_hangs_on() -> None:
    rate = "competitor_reward_percent"
    assert faults(**{rate: None}) == [(rate, "missing")]
    assert faults(competitors="none") == [(rate, "not-asked")]
    assert rate not in read(**{"competitors": "none", rate: None})
    assert faults(competitors="nobody") == [("competitors", "not-a-choice")]
    assert faults(second_goal="basket") == [
        ("second_goal_target_percent", "missing"),
        ("second_goal_by", "missing"),
    ]


def test_answers_are_shown_in_words_of_both_languages() -> None:
    shown = {one.question: one for one in questionnaire.show_answers(QUESTIONNAIRE, read())}
    assert list(shown) == list(ANSWERS)
    assert (shown["sector"].fa, shown["sector"].en) == ("خواربار", "Groceries")
    assert (shown["basket_rial"].fa, shown["basket_rial"].en) == (
        "۲٬۵۰۰٬۰۰۰ ریال",
        "2,500,000 Rial",
    )
    assert (shown["goal_by"].fa, shown["goal_by"].en) == ("۱۴۰۵-۰۹-۳۰", "2026-12-21")
    assert shown["branches"].question_en == "How many branches have you?"
    note = questionnaire.show_answers(QUESTIONNAIRE, read(note="سلام"))[-1]
    assert (note.fa, note.en) == ("سلام", "سلام")


def test_a_choice_that_there_is_no_more_is_shown_by_its_code() -> None:
    (sector,) = [q for q in QUESTIONNAIRE.questions if q.id == "sector"]
    assert sector.show("butcher") == ("butcher", "butcher")


def test_sales_beyond_what_is_exact_are_refused() -> None:
    huge = {"customers": 50_000_000, "purchases_per_year": 366, "basket_rial": 10_000_000_000}
    with pytest.raises(errors.AnswersInvalid) as refused:
        facts_of(read(**huge))
    assert refused.value.extra["problems"][0]["code"] == "sales-too-large"


# --------------------------------------------------------------------------------------- documents


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_the_first_documents_are_read_and_kept_as_they_are(kind: DocumentKind) -> None:
    body = documents.read_body(kind, joining.FIRST[kind])
    assert documents.decode_body(kind, documents.encode_body(body)) == body
    assert documents.read_body(kind, documents.to_json(body)) == body


def spoilt(kind: str, *path: Any, value: Any) -> list[str]:
    """The paths of the faults of a first document in which one value is another."""
    body = copy.deepcopy(joining.FIRST[kind])
    place = body
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(errors.DocumentInvalid) as refused:
        documents.read_body(DocumentKind(kind), body)
    assert all(one["en"] for one in refused.value.extra["problems"])
    return [one["path"] for one in refused.value.extra["problems"]]


ASKED = {one["id"]: place for place, one in enumerate(joining.FIRST["questionnaire"]["questions"])}


@pytest.mark.parametrize(
    ("question", "field", "value", "path"),
    [
        ("branches", "maximum", 100_001, "/questions/branches"),
        ("branches", "minimum", 0, "/questions/branches"),
        ("branches", "minimum", 10_001, "/questions/branches"),
        ("branches", "unit", "rial", "/questions/branches"),
        ("branches", "optional", True, "/questions/branches"),
        ("goal", "optional", True, "/questions/goal"),
        ("goal", "asked_if", {"question": "sector"}, "/questions/goal"),
        ("goal_by", "optional", True, "/questions/goal_by"),
        ("second_goal_by", "optional", True, "/questions/second_goal_by"),
        ("second_goal_by", "asked_if", {"question": "goal"}, "/questions/second_goal_by"),
        ("second_goal_target_percent", "unit", "rial", "/questions/second_goal_target_percent"),
        ("goal", "id", "aim", "/questions/goal"),
        ("goal_by", "id", "until", "/questions/goal_by"),
        ("note", "id", "goal", "/questions/goal"),
        ("branches", "id", "shops", "/questions/branches"),
        ("note", "asked_if", {"question": "hobby"}, "/questions/note"),
        ("note", "asked_if", {"question": "goal", "choice": "rest"}, "/questions/note"),
        ("note", "asked_if", {"question": "branches", "choice": "2"}, "/questions/note"),
    ],
)
def test_a_questionnaire_asks_what_the_assessment_needs(
    question: str, field: str, value: Any, path: str
) -> None:
    assert path in spoilt("questionnaire", "questions", ASKED[question], field, value=value)


def test_choices_of_a_questionnaire_are_those_that_the_rules_know() -> None:
    goal = ("questions", ASKED["goal"], "choices", 0, "code")
    assert spoilt("questionnaire", *goal, value="rest") == ["/questions/goal"]
    assert spoilt("questionnaire", *goal, value="basket") == ["/questions/goal"]


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("goals", 0, "goal"), "retain", "/goals"),
        (("validities", 0, "purchases_min"), 6, "/validities"),
        (("validities", 2, "purchases_min"), 1, "/validities"),
        (("redeem_shares", 1, "margin_min_bp"), 1, "/redeem_shares"),
        (("validity_min_days",), 366, "/validity_min_days"),
        (("activation_days", "online"), None, "/activation_days"),
        (("activation_max_days",), 6, "/activation_days"),
        (("rate_min_bp",), 60, "/rate_min_bp"),
        (("low", "participation_bp"), 4_001, "/low"),
        (("high", "redemption_bp"), 7_499, "/low"),
        (("packages", 2, "branches_min"), 2, "/packages"),
        (("packages",), [], "/packages"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(
    path: tuple[Any, ...], value: Any, fault: str
) -> None:
    assert fault in spoilt("rules", *path, value=value)


def test_a_document_of_another_shape_is_refused_with_its_place() -> None:
    assert spoilt("rules", "rate_step_bp", value=0) == ["/rate_step_bp"]
    assert spoilt("rules", "rate_step_bp", value=12.5) == ["/rate_step_bp"]
    assert spoilt("rules", "colour", value="red") == [""]
    assert spoilt("prices", "message_rial", value=-1) == ["/message_rial"]
    assert spoilt("prices", "packages", "custom", value=None) == ["/packages/custom"]
    assert spoilt("questionnaire", "questions", value=[]) == ["/questions"]


def test_shares_are_written_as_people_write_them() -> None:
    for share_bp, fa, en in (
        (175, "۱٫۷۵ درصد", "1.75 %"),
        (150, "۱٫۵ درصد", "1.5 %"),
        (10_000, "۱۰۰ درصد", "100 %"),
        (5, "۰٫۰۵ درصد", "0.05 %"),
        (0, "۰ درصد", "0 %"),
    ):
        assert (wording.percent_fa(share_bp), wording.percent_en(share_bp)) == (fa, en)


def test_days_are_counted_from_the_day_of_the_application() -> None:
    later = TODAY + timedelta(days=400)
    merged = ANSWERS | {"goal_by": (later + timedelta(days=30)).isoformat()}
    assert questionnaire.read_answers(QUESTIONNAIRE, merged, later)
