"""HTTP door of disputes for the network: all of them, and its decisions."""

import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.disputes.api import views
from merchants.disputes.api.views import DisputeList, DisputeView, Note
from merchants.disputes.domain.disputes import DisputeFilter, DisputeState
from merchants.disputes.usecases import disputes as usecases

router = APIRouter(tags=["disputes"])
_PATH: Final = "/v1/disputes/{dispute}"


class DisputeDecisionBody(BaseModel):
    """upheld_rial: for how much the opener is right; 0: dismissed. note: why, for both parties."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"upheld_rial": 40_000, "note": "رسید دوم همان اولی است"}]},
    )
    upheld_rial: fields.Amount
    note: Note = ""


@router.put(_PATH + "/decision", dependencies=[auth.allow(Role.MONEY)])
async def put_decision(
    request: Request, response: Response, dispute: uuid.UUID, body: DisputeDecisionBody
) -> DisputeView:
    """Decide a dispute that was escalated or not answered: 201; 200 when repeated.

    One person proposes it, another approves. 403 second-person-needed; 409 dispute-not-there; 422
    over-the-dispute, below-accepted.
    """
    by = views.by_party(request, None)
    async with audit_trail.writing(request, resources(request).database) as act:
        report, created = await usecases.decide(
            act.tx, str(dispute), body.upheld_rial, body.note, by=by
        )
        act.tell(views.summary(report.dispute))
    response.status_code = 201 if created else 200
    return views.view(report)


@router.get(_PATH, dependencies=[auth.allow(*views.READERS)])
async def get_any_dispute(request: Request, dispute: uuid.UUID) -> DisputeView:
    """A dispute of whomever."""
    async with resources(request).database.read() as tx:
        return views.view(await usecases.get_report(tx, str(dispute), None))


@router.get("/v1/disputes", dependencies=[auth.allow(*views.READERS)])
async def list_all_disputes(  # noqa: PLR0913 - the filters of a list
    request: Request,
    party: fields.NumberText | None = None,
    counterparty: fields.NumberText | None = None,
    window: fields.NumberText | None = None,
    state: DisputeState | None = None,
    before: fields.AfterWhole = views.NEWEST,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> DisputeList:
    """Disputes of all parties, newest first: with `state=escalated`, what waits for a decision."""
    of = DisputeFilter(party=party, counterparty=counterparty, window=window, state=state)
    async with resources(request).database.read() as tx:
        kept = await usecases.list_disputes(tx, of, before=before, limit=limit)
    return views.page(kept, limit)
