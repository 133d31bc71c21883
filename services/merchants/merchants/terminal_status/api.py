"""HTTP door of terminal status: an operator stops a terminal or merchant, or opens it again."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Actor, Role
from kit.room import resources
from merchants import settings
from merchants.terminal_status import usecases
from merchants.terminal_status.domain import OperatingStatus, StatusChange, Subject, SubjectKind

Before = fields.NumberText
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["terminal status"])


class TerminalStatusBody(BaseModel):
    """`stopped`: every gateway refuses its requests, within a second. reason: why, for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "کلید دزدیده شد"}]},
    )
    standing: OperatingStatus
    reason: fields.Title


@dataclass(frozen=True, slots=True)
class TerminalStatusPage:
    """The present status and a page of changes, newest first; next: send it as before."""

    standing: OperatingStatus
    items: list[StatusChange]
    next: int | None


@router.put(
    "/v1/terminals/{terminal}/standings/{change}", dependencies=[auth.allow(Role.TERMINALS)]
)
async def put_terminal_status(
    request: Request,
    response: Response,
    terminal: fields.NumberText,
    change: uuid.UUID,
    body: TerminalStatusBody,
) -> StatusChange:
    """Stop a terminal at once, whatever keys it has, or open it again: 201; 200 repeated.

    An activation does not open it.
    """
    actor = auth.actor_of(request)
    return await _put(
        request, response, Subject(SubjectKind.TERMINAL, terminal), (change, body, actor)
    )


@router.get("/v1/terminals/{terminal}/standings", dependencies=[auth.allow(*auth.STAFF)])
async def list_terminal_status_changes(
    request: Request, terminal: fields.NumberText, before: Before = 2**31 - 1, limit: Limit = 50
) -> TerminalStatusPage:
    """Whether a terminal is stopped, and who changed that, when and why."""
    return await _list(request, Subject(SubjectKind.TERMINAL, terminal), before, limit)


@router.put(
    "/v1/merchants/{merchant}/standings/{change}", dependencies=[auth.allow(Role.TERMINALS)]
)
async def put_merchant_status(
    request: Request,
    response: Response,
    merchant: fields.NumberText,
    change: uuid.UUID,
    body: TerminalStatusBody,
) -> StatusChange:
    """Stop all terminals of a merchant at once, or open them again: 201; 200 repeated."""
    actor = auth.actor_of(request)
    return await _put(
        request, response, Subject(SubjectKind.MERCHANT, merchant), (change, body, actor)
    )


@router.get("/v1/merchants/{merchant}/standings", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def list_merchant_status_changes(
    request: Request, merchant: fields.NumberText, before: Before = 2**31 - 1, limit: Limit = 50
) -> TerminalStatusPage:
    """Whether a merchant is stopped, and who changed that, when and why."""
    return await _list(request, Subject(SubjectKind.MERCHANT, merchant), before, limit)


async def _put(
    request: Request,
    response: Response,
    subject: Subject,
    requested: tuple[uuid.UUID, TerminalStatusBody, Actor],
) -> StatusChange:
    database = resources(request).database
    clock = resources(request).clock
    change, body, actor = requested
    fresh = StatusChange(str(change), 0, body.standing, body.reason, actor.subject, clock.now())
    async with audit_trail.writing(request, database) as act:
        before = await usecases.list_changes(act.tx, subject, before=2**31 - 1, limit=1)
        kept, created = await usecases.change_status(act.tx, subject, fresh)
        act.tell(kept, before=before[0] if before else None)
    response.status_code = 201 if created else 200
    return kept


async def _list(request: Request, subject: Subject, before: int, limit: int) -> TerminalStatusPage:
    database = resources(request).database
    async with database.read() as tx:
        latest = await usecases.list_changes(tx, subject, before=2**31 - 1, limit=1)
        items = await usecases.list_changes(tx, subject, before=before, limit=limit)
    return TerminalStatusPage(
        standing=latest[0].standing if latest else OperatingStatus.OPEN,
        items=items,
        next=items[-1].version if len(items) == limit else None,
    )
