"""HTTP door of cases: a reviewer reads them and decides."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.values import public_id
from fraud.cases import usecases
from fraud.cases.domain import Case, CaseStatus, ReviewOutcome
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

LIMIT_MAX: Final = 200
CaseId = Annotated[str, Path(min_length=1, max_length=64)]


router = APIRouter(tags=["fraud"])


class ReviewOutcomeBody(BaseModel):
    """What the reviewer decides, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"verdict": "release", "note": "با فروشگاه تماس گرفته شد"}]
        },
    )

    verdict: ReviewOutcome
    note: Annotated[fields.Prose, Field(max_length=1000)] = ""


class ReasonView(BaseModel):
    """Why the earning is reviewed."""

    code: str
    fa: str
    en: str
    rule: str
    version: int


class CaseView(BaseModel):
    """A case as it stands. transaction: public id. heard: the ledger's status of the earning."""

    case_id: str
    number: int
    status: CaseStatus
    transaction: str
    account: int
    member: int
    merchant: int
    terminal: int
    amount_rial: int
    reasons: list[ReasonView]
    opened_at: datetime
    due_at: datetime
    heard: str | None
    verdict: ReviewOutcome | None
    note: str
    reviewer: str
    decided_at: datetime | None
    answer_code: str
    answered_at: datetime | None


class CasePage(BaseModel):
    """Cases, oldest first; next: what to pass as after, null at the end."""

    items: list[CaseView]
    next: int | None


@router.get("/v1/cases", dependencies=[auth.allow(Role.REVIEWER, Role.AUDITOR, Role.RULES)])
async def list_cases(
    request: Request,
    status: CaseStatus | None = None,
    after: fields.AfterAccount = 0,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> CasePage:
    """Cases in the order of their opening. At the end begin again from the start.

    A case may appear, or become open, at a number below the last one read.
    """
    async with resources(request).database.read() as tx:
        cases = await usecases.list_cases(tx, status, after=after, limit=limit)
    return CasePage(
        items=[_view(case) for case in cases],
        next=cases[-1].number if len(cases) == limit else None,
    )


@router.get(
    "/v1/cases/{case_id}", dependencies=[auth.allow(Role.REVIEWER, Role.AUDITOR, Role.RULES)]
)
async def get_case(request: Request, case_id: CaseId) -> CaseView:
    """One case."""
    async with resources(request).database.read() as tx:
        case = await usecases.get_case(tx, case_id)
    return _view(case)


@router.put("/v1/cases/{case_id}/verdict", dependencies=[auth.allow(Role.REVIEWER)])
async def put_review_outcome(
    request: Request, case_id: CaseId, body: ReviewOutcomeBody
) -> CaseView:
    """Release the pending points or cancel them; the ledger's answer shows in the case."""
    reviewer = auth.actor_of(request).subject
    async with audit_trail.writing(request, resources(request).database) as act:
        before = _audited(await usecases.get_case(act.tx, case_id))
        decided = await usecases.decide_case(
            act.tx,
            case_id,
            body.verdict,
            body.note,
            reviewer=reviewer,
            now=resources(request).clock.now(),
        )
        act.tell(_audited(decided), before=before)
    return _view(decided)


def _audited(case: Case) -> dict[str, Any]:
    """What the trail keeps of a case."""
    return {"status": case.status, "verdict": case.outcome, "note": case.note}


def _view(case: Case) -> CaseView:
    review = case.review
    return CaseView(
        case_id=review.case_id,
        number=case.number,
        status=case.status,
        transaction=public_id(review.shard, review.name),
        account=review.account,
        member=review.member,
        merchant=review.merchant,
        terminal=review.terminal,
        amount_rial=review.amount_rial,
        reasons=[
            ReasonView(code=r.code, fa=r.fa, en=r.en, rule=r.rule, version=r.version)
            for r in review.reasons
        ],
        opened_at=review.opened_at,
        due_at=review.due_at,
        heard=None if case.ledger_status is None else case.ledger_status.value,
        verdict=case.outcome,
        note=case.note,
        reviewer=case.reviewer,
        decided_at=case.decided_at,
        answer_code=case.answer_code,
        answered_at=case.answered_at,
    )
