"""HTTP door of invitations: issued by operators, accepted by whoever has the token."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from identity.hashing import hashing_of
from identity.invitations import domain, usecases
from identity.invitations.domain import Invitation, InvitationUnknown
from identity.passwords.domain import LENGTH_MAX, checked
from identity.sessions.domain import Attempt
from identity.settings import Settings
from kit import audit_trail
from kit.base import auth, ids
from kit.base.auth import Role
from kit.room import resources

router = APIRouter(tags=["invitations"])


class AcceptanceBody(BaseModel):
    """token: of the invitation. password: 12 to 128 characters of any script."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"token": "pvi_" + "x" * 43, "password": "چهار کلمهٔ بی‌ربط"}]
        },
    )
    token: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=4 * LENGTH_MAX)]


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """An invitation. token: for its user alone, in the first answer only."""

    invitation: str
    user: str
    ends_at: datetime
    token: str | None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The user who may sign in now, and the login to do it with."""

    user: str
    login: str


@router.put("/v1/users/{user}/invitations/{invitation}", dependencies=[auth.allow(Role.USERS)])
async def put_invitation(
    request: Request, response: Response, user: uuid.UUID, invitation: uuid.UUID
) -> IssuedInvitation:
    """Issue an invitation under the caller's UUID: 201; 200 without its token when repeated.

    One before it ends. For a user who has a password it is the way to a new one: accepting it
    ends his sessions and his second factor.
    """
    opened = resources(request)
    settings: Settings = opened.settings
    now, token = opened.clock.now(), domain.token_of(ids.secret())
    fresh = Invitation(
        invitation=str(invitation),
        user=str(user),
        sha256=domain.digest(token),
        issued_by=auth.actor_of(request).subject,
        issued_at=now,
        ends_at=now + timedelta(seconds=settings.invitation_s),
    )

    async def issue(act: audit_trail.Act) -> tuple[Invitation, bool]:
        kept, created = await usecases.issue(act.tx, fresh)
        act.tell({"user": kept.user, "invitation": kept.invitation, "ends_at": kept.ends_at})
        return kept, created

    kept, created = await audit_trail.written(request, opened.database, issue)
    response.status_code = 201 if created else 200
    response.headers["cache-control"] = "no-store"
    return IssuedInvitation(kept.invitation, kept.user, kept.ends_at, token if created else None)


@router.post("/v1/invitations/accept", dependencies=[auth.allow(auth.STRANGER)])
async def post_acceptance(request: Request, body: AcceptanceBody) -> Acceptance:
    """Set a password with an invitation's token. The same again, with the same password, is 200.

    403 invitation-unknown; 422 weak-password.
    """
    opened, now = resources(request), resources(request).clock.now()
    hashing = opened.shared(hashing_of)
    async with opened.database.read() as tx:
        invitation, user, accepted = await usecases.find_invited(tx, body.token, now)
    password = checked(body.password, user.login)
    if invitation.accepted_at is not None:  # perhaps the same request again
        attempt = Attempt(user.login, auth.actor_of(request).address, now)
        async with opened.database.transaction() as tx:
            await usecases.begin_again(tx, attempt, opened.settings)
        if not await hashing.verify(accepted, password):
            raise InvitationUnknown("no such invitation, or it is used up; ask for a new one")
        async with opened.database.transaction() as tx:
            await usecases.end_again(tx, attempt)
        return Acceptance(user.user, user.login)
    hashed = await hashing.hash(password)
    async with audit_trail.writing(request, opened.database) as act:
        await usecases.accept(act.tx, invitation, hashed, now)
        act.tell({"user": user.user, "invitation": invitation.invitation})
    return Acceptance(user.user, user.login)
