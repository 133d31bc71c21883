"""The questionnaire: typed questions, and answers that the same code reads and shows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from persiantools.jdatetime import JalaliDate

from contracts.text import clean_text, digits_fa, fold_or_keep, number_fa
from contracts.times import day_of
from contracts.values import AMOUNT_MAX, ascii_digits
from merchants.onboarding.domain import errors
from merchants.onboarding.domain.wording import UNITS

Id = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_\-]{0,39}$")]
Wording = Annotated[str, Meta(min_length=1, max_length=500)]
Answer = int | str  # days as 2026-11-22
Answers = dict[str, Answer]
_DIGITS: Final = re.compile(r"[0-9]{1,16}")
_GROUPED: Final = str.maketrans("", "", ",٬ ")


class AnswerError(ValueError):
    """An answer that its question does not take."""

    def __init__(self, code: str, fa: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.fa = fa
        self.en = en


class AskedIf(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question is asked where an earlier one has this choice, or any answer (empty)."""

    question: Id
    choice: str = ""


class Question(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
    tag_field="kind",
):  # fmt: skip
    """What every question has. optional: it may be left out."""

    id: Id
    fa: Wording
    en: Wording
    optional: bool = False
    asked_if: AskedIf | None = None


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """One of a question's choices."""

    code: Id
    fa: Wording
    en: Wording


class ChoiceQuestion(Question, frozen=True, kw_only=True, tag="choice"):
    """One of several choices, by its code."""

    choices: Annotated[tuple[Choice, ...], Meta(min_length=2, max_length=60)]

    def read(self, raw: object, _: date) -> Answer:
        """The code of a choice. Raises AnswerError."""
        code = fold_or_keep(raw) if isinstance(raw, str) else ""
        if any(choice.code == code for choice in self.choices):
            return code
        listed = ", ".join(choice.code for choice in self.choices)
        raise AnswerError(
            "not-a-choice", "یکی از گزینه‌های همین پرسش را بفرستید.", f"send one of {listed}"
        )

    def show(self, answer: Answer) -> tuple[str, str]:
        """The choice in words; of a choice that there is no more, its code."""
        texts = {choice.code: (choice.fa, choice.en) for choice in self.choices}
        return texts.get(str(answer), (str(answer), str(answer)))


class IntegerQuestion(Question, frozen=True, kw_only=True, tag="integer"):
    """A whole number of some unit, within bounds. unit: of wording.UNITS."""

    unit: str
    minimum: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
    maximum: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]

    def read(self, raw: object, _: date) -> Answer:
        """The number, from a number or from digits of any script. Raises AnswerError."""
        if isinstance(raw, str):
            digits = ascii_digits(raw).translate(_GROUPED)
            raw = int(digits) if _DIGITS.fullmatch(digits) else None
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise AnswerError(
                "not-an-integer", "یک عدد درست، تنها با رقم، بفرستید.", "send a whole number"
            )
        if not self.minimum <= raw <= self.maximum:
            fa = f"عددی از {number_fa(self.minimum)} تا {number_fa(self.maximum)} بفرستید."
            en = f"send a number from {self.minimum} to {self.maximum}"
            raise AnswerError("out-of-range", fa, en)
        return raw

    def show(self, answer: Answer) -> tuple[str, str]:
        """The number with its unit."""
        unit_fa, unit_en = UNITS[self.unit]
        return f"{number_fa(int(answer))} {unit_fa}", f"{int(answer):,} {unit_en}"


class DateQuestion(Question, frozen=True, kw_only=True, tag="date"):
    """A day that lies so many days ahead of the application."""

    days_min: Annotated[int, Meta(ge=0, le=3_660)]
    days_max: Annotated[int, Meta(ge=0, le=3_660)]

    def read(self, raw: object, today: date) -> Answer:
        """The day as 2026-11-22, also from Solar Hijri text. Raises AnswerError."""
        try:
            day = day_of(raw) if isinstance(raw, str) else None
        except ValueError:
            day = None
        if day is None:
            fa = "روز را مانند ۱۴۰۵-۰۹-۰۱ بنویسید."
            raise AnswerError("not-a-day", fa, "write a day as 1405-09-01, or as 2026-11-22")
        first, last = (today + timedelta(days=n) for n in (self.days_min, self.days_max))
        if not first <= day <= last:
            fa = f"روزی از {day_fa(first)} تا {day_fa(last)} بفرستید."
            raise AnswerError("out-of-range", fa, f"send a day from {first} to {last}")
        return day.isoformat()

    def show(self, answer: Answer) -> tuple[str, str]:
        """The day in the Solar Hijri calendar, and in the Gregorian one."""
        return day_fa(date.fromisoformat(str(answer))), str(answer)


class TextQuestion(Question, frozen=True, kw_only=True, tag="text"):
    """Words of the applicant."""

    length_max: Annotated[int, Meta(ge=1, le=2_000)]

    def read(self, raw: object, _: date) -> Answer:
        """The text, cleaned. Raises AnswerError."""
        try:
            text = clean_text(raw) if isinstance(raw, str) else ""
        except ValueError:
            text = ""
        if not 1 <= len(text) <= self.length_max:
            fa = f"متنی تا {number_fa(self.length_max)} نویسه بفرستید."
            raise AnswerError("not-a-text", fa, f"send a text of at most {self.length_max} letters")
        return text

    def show(self, answer: Answer) -> tuple[str, str]:
        """The text as it was written, which is in one language."""
        return str(answer), str(answer)


AnyQuestion = ChoiceQuestion | IntegerQuestion | DateQuestion | TextQuestion


class Questionnaire(Struct, frozen=True, forbid_unknown_fields=True):
    """One version's questions, in the order in which they are asked."""

    questions: Annotated[tuple[AnyQuestion, ...], Meta(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A question with its answer, in words of both languages."""

    question: str
    question_fa: str
    question_en: str
    answer: int | str
    fa: str
    en: str


def read_answers(paper: Questionnaire, raw: Mapping[str, object], today: date) -> Answers:
    """The answers as they are kept. today: Tehran's day of the application.

    null is no answer. Raises AnswersInvalid with every fault at once. Source: SH1.
    """
    answers: Answers = {}
    faulty: set[str] = set()
    problems: list[dict[str, Any]] = []

    def refuse(question: str, code: str, fa: str, en: str) -> None:
        faulty.add(question)
        problems.append({"question": question, "code": code, "fa": fa, "en": f"{question}: {en}"})

    for question in paper.questions:
        raw_answer = raw.get(question.id)
        if question.asked_if is not None and question.asked_if.question in faulty:
            continue  # whether it is asked at all is not known
        asked = is_asked(question, answers)
        if raw_answer is None:
            if asked and not question.optional:
                refuse(question.id, "missing", "به این پرسش پاسخ دهید.", "answer this question")
        elif not asked:
            fa = "این پرسش با پاسخ‌های دیگر شما پرسیده نمی‌شود؛ پاسخش را بردارید."
            refuse(question.id, "not-asked", fa, "not asked after your other answers; leave it out")
        else:
            try:
                answers[question.id] = question.read(raw_answer, today)
            except AnswerError as error:
                refuse(question.id, error.code, error.fa, error.en)
    for unknown in sorted(raw.keys() - {question.id for question in paper.questions})[:20]:
        fa = "چنین پرسشی در این نسخه نیست؛ آن را بردارید."
        refuse(unknown[:40], "unknown", fa, "no question of this version; leave it out")
    if problems:
        raise errors.with_problems(errors.AnswersInvalid, problems)
    return answers


def is_asked(question: AnyQuestion, answers: Mapping[str, Answer]) -> bool:
    """Whether a question is asked after the answers to those before it."""
    condition = question.asked_if
    if condition is None:
        return True
    answer = answers.get(condition.question)
    return answer is not None and condition.choice in ("", answer)


def show_answers(paper: Questionnaire, answers: Mapping[str, Answer]) -> list[AnswerView]:
    """Every question that was answered, in the questionnaire's order."""
    return [
        AnswerView(one.id, one.fa, one.en, answers[one.id], *one.show(answers[one.id]))
        for one in paper.questions
        if one.id in answers
    ]


def day_fa(day: date) -> str:
    """A day in a Persian text: ۱۴۰۵-۰۹-۰۱."""
    return digits_fa(JalaliDate(day).isoformat())
