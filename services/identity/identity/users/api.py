"""HTTP door of users."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from identity import settings
from identity.users import usecases
from identity.users.domain import Standing, User, checked_grants, fold_login
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

router = APIRouter(tags=["users"])
FIRST: Final = uuid.UUID(int=0)
Login = Annotated[str, Field(min_length=1, max_length=settings.LOGIN_LENGTH_MAX)]
Grants = Annotated[
    list[Annotated[str, Field(max_length=64)]], Field(max_length=settings.GRANTS_MAX)
]


class UserBody(BaseModel):
    """login: a mobile number or an e-mail. grants: roles of the network, owner:5 and the like."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "login": "09123456789",
                    "name_fa": "مریم رضایی",
                    "name_en": "Maryam Rezaei",
                    "grants": ["partners", "support"],
                },
                {
                    "login": "ali@example.org",
                    "name_fa": "علی نانوا",
                    "name_en": "Ali Nanva",
                    "grants": ["owner:5"],
                },
            ]
        },
    )
    login: Login
    name_fa: fields.Title
    name_en: fields.Title
    grants: Grants = []


@dataclass(frozen=True, slots=True)
class UserView:
    """A user. standing: invited until a password is set, active, or stopped."""

    user: str
    login: str
    name_fa: str
    name_en: str
    grants: list[str]
    standing: Standing
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Users:
    """A page; next: send it as after; None on the last."""

    items: list[UserView]
    next: str | None


@router.put("/v1/users/{user}", dependencies=[auth.allow(Role.USERS)])
async def put_user(
    request: Request, response: Response, user: uuid.UUID, body: UserBody
) -> UserView:
    """Register a person under the caller's UUID: 201, and 200 when repeated.

    He can sign in once he has accepted an invitation. 409 login-taken where another has the login.
    """
    opened = resources(request)
    grants = checked_grants(body.grants)
    fresh = User(
        user=str(user),
        login=fold_login(body.login),
        name_fa=body.name_fa,
        name_en=body.name_en,
        grants=grants,
        first_grants=grants,
        created_at=opened.clock.now(),
    )
    async with audit_trail.writing(request, opened.database) as act:
        kept, created = await usecases.register_user(act.tx, fresh)
        act.tell({"user": kept.user, "grants": kept.grants, "standing": kept.standing})
    response.status_code = 201 if created else 200
    return _view(kept)


@router.get("/v1/users/{user}", dependencies=[auth.allow(Role.USERS, Role.AUDITOR)])
async def get_user(request: Request, user: uuid.UUID) -> UserView:
    """One user; that it was read is written to the trail."""
    async with audit_trail.reading(request, resources(request).database) as act:
        kept = await usecases.get_user(act.tx, str(user))
        act.tell({"user": kept.user})
    return _view(kept)


@router.get("/v1/users", dependencies=[auth.allow(Role.USERS, Role.AUDITOR)])
async def list_users(
    request: Request,
    after: uuid.UUID = FIRST,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
    login: Annotated[str | None, Query(max_length=settings.LOGIN_LENGTH_MAX)] = None,
) -> Users:
    """Users in the order of their ids, or the one of a login; the reading is in the trail."""
    folded = None if login is None else fold_login(login)
    async with audit_trail.reading(request, resources(request).database) as act:
        page = await usecases.list_users(act.tx, after=str(after), limit=limit, login=folded)
        act.tell({"users": [kept.user for kept in page]})
    return Users([_view(kept) for kept in page], page[-1].user if len(page) == limit else None)


def _view(user: User) -> UserView:
    return UserView(
        user=user.user,
        login=user.login,
        name_fa=user.name_fa,
        name_en=user.name_en,
        grants=list(user.grants),
        standing=user.standing,
        created_at=user.created_at,
    )
