"""HTTP door of applications: applying, assessing, deciding, activating."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, Strict, StrictInt, StrictStr
from pydantic.config import JsonDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import fields as numbers
from merchants import settings
from merchants.onboarding.domain.applications import (
    ActivationRequest,
    Applicant,
    Application,
    ApplicationView,
    Preview,
    State,
)
from merchants.onboarding.domain.assessment import Assessment
from merchants.onboarding.domain.forecast import WarningCode
from merchants.onboarding.domain.scheme import Item
from merchants.onboarding.usecases import applications as usecases
from merchants.onboarding.usecases import transitions
from merchants.onboarding.usecases.applications import ApplicationRequest

BEFORE_ALL: Final = uuid.UUID(int=0)
READERS: Final = (Role.AUDITOR, Role.PARTNERS, Role.MONEY)
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

Chosen = Annotated[fields.AfterNumber, Strict()]  # of a body and of a query alike
ChosenAmount = Annotated[fields.AfterAccount, Strict()]

router = APIRouter(tags=["onboarding"])

APPLICATION: Final[JsonDict] = {
    "title_fa": "نان البرز",
    "title_en": "Alborz Bread",
    "national_id": "0012345679",
    "sheba": "IR050170000000123456789012",
    "postal_code": "1193653471",
    "mobile": "09123456789",
    "questionnaire_version": 1,
    "answers": {
        "sector": "bakery",
        "size": "micro",
        "branches": 1,
        "channel": "till",
        "margin_percent": 25,
        "customers": 900,
        "purchases_per_year": 60,
        "basket_rial": 800_000,
        "competitors": "without-club",
        "goal": "retain",
        "goal_target_percent": 10,
        "goal_by": "2028-03-19",
    },
}


class ApplicationBody(BaseModel):
    """Who applies, and answers to the questionnaire in force, by the questions' ids.

    legal_id of a company, or national_id of a person. An answer is a choice's code, a whole number
    (or its digits as text, of any script), a day (Solar Hijri or Gregorian), or a text.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [APPLICATION]})
    title_fa: fields.Title
    title_en: fields.Title
    legal_id: numbers.LegalId | None = None
    national_id: numbers.NationalId | None = None
    sheba: numbers.Sheba
    postal_code: numbers.PostalCode
    mobile: numbers.Mobile
    questionnaire_version: fields.Number
    answers: Annotated[dict[str, StrictInt | StrictStr | None], Field(max_length=100)]


class ApprovalBody(BaseModel):
    """accepts: codes of the assessment's warnings; each must be named."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"accepts": []}]})
    accepts: Annotated[list[WarningCode], Field(max_length=20)] = []


class EndingBody(BaseModel):
    """reason: why, in words that the applicant may read."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "مدارک کامل نیست"}]}
    )
    reason: fields.Title


class Changes(BaseModel):
    """The applicant's own values in place of the recommended ones, within their limits."""

    model_config = ConfigDict(extra="forbid")
    earn_rate_bp: Chosen | None = None
    validity_days: Chosen | None = None
    activation_days: Chosen | None = None
    redeem_min_points: ChosenAmount | None = None
    redeem_max_share_bp: Chosen | None = None
    own_discount_bp: Chosen | None = None
    own_discount_max_rial: ChosenAmount | None = None

    def by_item(self) -> dict[Item, int]:
        """The values that were sent."""
        return {Item(name): value for name, value in self.model_dump(exclude_none=True).items()}


class ApplicationActivationBody(BaseModel):
    """Numbers for the new party, merchant and branch, as for `PUT /v1/parties/{party}` and so on.

    effective_from: of the programme; null: from now on. changes: own values within the limits.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "party": 7,
                    "merchant": 7,
                    "branch": 1,
                    "branch_title_fa": "شعبهٔ مرکزی",
                    "branch_title_en": "Central",
                    "changes": {"validity_days": 365},
                }
            ]
        },
    )
    party: fields.Number
    merchant: fields.Number
    branch: fields.Number
    branch_title_fa: fields.Title
    branch_title_en: fields.Title
    effective_from: fields.Moment | None = None
    changes: Changes = Changes()


@dataclass(frozen=True, slots=True)
class ApplicationSummary:
    """A line of the list."""

    application: str
    state: State
    title_fa: str
    title_en: str
    sector: str
    applied_at: datetime
    applied_by: str


@dataclass(frozen=True, slots=True)
class Applications:
    """A page; next: send it as after; None on the last."""

    items: list[ApplicationSummary]
    next: str | None


@router.put("/v1/applications/{application}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_application(
    request: Request, response: Response, application: uuid.UUID, body: ApplicationBody
) -> ApplicationView:
    """Apply under the caller's UUID: 201, and 200 when repeated.

    422 answers-invalid names each faulty answer in Persian and English; nothing is kept then.
    """
    who = body.model_dump(exclude={"questionnaire_version", "answers"})
    requested = ApplicationRequest(
        application=str(application),
        applicant=Applicant(**who),
        questionnaire_version=body.questionnaire_version,
        answers=body.answers,
    )
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await usecases.apply_to_join(act.tx, requested, **_by(request))
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


@router.get("/v1/applications/{application}", dependencies=[auth.allow(*READERS)])
async def get_application(request: Request, application: uuid.UUID) -> ApplicationView:
    """One application: its state, its answers in words, who did what, and the next steps."""
    async with resources(request).database.read() as tx:
        return await usecases.get_application(tx, str(application))


@router.get("/v1/applications", dependencies=[auth.allow(*READERS)])
async def list_applications(
    request: Request,
    state: State | None = None,
    after: uuid.UUID = BEFORE_ALL,
    limit: Limit = 50,
) -> Applications:
    """Applications in the order of their ids; of one state, or of all."""
    async with resources(request).database.read() as tx:
        kept = await usecases.list_applications(tx, state=state, after=str(after), limit=limit)
    following = kept[-1].application if len(kept) == limit else None
    return Applications([_summary(one) for one in kept], following)


@router.put("/v1/applications/{application}/assessment", dependencies=[auth.allow(Role.PARTNERS)])
async def put_assessment(
    request: Request, response: Response, application: uuid.UUID
) -> Assessment:
    """Assess the answers under the versions in force: 201, and 200 when repeated."""
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await transitions.assess(act.tx, str(application), **_by(request))
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


@router.get("/v1/applications/{application}/assessment", dependencies=[auth.allow(*READERS)])
async def get_assessment(request: Request, application: uuid.UUID) -> Assessment:
    """The assessment: indicators, scheme with limits and reasons, package with costs, forecast."""
    async with resources(request).database.read() as tx:
        return await transitions.get_assessment(tx, str(application))


@router.put("/v1/applications/{application}/approval", dependencies=[auth.allow(Role.MONEY)])
async def put_approval(
    request: Request, response: Response, application: uuid.UUID, body: ApprovalBody
) -> ApplicationView:
    """Approve, by somebody else than who assessed: 201, and 200 when repeated.

    409 warnings-not-accepted lists warnings that `accepts` does not name.
    """
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await transitions.approve(
            act.tx, str(application), body.accepts, **_by(request)
        )
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


@router.put("/v1/applications/{application}/rejection", dependencies=[auth.allow(Role.MONEY)])
async def put_rejection(
    request: Request, response: Response, application: uuid.UUID, body: EndingBody
) -> ApplicationView:
    """Reject an application that is not approved yet: 201, and 200 when repeated."""
    return await _end(request, response, application, State.REJECTED, body)


@router.put("/v1/applications/{application}/withdrawal", dependencies=[auth.allow(Role.PARTNERS)])
async def put_withdrawal(
    request: Request, response: Response, application: uuid.UUID, body: EndingBody
) -> ApplicationView:
    """Withdraw an application that is not active yet: 201, and 200 when repeated."""
    return await _end(request, response, application, State.WITHDRAWN, body)


async def _end(
    request: Request, response: Response, application: uuid.UUID, state: State, body: EndingBody
) -> ApplicationView:
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await transitions.end(
            act.tx, str(application), state, body.reason, **_by(request)
        )
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


@router.get("/v1/applications/{application}/preview", dependencies=[auth.allow(*READERS)])
async def get_preview(
    request: Request, application: uuid.UUID, changes: Annotated[Changes, Query()]
) -> Preview:
    """What an activation with these values would make, its forecast and its warnings."""
    async with resources(request).database.read() as tx:
        return await transitions.preview(tx, str(application), changes.by_item())


@router.put("/v1/applications/{application}/activation", dependencies=[auth.allow(Role.PARTNERS)])
async def put_activation(
    request: Request, response: Response, application: uuid.UUID, body: ApplicationActivationBody
) -> ApplicationView:
    """Make party, merchant, first branch and programme, all or nothing: 201, and 200 repeated."""
    asked = ActivationRequest(
        **body.model_dump(exclude={"changes"}), changes=body.changes.by_item()
    )
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await transitions.activate(act.tx, str(application), asked, **_by(request))
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


def _by(request: Request) -> dict[str, Any]:
    """Who acts, and when."""
    return {"by": auth.actor_of(request).subject, "now": resources(request).clock.now()}


def _summary(application: Application) -> ApplicationSummary:
    return ApplicationSummary(
        application=application.application,
        state=application.state,
        title_fa=application.applicant.title_fa,
        title_en=application.applicant.title_en,
        sector=str(application.answers["sector"]),
        applied_at=application.applied_at,
        applied_by=application.applied_by,
    )
