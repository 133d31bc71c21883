"""HTTP door of the emergency brake: terminals and merchants stopped and opened again."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit, auth, doors
from kit.auth import Actor, Role
from kit.room import resources
from merchants import settings
from merchants.standings import usecases
from merchants.standings.domain import Change, Kind, Standing, Subject

Before = doors.NumberText
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["standings"])


class StandingBody(BaseModel):
    """`stopped`: every gateway refuses what comes in, within a second. reason: why, for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "کلید دزدیده شد"}]},
    )
    standing: Standing
    reason: doors.Title


@dataclass(frozen=True, slots=True)
class Standings:
    """The present standing and a page of changes, newest first; next: send it as before."""

    standing: Standing
    items: list[Change]
    next: int | None


@router.put(
    "/v1/terminals/{terminal}/standings/{change}", dependencies=[auth.allow(Role.TERMINALS)]
)
async def put_terminal_standing(
    request: Request,
    response: Response,
    terminal: doors.NumberText,
    change: uuid.UUID,
    body: StandingBody,
) -> Change:
    """Stop a terminal at once, whatever keys it has, or open it again: 201; 200 repeated.

    An activation does not open it.
    """
    actor = auth.actor_of(request)
    return await _put(request, response, Subject(Kind.TERMINAL, terminal), (change, body, actor))


@router.get("/v1/terminals/{terminal}/standings", dependencies=[auth.allow(*auth.STAFF)])
async def list_terminal_standings(
    request: Request, terminal: doors.NumberText, before: Before = 2**31 - 1, limit: Limit = 50
) -> Standings:
    """Whether a terminal is stopped, and who changed that, when and why."""
    return await _list(request, Subject(Kind.TERMINAL, terminal), before, limit)


@router.put(
    "/v1/merchants/{merchant}/standings/{change}", dependencies=[auth.allow(Role.TERMINALS)]
)
async def put_merchant_standing(
    request: Request,
    response: Response,
    merchant: doors.NumberText,
    change: uuid.UUID,
    body: StandingBody,
) -> Change:
    """Stop all terminals of a merchant at once, or open them again: 201; 200 repeated."""
    actor = auth.actor_of(request)
    return await _put(request, response, Subject(Kind.MERCHANT, merchant), (change, body, actor))


@router.get("/v1/merchants/{merchant}/standings", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def list_merchant_standings(
    request: Request, merchant: doors.NumberText, before: Before = 2**31 - 1, limit: Limit = 50
) -> Standings:
    """Whether a merchant is stopped, and who changed that, when and why."""
    return await _list(request, Subject(Kind.MERCHANT, merchant), before, limit)


async def _put(
    request: Request,
    response: Response,
    subject: Subject,
    asked: tuple[uuid.UUID, StandingBody, Actor],
) -> Change:
    database = resources(request).database
    clock = resources(request).clock
    change, body, actor = asked
    fresh = Change(str(change), 0, body.standing, body.reason, actor.subject, clock.now())
    async with audit.writing(request, database) as act:
        before = await usecases.list_changes(act.tx, subject, before=2**31 - 1, limit=1)
        kept, created = await usecases.change_standing(act.tx, subject, fresh)
        act.tell(kept, before=before[0] if before else None)
    response.status_code = 201 if created else 200
    return kept


async def _list(request: Request, subject: Subject, before: int, limit: int) -> Standings:
    database = resources(request).database
    async with database.read() as tx:
        latest = await usecases.list_changes(tx, subject, before=2**31 - 1, limit=1)
        items = await usecases.list_changes(tx, subject, before=before, limit=limit)
    return Standings(
        standing=latest[0].standing if latest else Standing.OPEN,
        items=items,
        next=items[-1].version if len(items) == limit else None,
    )
