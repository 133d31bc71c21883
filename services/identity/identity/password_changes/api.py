"""HTTP door of changes of one's own password."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from identity.hashing import hashing_of
from identity.password_changes import usecases
from identity.password_changes.domain import PasswordRefused
from identity.passwords.domain import LENGTH_MAX, checked, normalised
from identity.sessions.domain import Attempt
from identity.sessions.usecases import plain_id
from kit import audit_trail
from kit.base import auth
from kit.room import resources

router = APIRouter(tags=["passwords"])
Password = Annotated[str, Field(min_length=1, max_length=4 * LENGTH_MAX)]


class PasswordBody(BaseModel):
    """current: the present password. password: the new one, 12 to 128 characters."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"current": "چهار کلمهٔ بی‌ربط", "password": "پنج کلمهٔ بی‌ربط دیگر"}]
        },
    )
    current: Password
    password: Password


@dataclass(frozen=True, slots=True)
class PasswordView:
    """Whose password is the new one now."""

    user: str


@router.put("/v1/password", dependencies=[auth.allow(auth.PERSON)])
async def put_password(request: Request, body: PasswordBody) -> PasswordView:
    """Change one's own password; one's other sessions end. The same again changes nothing.

    403 password-refused, 422 weak-password, 429 too-many-attempts.
    """
    opened, actor = resources(request), auth.actor_of(request)
    now, hashing = opened.clock.now(), opened.shared(hashing_of)
    session = plain_id(actor.session)
    async with opened.database.transaction() as tx:
        candidate = await usecases.begin_change(
            tx, actor.subject, address=actor.address, now=now, config=opened.settings
        )
    if candidate.user is None:
        raise PasswordRefused("the present password is not right; write it again")
    attempt = Attempt(candidate.user.login, actor.address, now)
    password = checked(body.password, candidate.user.login)
    if not await hashing.verify(candidate.hash, normalised(body.current)):
        if not await hashing.verify(candidate.hash, password):
            raise PasswordRefused("the present password is not right; write it again")
        async with opened.database.transaction() as tx:  # the same request came before
            await usecases.forget_failures(tx, attempt)
        return PasswordView(actor.subject)
    hashed = await hashing.hash(password)
    async with audit_trail.writing(request, opened.database) as act:
        await usecases.change_password(act.tx, attempt, candidate, hashed, session=session)
        act.tell({"user": actor.subject, "password": "changed"})
    return PasswordView(actor.subject)
