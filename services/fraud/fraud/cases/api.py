"""HTTP door of cases: a reviewer reads them and decides."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.values import public_id
from fraud.cases import usecases
from fraud.cases.domain import Case, CaseStatus, CaseVerdict
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

LIMIT_MAX: Final = 200
CaseId = Annotated[str, Path(min_length=1, max_length=64)]


router = APIRouter(tags=["fraud"])


class VerdictBody(BaseModel):
    """What the reviewer says, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"verdict": "release", "note": "با فروشگاه تماس گرفته شد"}]
        },
    )

    verdict: CaseVerdict
    note: Annotated[fields.Prose, Field(max_length=1000)] = ""


class ReasonView(BaseModel):
    """Why the earning is held."""

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
    verdict: CaseVerdict | None
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
    """Cases in the order of their opening: work to be done, so begin anew at the end of it.

    A case may appear or open behind a number that was read.
    """
    async with resources(request).database.read() as tx:
        found = await usecases.list_cases(tx, status, after=after, limit=limit)
    return CasePage(
        items=[_view(case) for case in found],
        next=found[-1].number if len(found) == limit else None,
    )


@router.get(
    "/v1/cases/{case_id}", dependencies=[auth.allow(Role.REVIEWER, Role.AUDITOR, Role.RULES)]
)
async def get_case(request: Request, case_id: CaseId) -> CaseView:
    """One case."""
    async with resources(request).database.read() as tx:
        found = await usecases.get_case(tx, case_id)
    return _view(found)


@router.put("/v1/cases/{case_id}/verdict", dependencies=[auth.allow(Role.REVIEWER)])
async def put_verdict(request: Request, case_id: CaseId, body: VerdictBody) -> CaseView:
    """Release the pending points or cancel them; the ledger's answer shows in the case."""
    reviewer = auth.actor_of(request).subject
    async with audit_trail.writing(request, resources(request).database) as act:
        before = _told(await usecases.get_case(act.tx, case_id))
        decided = await usecases.decide_case(
            act.tx,
            case_id,
            body.verdict,
            body.note,
            reviewer=reviewer,
            now=resources(request).clock.now(),
        )
        act.tell(_told(decided), before=before)
    return _view(decided)


def _told(case: Case) -> dict[str, Any]:
    """What the trail keeps of a case."""
    return {"status": case.status, "verdict": case.verdict, "note": case.note}


def _view(case: Case) -> CaseView:
    hold = case.hold
    return CaseView(
        case_id=hold.case_id,
        number=case.number,
        status=case.status,
        transaction=public_id(hold.shard, hold.name),
        account=hold.account,
        member=hold.member,
        merchant=hold.merchant,
        terminal=hold.terminal,
        amount_rial=hold.amount_rial,
        reasons=[
            ReasonView(code=r.code, fa=r.fa, en=r.en, rule=r.rule, version=r.version)
            for r in hold.reasons
        ],
        opened_at=hold.opened_at,
        due_at=hold.due_at,
        heard=None if case.heard is None else case.heard.value,
        verdict=case.verdict,
        note=case.note,
        reviewer=case.reviewer,
        decided_at=case.decided_at,
        answer_code=case.answer_code,
        answered_at=case.answered_at,
    )
