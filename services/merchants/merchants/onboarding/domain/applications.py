"""Applications: who applies, the states, what may follow what, and what an activation makes."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from contracts.merchants import Programme
from contracts.values import NETWORK_PARTY
from merchants.onboarding.domain import errors
from merchants.onboarding.domain.forecast import Forecast, SchemeWarning, WarningCode
from merchants.onboarding.domain.questionnaire import Answers, AnswerView
from merchants.onboarding.domain.scheme import Item, Scheme
from merchants.parties.domain import Party, view_of


class State(StrEnum):
    """States of an application, each reached at most once."""

    APPLICANT = "applicant"
    ASSESSED = "assessed"
    APPROVED = "approved"
    ACTIVE = "active"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


FROM: Final[Mapping[State, frozenset[State]]] = {  # the states from which each is reached
    State.APPLICANT: frozenset(),
    State.ASSESSED: frozenset({State.APPLICANT}),
    State.APPROVED: frozenset({State.ASSESSED}),
    State.ACTIVE: frozenset({State.APPROVED}),
    State.REJECTED: frozenset({State.APPLICANT, State.ASSESSED}),
    State.WITHDRAWN: frozenset({State.APPLICANT, State.ASSESSED, State.APPROVED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who applies: titles as customers and contracts have them, numbers as contracts.iran does."""

    title_fa: str
    title_en: str
    legal_id: str | None = None
    national_id: str | None = None
    sheba: str
    postal_code: str
    mobile: str

    def party(self, number: int) -> Party:
        """The party that the applicant becomes."""
        return Party(
            party=number,
            title_fa=self.title_fa,
            title_en=self.title_en,
            legal_id=self.legal_id,
            national_id=self.national_id,
            sheba=self.sheba,
            postal_code=self.postal_code,
            mobile=self.mobile,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application as it is kept. questionnaire_version: which its answers are of."""

    application: str
    applicant: Applicant
    questionnaire_version: int
    answers: Answers
    state: State
    applied_at: datetime
    applied_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A state that was reached: when, by whom, and the document of it as JSON."""

    state: State
    at: datetime
    by: str
    document: bytes = b"{}"


@dataclass(frozen=True, slots=True)
class Approval:
    """What an approval keeps: the warnings that the approver accepted, in order of their codes."""

    accepts: tuple[WarningCode, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a rejection or withdrawal keeps."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRequest:
    """What an activation asks for. effective_from None: from now on. changes: own values."""

    party: int
    merchant: int
    branch: int
    branch_title_fa: str
    branch_title_en: str
    effective_from: datetime | None
    changes: dict[Item, int]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the guided set-up. done: it is behind the applicant."""

    code: str
    fa: str
    en: str
    done: bool


@dataclass(frozen=True, slots=True)
class TransitionView:
    """A state that was reached: when and by whom; reason: of a rejection or withdrawal."""

    state: State
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicantView:
    """Who applies, as callers and the trail see it: of a person's numbers the last four digits."""

    title_fa: str
    title_en: str
    legal_id: str | None
    national_id: str | None
    sheba: str | None
    bank_fa: str | None
    bank_en: str | None
    postal_code: str | None
    mobile: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationView:
    """An application as callers and the trail see it.

    merchant: None before the activation. steps: the guided set-up in its order.
    """

    application: str
    state: State
    applicant: ApplicantView
    questionnaire_version: int
    answers: list[AnswerView]
    transitions: list[TransitionView]
    merchant: int | None
    steps: list[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammePreview:
    """The terms of the programme that an activation publishes as version 1."""

    title_fa: str
    title_en: str
    earn_points: int
    earn_per_rial: int
    validity_days: int
    activation_days: int
    redeem_min_points: int
    redeem_max_share_bp: int
    own_discount_bp: int
    own_discount_max_rial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an activation with such changes would make, and what it would bring."""

    applicant: ApplicantView
    sector: str
    programme: ProgrammePreview
    scheme: Scheme
    forecast: Forecast


def applicant_view(applicant: Applicant) -> ApplicantView:
    """An applicant as callers see it: as the party that it will be, without its number."""
    fields = asdict(view_of(applicant.party(NETWORK_PARTY)))
    del fields["party"]
    return ApplicantView(**fields)


def check_transition(present: State, wanted: State) -> None:
    """Raises OtherState where a state is not reached from the present one."""
    if present not in FROM[wanted]:
        allowed = ", ".join(sorted(FROM[wanted]))
        raise errors.OtherState(
            f"the application is {present}; {wanted} follows on {allowed}", state=present.value
        )


def check_second_person(assessed_by: str, approver: str) -> None:
    """Raises SecondPersonNeeded where who approves is who assessed."""
    if assessed_by == approver:
        raise errors.SecondPersonNeeded("whoever assessed an application does not approve it")


def check_warnings(warnings: Iterable[SchemeWarning], accepted: Iterable[WarningCode]) -> None:
    """Raises WarningsNotAccepted with the warnings that nobody accepted. Source: NH11."""
    known = set(accepted)
    unnamed = [warning for warning in warnings if warning.code not in known]
    if unnamed:
        listed: list[dict[str, Any]] = [
            {"code": one.code.value, "fa": one.fa, "en": one.en} for one in unnamed
        ]
        codes = ", ".join(one.code for one in unnamed)
        raise errors.WarningsNotAccepted(
            f"name these warnings in the approval's accepts: {codes}", warnings=listed
        )


def programme_of(
    applicant: Applicant, activation: ActivationRequest, scheme: Scheme, now: datetime
) -> Programme:
    """Version 1 of the merchant's programme; publishing it puts the merchant's own party there."""
    preview = preview_programme(applicant, scheme)
    return Programme(
        merchant=activation.merchant,
        party=NETWORK_PARTY,
        version=1,
        effective_from=activation.effective_from or now,
        title_fa=preview.title_fa,
        title_en=preview.title_en,
        earn_points=preview.earn_points,
        earn_per_rial=preview.earn_per_rial,
        validity_days=preview.validity_days,
        activation_days=preview.activation_days,
        redeem_min_points=preview.redeem_min_points,
        redeem_max_share_bp=preview.redeem_max_share_bp,
        own_discount_bp=preview.own_discount_bp,
        own_discount_max_rial=preview.own_discount_max_rial,
    )


def preview_programme(applicant: Applicant, scheme: Scheme) -> ProgrammePreview:
    """The programme's terms of a scheme."""
    return ProgrammePreview(
        title_fa=applicant.title_fa,
        title_en=applicant.title_en,
        earn_points=scheme.earn_points,
        earn_per_rial=scheme.earn_per_rial,
        validity_days=scheme.value_of(Item.VALIDITY_DAYS),
        activation_days=scheme.value_of(Item.ACTIVATION_DAYS),
        redeem_min_points=scheme.value_of(Item.REDEEM_MIN_POINTS),
        redeem_max_share_bp=scheme.value_of(Item.REDEEM_MAX_SHARE_BP),
        own_discount_bp=scheme.value_of(Item.OWN_DISCOUNT_BP),
        own_discount_max_rial=scheme.value_of(Item.OWN_DISCOUNT_MAX_RIAL),
    )


_STEPS: Final = (  # code, the states behind which it lies, what to do
    (
        "goals",
        {State.APPLICANT, State.ASSESSED, State.APPROVED, State.ACTIVE},
        "هدف‌ها و وضع بازار: پرسش‌نامه را پاسخ دهید.",
        "Goals and market: answer the questionnaire.",
    ),
    (
        "scheme",
        {State.ASSESSED, State.APPROVED, State.ACTIVE},
        "نوع طرح، پاداش و بودجه: درخواست را ارزیابی کنید و دلیل هر پیشنهاد را بخوانید.",
        "Kind of scheme, rewards and budget: have it assessed, and read the reason of each value.",
    ),
    (
        "approval",
        {State.APPROVED, State.ACTIVE},
        "تأیید: شخص دومی پیشنهاد و هشدارهایش را تأیید کند.",
        "Approval: a second person approves the recommendation and its warnings.",
    ),
    (
        "activation",
        {State.ACTIVE},
        "راه‌اندازی: پیش‌نمایش را ببینید، مقدارها را در حدود آن بپذیرید و طرح را به کار اندازید.",
        "Set-up: see the preview, accept the values within its limits, and activate.",
    ),
    (
        "terminals",
        set[State](),
        "پایانه‌ها: هر پایانه یا فروشگاه اینترنتی را ثبت و فعال کنید.",
        "Terminals: register and activate each till, or the online shop.",
    ),
    (
        "evaluation",
        set[State](),
        "سنجش: شاخص‌های ارزیابی را هر ماه با هدفشان بسنجید.",
        "Evaluation: compare the assessment's indicators with their targets every month.",
    ),
)


def steps(state: State, *, has_terminal: bool = False) -> list[Step]:
    """The guided set-up as far as an application in a state has come.

    has_terminal: the merchant that was made has an activated terminal. Source: NH24.
    """
    return [
        Step(code, fa, en, state in behind or (code == "terminals" and has_terminal))
        for code, behind, fa, en in _STEPS
    ]
