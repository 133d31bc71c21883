"""HTTP door of account status: an operator stops an account, or opens it again."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from kit.stream.requests import Progress
from members import settings
from members.account_status import usecases
from members.account_status.domain import AccountStatus, StatusChange

Before = fields.NumberText
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]
READERS: Final = auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)

router = APIRouter(tags=["account status"])


class AccountStatusBody(BaseModel):
    """`stopped`: nothing leaves the account; what it earns is booked. reason: why, for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "گزارش سرقت کارت"}]},
    )
    standing: AccountStatus
    reason: fields.Title


@dataclass(frozen=True, slots=True)
class AccountStatusPage:
    """The status of the account, and a page of its changes, newest first.

    next: send it as before.
    """

    standing: AccountStatus
    items: list[StatusChange]
    next: int | None


@router.put(
    "/v1/accounts/{account}/standings/{change}",
    status_code=202,
    responses={200: {"model": StatusChange, "description": "Answered already"}},
    dependencies=[auth.allow(Role.MONEY)],
)
async def put_account_status(
    request: Request,
    response: Response,
    account: fields.AccountText,
    change: uuid.UUID,
    body: AccountStatusBody,
) -> StatusChange:
    """Stop an account at once, or open it again: 202 until the ledger has answered, then 200.

    The address in Location, which is this one, gives the answer.
    """
    database = resources(request).database
    clock = resources(request).clock
    by = auth.actor_of(request).subject
    requested = StatusChange(str(change), 0, body.standing, body.reason, by, clock.now())

    async def change_status(act: audit_trail.Act) -> StatusChange:
        before = await usecases.list_changes(act.tx, account, before=usecases.NEWEST, limit=1)
        kept = await usecases.change_status(act.tx, account, requested)
        act.tell(kept, before=before[0] if before else None)
        return kept

    kept = await audit_trail.written(request, database, change_status)
    response.status_code = 202 if kept.status is Progress.PENDING else 200
    response.headers["location"] = f"/v1/accounts/{account}/standings/{change}"
    return kept


@router.get("/v1/accounts/{account}/standings/{change}", dependencies=[READERS])
async def get_account_status_change(
    request: Request, account: fields.AccountText, change: uuid.UUID
) -> StatusChange:
    """The state of a change: pending, completed, or declined with its code."""
    database = resources(request).database
    async with database.read() as tx:
        return await usecases.get_change(tx, account, str(change))


@router.get("/v1/accounts/{account}/standings", dependencies=[READERS])
async def list_account_status_changes(
    request: Request, account: fields.AccountText, before: Before = 2**31 - 1, limit: Limit = 50
) -> AccountStatusPage:
    """Whether an account is stopped, and who changed that, when and why."""
    database = resources(request).database
    async with database.read() as tx:
        status = await usecases.get_status(tx, account)
        items = await usecases.list_changes(tx, account, before=before, limit=limit)
    following = items[-1].version if len(items) == limit else None
    return AccountStatusPage(status, items, following)
