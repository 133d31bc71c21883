"""HTTP door of sessions: signing in, one's own sessions, and everybody's for operators."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from identity import errors, settings
from identity.hashing import hashing_of
from identity.passwords.domain import LENGTH_MAX, normalised
from identity.second_factors.usecases import ring_of
from identity.sessions import domain, usecases
from identity.sessions.domain import Attempt, Session, SignInRefused
from identity.sessions.usecases import SignIn
from identity.users import usecases as users
from identity.users.domain import BadLogin, fold_login
from kit import audit_trail
from kit.base import auth, fields, ids
from kit.base.auth import Role
from kit.room import resources

router = APIRouter(tags=["sessions"])
internal = APIRouter(include_in_schema=False)
FIRST: Final = uuid.UUID(int=0)
USES_MAX: Final = 10_000
SessionId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]
Password = Annotated[str, Field(min_length=1, max_length=4 * LENGTH_MAX)]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Device = Annotated[fields.Prose, Field(max_length=settings.DEVICE_LENGTH_MAX)]


class SignInBody(BaseModel):
    """login: mobile or e-mail. code: of the authenticator, or a recovery code. device: a label."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"login": "09123456789", "password": "چهار کلمهٔ بی‌ربط", "device": "دفتر"},
                {"login": "ali@example.org", "password": "four words at random", "code": "123456"},
            ]
        },
    )
    login: Annotated[str, Field(min_length=1, max_length=settings.LOGIN_LENGTH_MAX)]
    password: Password
    code: Code | None = None
    device: Device = ""


class CodeBody(BaseModel):
    """code: the first one that the authenticator shows."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]})
    code: Code


class UsesBody(BaseModel):
    """Sessions that were used, 32 hex digits each."""

    model_config = ConfigDict(extra="forbid")
    sessions: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]], Field(max_length=USES_MAX)
    ]


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session, whose token is in this answer only. withheld: needs a second factor."""

    session: str
    token: str
    user: str
    roles: list[str]
    withheld: list[str]
    idle_ends_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session. used_at: of its last use, within a quarter of the idle time."""

    session: str
    user: str
    device: str
    address: str
    roles: list[str]
    withheld: list[str]
    opened_at: datetime
    used_at: datetime
    idle_ends_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    current: bool


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Open sessions; next: send it as after; None on the last page."""

    items: list[SessionView]
    next: str | None


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """How many sessions were ended."""

    ended: int


@dataclass(frozen=True, slots=True)
class MovedSessions:
    """How many sessions end later than before."""

    moved: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The factor counts now. recovery_codes: shown once; null where it was confirmed before."""

    factor: str
    recovery_codes: list[str] | None
    roles: list[str]


@router.post("/v1/sessions", status_code=201, dependencies=[auth.allow(auth.STRANGER)])
async def post_session(request: Request, body: SignInBody) -> OpenedSession:
    """Sign in. Known and unknown logins get the same answer, after the same work.

    401 sign-in-refused, code-needed; 429 too-many-attempts, with Retry-After.
    """
    opened = resources(request)
    address = auth.actor_of(request).address
    attempt = Attempt(_folded(body.login), address, opened.clock.now())
    password = normalised(body.password)
    async with opened.database.transaction() as tx:
        candidate = await usecases.begin_attempt(tx, attempt, opened.settings)
    if not await opened.shared(hashing_of).verify(candidate.hash, password):
        raise SignInRefused("login, password or code are not right; check them and try again")
    secret = ids.secret()
    signing = SignIn(attempt, ids.uuid7(attempt.at), secret, body.device, body.code)
    async with audit_trail.writing(request, opened.database) as act:
        session = await usecases.open_session(
            act.tx, candidate, signing, opened.shared(ring_of), opened.settings
        )
        roles = {"roles": session.roles, "withheld": session.withheld}
        act.tell({"user": session.user, "session": session.session, **roles})
    return OpenedSession(
        session=session.published().session,
        token=domain.token_of(session.session, secret),
        user=session.user,
        roles=list(session.roles),
        withheld=list(session.withheld),
        idle_ends_at=session.idle_ends_at,
        ends_at=session.ends_at,
    )


@router.get("/v1/sessions", dependencies=[auth.allow(auth.PERSON)])
async def list_own_sessions(
    request: Request, after: uuid.UUID = FIRST, limit: Limit = 50
) -> SessionPage:
    """The caller's own open sessions; `current` is the one that asks."""
    return await _list(request, auth.actor_of(request).subject, after, limit)


@router.get("/v1/users/{user}/sessions", dependencies=[auth.allow(Role.USERS, Role.AUDITOR)])
async def list_sessions_of_user(
    request: Request, user: uuid.UUID, after: uuid.UUID = FIRST, limit: Limit = 50
) -> SessionPage:
    """Open sessions of a user."""
    async with resources(request).database.read() as tx:
        await users.get_user(tx, str(user))
    return await _list(request, str(user), after, limit)


@router.delete("/v1/sessions/{session}", dependencies=[auth.allow(auth.PERSON, Role.USERS)])
async def delete_session(request: Request, session: SessionId) -> SessionView:
    """End one of one's own sessions, or with the role users anybody's; gateways know in a second.

    Repeated, the first end stands.
    """
    opened, actor = resources(request), auth.actor_of(request)
    of = None if Role.USERS in actor.roles else actor.subject
    async with audit_trail.writing(request, opened.database) as act:
        ended = await usecases.end_one(
            act.tx, usecases.plain_id(session), of=of, by=actor.subject, now=opened.clock.now()
        )
        act.tell({"user": ended.user, "session": ended.session, "ended_at": ended.ended_at})
    return _view(ended, actor.session)


@router.delete("/v1/sessions", dependencies=[auth.allow(auth.PERSON, Role.USERS)])
async def delete_other_sessions(request: Request) -> EndedSessions:
    """End all of one's own sessions but the one that asks."""
    opened, actor = resources(request), auth.actor_of(request)
    own = usecases.plain_id(actor.session)
    async with audit_trail.writing(request, opened.database) as act:
        count = await usecases.end_all(
            act.tx, actor.subject, but=own, by=actor.subject, now=opened.clock.now()
        )
        act.tell({"user": actor.subject, "ended": count})
    return EndedSessions(count)


@router.put("/v1/second-factors/{factor}/confirmation", dependencies=[auth.allow(auth.PERSON)])
async def put_confirmation(request: Request, factor: uuid.UUID, body: CodeBody) -> Confirmation:
    """Confirm a second factor by its first code; this session then has all rights of its user.

    His other sessions end. Recovery codes are in the first answer only.
    """
    opened, actor = resources(request), auth.actor_of(request)
    async with audit_trail.writing(request, opened.database) as act:
        raised, codes = await usecases.raise_session(
            act.tx,
            str(factor),
            usecases.plain_id(actor.session),
            opened.shared(ring_of),
            code=body.code,
            now=opened.clock.now(),
        )
        act.tell({"user": raised.user, "factor": factor, "roles": raised.roles})
    return Confirmation(str(factor), codes, list(raised.roles))


@internal.get("/internal/sessions/{session}", dependencies=[auth.allow(auth.SERVICE)])
async def find_session(request: Request, session: SessionId) -> Response:
    """The very body of session-changed.v1, for a gateway whose table lacks it."""
    async with resources(request).database.read() as tx:
        kept = await usecases.find_session(tx, usecases.plain_id(session))
    if kept is None:
        raise errors.Unknown(f"there is no session {session}")
    return Response(msgspec.json.encode(kept.published()), media_type="application/json")


@internal.post("/internal/sessions/uses", dependencies=[auth.allow(auth.SERVICE)])
async def post_uses(request: Request, body: UsesBody) -> MovedSessions:
    """Sessions that a gateway has seen used: their idle end moves on."""
    opened = resources(request)
    used = [usecases.plain_id(session) for session in body.sessions]
    async with opened.database.transaction() as tx:
        return MovedSessions(await usecases.note_uses(tx, used, opened.clock.now()))


async def _list(request: Request, user: str, after: uuid.UUID, limit: int) -> SessionPage:
    opened, current = resources(request), auth.actor_of(request).session
    async with opened.database.read() as tx:
        page = await usecases.list_open(
            tx, user, now=opened.clock.now(), after=str(after), limit=limit
        )
    items = [_view(session, current) for session in page]
    return SessionPage(items, page[-1].session if len(page) == limit else None)


def _folded(login: str) -> str:
    """A login as it is looked up; what is none is nobody's, and answered so."""
    try:
        return fold_login(login)
    except BadLogin:
        return login


def _view(session: Session, current: str) -> SessionView:
    name = session.published().session
    return SessionView(
        session=name,
        user=session.user,
        device=session.device,
        address=session.address,
        roles=list(session.roles),
        withheld=list(session.withheld),
        opened_at=session.opened_at,
        used_at=session.used_at,
        idle_ends_at=session.idle_ends_at,
        ends_at=session.ends_at,
        ended_at=session.ended_at,
        current=name == current,
    )
