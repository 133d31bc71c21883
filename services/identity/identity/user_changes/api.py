"""HTTP door of changes of users."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from identity import settings
from identity.user_changes import usecases
from identity.user_changes.domain import Kind, UserChange, UserStanding
from identity.users.domain import checked_grants
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

router = APIRouter(tags=["user changes"])
Grants = Annotated[
    list[Annotated[str, Field(max_length=64)]], Field(max_length=settings.GRANTS_MAX)
]


class UserStandingBody(BaseModel):
    """`stopped`: his sessions end within a second, and he opens no other. reason: for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"standing": "stopped", "reason": "از شرکت رفت"}]},
    )
    standing: UserStanding
    reason: fields.Title


class GrantsBody(BaseModel):
    """grants: all that the user may do from his next session on. reason: why, for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"grants": ["reviewer"], "reason": "به بازبینی رفت"}]},
    )
    grants: Grants
    reason: fields.Title


@dataclass(frozen=True, slots=True)
class UserChanges:
    """A page of changes, newest first; next: send it as before."""

    items: list[UserChange]
    next: int | None


@router.put("/v1/users/{user}/standings/{change}", dependencies=[auth.allow(Role.USERS)])
async def put_standing(
    request: Request,
    response: Response,
    user: uuid.UUID,
    change: uuid.UUID,
    body: UserStandingBody,
) -> UserChange:
    """Stop a user, or open him again: 201; 200 repeated. His sessions end."""
    return await _put(request, response, (user, change), body)


@router.put("/v1/users/{user}/grants/{change}", dependencies=[auth.allow(Role.USERS)])
async def put_grants(
    request: Request, response: Response, user: uuid.UUID, change: uuid.UUID, body: GrantsBody
) -> UserChange:
    """Change what a user may do: 201; 200 repeated. His sessions end; he signs in again."""
    return await _put(request, response, (user, change), body)


@router.get("/v1/users/{user}/changes", dependencies=[auth.allow(Role.USERS, Role.AUDITOR)])
async def list_user_changes(
    request: Request,
    user: uuid.UUID,
    before: fields.NumberText = 2**31 - 1,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> UserChanges:
    """Who stopped or opened a user, or changed his grants, when and why; newest first."""
    async with resources(request).database.read() as tx:
        items = await usecases.list_changes(tx, str(user), before=before, limit=limit)
    return UserChanges(items, items[-1].version if len(items) == limit else None)


async def _put(
    request: Request,
    response: Response,
    named: tuple[uuid.UUID, uuid.UUID],
    body: UserStandingBody | GrantsBody,
) -> UserChange:
    """named: the user, and the change."""
    opened = resources(request)
    of_standing = isinstance(body, UserStandingBody)
    fresh = UserChange(
        change=str(named[1]),
        user=str(named[0]),
        version=0,
        kind=Kind.STANDING if of_standing else Kind.GRANTS,
        standing=body.standing if of_standing else UserStanding.OPEN,
        grants=() if of_standing else checked_grants(body.grants),
        reason=body.reason,
        changed_by=auth.actor_of(request).subject,
        changed_at=opened.clock.now(),
    )

    async def change(act: audit_trail.Act) -> tuple[UserChange, bool]:
        before = await usecases.list_changes(act.tx, fresh.user, before=2**31 - 1, limit=1)
        kept, created = await usecases.change_user(act.tx, fresh)
        act.tell(kept, before=before[0] if before else None)
        return kept, created

    kept, created = await audit_trail.written(request, opened.database, change)
    response.status_code = 201 if created else 200
    return kept
