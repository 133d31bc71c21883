"""HTTP door of disputes for the two parties: opening, answering, escalating, withdrawing."""

import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from contracts.values import parse_public_id
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.disputes.api import views
from merchants.disputes.api.views import DisputeList, DisputeView, Note
from merchants.disputes.domain.disputes import (
    TEXT_MAX,
    TRANSACTIONS_MAX,
    DisputedSide,
    DisputeFilter,
    DisputeReason,
    DisputeState,
    Opening,
)
from merchants.disputes.usecases import disputes as usecases
from merchants.disputes.usecases.disputes import Report

router = APIRouter(tags=["disputes"])
_PATH: Final = "/v1/parties/{party}/disputes/{dispute}"
_WRITERS: Final = auth.allow(Role.PARTNERS, own=True)
_READERS: Final = auth.allow(*views.READERS, own=True)

DISPUTE: Final[JsonDict] = {
    "window": 1,
    "counterparty": 3,
    "side": "due",
    "amount_rial": 40_000,
    "reason": "duplicate",
    "text": "این فروش دو بار آمده است",
    "transactions": [],
}


def _transaction(text: str) -> str:
    parse_public_id(text)
    return text


class DisputeBody(BaseModel):
    """What is wrong on the party's statement of a closed window.

    counterparty and side: of the line. side `due`: the party owes too much; `claim`: too much of
    its claim was taken back. reason: `not-our-sale`, `wrong-amount`, `duplicate`, `reversed-later`
    or `other`. transactions: public ids of some behind the line.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [DISPUTE]})
    window: fields.Number
    counterparty: fields.Number
    side: DisputedSide = DisputedSide.DUE
    amount_rial: fields.PositiveAmount
    reason: DisputeReason
    text: Annotated[fields.Prose, Field(min_length=1, max_length=TEXT_MAX)]
    transactions: Annotated[
        list[Annotated[fields.Code, Field(max_length=200), AfterValidator(_transaction)]],
        Field(max_length=TRANSACTIONS_MAX),
    ] = []


class DisputeAnswerBody(BaseModel):
    """accepted_rial: all of the disputed amount, a part, or 0: rejected. note: why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"accepted_rial": 0, "note": "درست است"}]}
    )
    accepted_rial: fields.Amount
    note: Note = ""


class DisputeStepBody(BaseModel):
    """note: why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "پاسخ کافی نیست"}]}
    )
    note: Note = ""


@router.put(_PATH, dependencies=[_WRITERS])
async def put_dispute(
    request: Request,
    response: Response,
    party: fields.NumberText,
    dispute: uuid.UUID,
    body: DisputeBody,
) -> DisputeView:
    """Dispute a line of a closed window under the caller's UUID: 201; 200 when repeated.

    422 nothing-to-dispute, transaction-not-of-line; 409 over-the-line, dispute-too-late,
    window-not-closed. The window stays as it is: what the dispute comes to is a correction in the
    window that is open then.
    """
    opening = Opening(
        dispute=str(dispute),
        window=body.window,
        opener=party,
        respondent=body.counterparty,
        side=body.side,
        amount_rial=body.amount_rial,
        reason=body.reason,
        text=body.text,
        transactions=tuple(dict.fromkeys(body.transactions)),
    )
    by, deadlines = views.by_party(request, party), views.deadlines_of(request)

    async def open_it(act: audit_trail.Act) -> tuple[Report, bool]:
        report, created = await usecases.open_dispute(act.tx, opening, by, deadlines)
        act.tell(views.summary(report.dispute))
        return report, created

    report, created = await audit_trail.written(request, resources(request).database, open_it)
    response.status_code = 201 if created else 200
    return views.view(report)


@router.get(_PATH, dependencies=[_READERS])
async def get_dispute(
    request: Request, party: fields.NumberText, dispute: uuid.UUID
) -> DisputeView:
    """A dispute of a party, on either side: its states, its deadlines, its evidence."""
    async with resources(request).database.read() as tx:
        return views.view(await usecases.get_report(tx, str(dispute), party))


@router.get("/v1/parties/{party}/disputes", dependencies=[_READERS])
async def list_disputes(  # noqa: PLR0913 - the filters of a list
    request: Request,
    party: fields.NumberText,
    counterparty: fields.NumberText | None = None,
    window: fields.NumberText | None = None,
    state: DisputeState | None = None,
    before: fields.AfterWhole = views.NEWEST,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> DisputeList:
    """Disputes of a party on either side, newest first."""
    of = DisputeFilter(party=party, counterparty=counterparty, window=window, state=state)
    async with resources(request).database.read() as tx:
        kept = await usecases.list_disputes(tx, of, before=before, limit=limit)
    return views.page(kept, limit)


@router.put(_PATH + "/answer", dependencies=[_WRITERS])
async def put_answer(
    request: Request,
    response: Response,
    party: fields.NumberText,
    dispute: uuid.UUID,
    body: DisputeAnswerBody,
) -> DisputeView:
    """Answer a dispute against the party: 201; 200 when repeated. All accepted ends it.

    409 dispute-too-late, dispute-not-there; 403 dispute-step-of-other; 422 over-the-dispute.
    """
    by, deadlines = views.by_party(request, party), views.deadlines_of(request)
    async with audit_trail.writing(request, resources(request).database) as act:
        report, created = await usecases.answer(
            act.tx, str(dispute), body.accepted_rial, body.note, by=by, deadlines=deadlines
        )
        act.tell(views.summary(report.dispute))
    response.status_code = 201 if created else 200
    return views.view(report)


@router.put(_PATH + "/escalation", dependencies=[_WRITERS])
async def put_escalation(
    request: Request,
    response: Response,
    party: fields.NumberText,
    dispute: uuid.UUID,
    body: DisputeStepBody,
) -> DisputeView:
    """Ask the network to decide what was rejected, or accepted only in part: 201; 200 repeated.

    409 dispute-too-late, dispute-not-there; 403 dispute-step-of-other.
    """
    by = views.by_party(request, party)
    async with audit_trail.writing(request, resources(request).database) as act:
        report, created = await usecases.escalate(act.tx, str(dispute), body.note, by=by)
        act.tell(views.summary(report.dispute))
    response.status_code = 201 if created else 200
    return views.view(report)


@router.put(_PATH + "/withdrawal", dependencies=[_WRITERS])
async def put_dispute_withdrawal(
    request: Request,
    response: Response,
    party: fields.NumberText,
    dispute: uuid.UUID,
    body: DisputeStepBody,
) -> DisputeView:
    """Give a dispute up that is not at its end, with what was accepted of it: 201; 200 repeated.

    409 dispute-not-there; 403 dispute-step-of-other.
    """
    by = views.by_party(request, party)
    async with audit_trail.writing(request, resources(request).database) as act:
        report, created = await usecases.withdraw(act.tx, str(dispute), body.note, by=by)
        act.tell(views.summary(report.dispute))
    response.status_code = 201 if created else 200
    return views.view(report)
