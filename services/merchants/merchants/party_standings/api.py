"""HTTP door of the emergency brake: parties stopped and opened again."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit, auth, doors
from kit.auth import Role
from kit.room import resources
from merchants import settings
from merchants.party_standings import usecases
from merchants.party_standings.domain import PartyChange, Progress
from merchants.standings.domain import Standing

Before = doors.NumberText
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["standings"])


class PartyStandingBody(BaseModel):
    """`stopped`: nobody earns what the party would owe; what was earned is spent. reason: why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "بدهی پرداخت نشده"}]},
    )
    standing: Standing
    reason: doors.Title


@dataclass(frozen=True, slots=True)
class PartyStandings:
    """What the book has the party as, and a page of changes, newest first.

    next: send it as before.
    """

    standing: Standing
    items: list[PartyChange]
    next: int | None


@router.put(
    "/v1/parties/{party}/standings/{change}",
    status_code=202,
    responses={200: {"model": PartyChange, "description": "Answered already"}},
    dependencies=[auth.allow(Role.MONEY)],
)
async def put_party_standing(
    request: Request,
    response: Response,
    party: doors.NumberText,
    change: uuid.UUID,
    body: PartyStandingBody,
) -> PartyChange:
    """Stop a party at once, or open it again: 202 until every shard has answered, then 200.

    The address in Location, which is this one, tells what became of it.
    """
    database = resources(request).database
    clock = resources(request).clock
    shards: int = resources(request).settings.shards
    by = auth.actor_of(request).subject
    asked = PartyChange(str(change), 0, body.standing, body.reason, by, clock.now())
    async with audit.writing(request, database) as act:
        before = await usecases.list_changes(act.tx, party, before=usecases.NEWEST, limit=1)
        kept = await usecases.change_standing(act.tx, party, asked, shards=shards)
        act.tell(kept, before=before[0] if before else None)
    response.status_code = 202 if kept.status is Progress.PENDING else 200
    response.headers["location"] = f"/v1/parties/{party}/standings/{change}"
    return kept


@router.get("/v1/parties/{party}/standings/{change}", dependencies=[auth.allow(*auth.STAFF)])
async def get_party_standing(
    request: Request, party: doors.NumberText, change: uuid.UUID
) -> PartyChange:
    """What became of a change: pending, completed, or declined with its code."""
    database = resources(request).database
    async with database.read() as tx:
        return await usecases.get_change(tx, party, str(change))


@router.get("/v1/parties/{party}/standings", dependencies=[auth.allow(*auth.STAFF)])
async def list_party_standings(
    request: Request, party: doors.NumberText, before: Before = 2**31 - 1, limit: Limit = 50
) -> PartyStandings:
    """Whether a party is stopped, and who changed that, when and why."""
    database = resources(request).database
    async with database.read() as tx:
        items = await usecases.list_changes(tx, party, before=before, limit=limit)
        standing = await usecases.get_standing(tx, party)
    following = items[-1].version if len(items) == limit else None
    return PartyStandings(standing, items, following)
