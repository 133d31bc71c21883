"""HTTP door of party status: an operator stops a party, or opens it again."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from kit.stream.requests import Progress
from merchants import settings
from merchants.party_status import usecases
from merchants.party_status.domain import PartyStatusChange
from merchants.terminal_status.domain import OperatingStatus

Before = fields.NumberText
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["party status"])


class PartyStatusBody(BaseModel):
    """`stopped`: nobody earns what the party would owe; what was earned is spent. reason: why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "بدهی پرداخت نشده"}]},
    )
    standing: OperatingStatus
    reason: fields.Title


@dataclass(frozen=True, slots=True)
class PartyStatusPage:
    """The status of the party, and a page of its changes, newest first.

    next: send it as before.
    """

    standing: OperatingStatus
    items: list[PartyStatusChange]
    next: int | None


@router.put(
    "/v1/parties/{party}/standings/{change}",
    status_code=202,
    responses={200: {"model": PartyStatusChange, "description": "Answered already"}},
    dependencies=[auth.allow(Role.MONEY)],
)
async def put_party_status(
    request: Request,
    response: Response,
    party: fields.NumberText,
    change: uuid.UUID,
    body: PartyStatusBody,
) -> PartyStatusChange:
    """Stop a party at once, or open it again: 202 until every shard has answered, then 200.

    The address in Location, which is this one, gives the answer.
    """
    database = resources(request).database
    clock = resources(request).clock
    shards: int = resources(request).settings.shards
    by = auth.actor_of(request).subject
    requested = PartyStatusChange(str(change), 0, body.standing, body.reason, by, clock.now())
    async with audit_trail.writing(request, database) as act:
        before = await usecases.list_changes(act.tx, party, before=usecases.NEWEST, limit=1)
        kept = await usecases.change_status(act.tx, party, requested, shards=shards)
        act.tell(kept, before=before[0] if before else None)
    response.status_code = 202 if kept.status is Progress.PENDING else 200
    response.headers["location"] = f"/v1/parties/{party}/standings/{change}"
    return kept


@router.get("/v1/parties/{party}/standings/{change}", dependencies=[auth.allow(*auth.STAFF)])
async def get_party_status_change(
    request: Request, party: fields.NumberText, change: uuid.UUID
) -> PartyStatusChange:
    """The state of a change: pending, completed, or declined with its code."""
    database = resources(request).database
    async with database.read() as tx:
        return await usecases.get_change(tx, party, str(change))


@router.get("/v1/parties/{party}/standings", dependencies=[auth.allow(*auth.STAFF)])
async def list_party_status_changes(
    request: Request, party: fields.NumberText, before: Before = 2**31 - 1, limit: Limit = 50
) -> PartyStatusPage:
    """Whether a party is stopped, and who changed that, when and why."""
    database = resources(request).database
    async with database.read() as tx:
        items = await usecases.list_changes(tx, party, before=before, limit=limit)
        status = await usecases.get_status(tx, party)
    following = items[-1].version if len(items) == limit else None
    return PartyStatusPage(status, items, following)
