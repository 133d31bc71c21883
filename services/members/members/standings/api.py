"""HTTP door of the emergency brake: accounts stopped and opened again."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit, auth, doors
from kit.auth import Role
from kit.room import resources
from members import settings
from members.standings import usecases
from members.standings.domain import Change, Progress, Standing

Before = doors.NumberText
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]
READERS: Final = auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)

router = APIRouter(tags=["standings"])


class StandingBody(BaseModel):
    """`stopped`: nothing leaves the account; what it earns is booked. reason: why, for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "گزارش سرقت کارت"}]},
    )
    standing: Standing
    reason: doors.Title


@dataclass(frozen=True, slots=True)
class Standings:
    """What the book has the account as, and a page of changes, newest first.

    next: send it as before.
    """

    standing: Standing
    items: list[Change]
    next: int | None


@router.put(
    "/v1/accounts/{account}/standings/{change}",
    status_code=202,
    responses={200: {"model": Change, "description": "Answered already"}},
    dependencies=[auth.allow(Role.MONEY)],
)
async def put_account_standing(
    request: Request,
    response: Response,
    account: doors.AccountText,
    change: uuid.UUID,
    body: StandingBody,
) -> Change:
    """Stop an account at once, or open it again: 202 until the book has answered, then 200.

    The address in Location, which is this one, tells what became of it.
    """
    database = resources(request).database
    clock = resources(request).clock
    by = auth.actor_of(request).subject
    asked = Change(str(change), 0, body.standing, body.reason, by, clock.now())

    async def ask(act: audit.Act) -> Change:
        before = await usecases.list_changes(act.tx, account, before=usecases.NEWEST, limit=1)
        kept = await usecases.change_standing(act.tx, account, asked)
        act.tell(kept, before=before[0] if before else None)
        return kept

    kept = await audit.written(request, database, ask)
    response.status_code = 202 if kept.status is Progress.PENDING else 200
    response.headers["location"] = f"/v1/accounts/{account}/standings/{change}"
    return kept


@router.get("/v1/accounts/{account}/standings/{change}", dependencies=[READERS])
async def get_account_standing(
    request: Request, account: doors.AccountText, change: uuid.UUID
) -> Change:
    """What became of a change: pending, completed, or declined with its code."""
    database = resources(request).database
    async with database.read() as tx:
        return await usecases.get_change(tx, account, str(change))


@router.get("/v1/accounts/{account}/standings", dependencies=[READERS])
async def list_account_standings(
    request: Request, account: doors.AccountText, before: Before = 2**31 - 1, limit: Limit = 50
) -> Standings:
    """Whether an account is stopped, and who changed that, when and why."""
    database = resources(request).database
    async with database.read() as tx:
        standing = await usecases.get_standing(tx, account)
        items = await usecases.list_changes(tx, account, before=before, limit=limit)
    following = items[-1].version if len(items) == limit else None
    return Standings(standing, items, following)
