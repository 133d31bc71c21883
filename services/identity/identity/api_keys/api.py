"""HTTP door of API keys."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, Strict

from identity import settings
from identity.api_keys import domain, usecases
from identity.api_keys.domain import ApiKey
from kit import audit_trail
from kit.base import auth, fields, ids
from kit.base.auth import Role
from kit.room import resources

router = APIRouter(tags=["API keys"])
internal = APIRouter(include_in_schema=False)
FIRST: Final = uuid.UUID(int=0)
USES_MAX: Final = 10_000
_HEX: Final = r"^[0-9a-f]{32}$"


class ApiKeyBody(BaseModel):
    """name: of the program. roles: of the network, merchant:5, enrol:5. ends_at: within a year."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "shop-sync",
                    "roles": ["merchant:5", "enrol:12"],
                    "ends_at": "2027-03-21T00:00:00+03:30",
                }
            ]
        },
    )
    name: Annotated[str, Field(min_length=1, max_length=64)]
    roles: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(min_length=1, max_length=settings.GRANTS_MAX),
    ]
    ends_at: fields.Moment


class SuccessorBody(BaseModel):
    """ends_at: of the new key. overlap_s: how long the one before stays good, in seconds."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"ends_at": "2027-03-21T00:00:00+03:30", "overlap_s": 86_400}]
        },
    )
    ends_at: fields.Moment
    overlap_s: Annotated[int, Strict(), Field(ge=0, le=settings.API_KEY_OVERLAP_MAX_S)] = 0


class KeyUsesBody(BaseModel):
    """Keys that were used, 32 hex digits each."""

    model_config = ConfigDict(extra="forbid")
    keys: Annotated[list[Annotated[str, Field(pattern=_HEX)]], Field(max_length=USES_MAX)]


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """A key as everyone may see it. used_at: of its last use, within an hour."""

    key: str
    name: str
    roles: list[str]
    issued_by: str
    issued_at: datetime
    ends_at: datetime
    successor: str | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedApiKey:
    """A key. text: the whole of it, in the first answer only."""

    key: str
    name: str
    roles: list[str]
    ends_at: datetime
    text: str | None


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """A page; next: send it as after; None on the last."""

    items: list[ApiKeyView]
    next: str | None


@dataclass(frozen=True, slots=True)
class NotedUses:
    """How many keys were reported."""

    keys: int


@router.put("/v1/api-keys/{key}", dependencies=[auth.allow(Role.USERS)])
async def put_api_key(
    request: Request, response: Response, key: uuid.UUID, body: ApiKeyBody
) -> IssuedApiKey:
    """Issue a key under the caller's UUID: 201; 200 without its text when repeated."""
    secret = ids.secret()
    name, roles = domain.checked_name(body.name), domain.checked_roles(body.roles)
    fresh = replace(_fresh(request, key, secret, body.ends_at), name=name, roles=roles)

    async def issue(act: audit_trail.Act) -> tuple[ApiKey, bool]:
        kept, created = await usecases.issue(act.tx, fresh)
        act.tell(_view(kept))
        return kept, created

    kept, created = await audit_trail.written(request, resources(request).database, issue)
    response.status_code = 201 if created else 200
    response.headers["cache-control"] = "no-store"
    return _issued(kept, secret if created else None)


@router.put("/v1/api-keys/{key}/successors/{successor}", dependencies=[auth.allow(Role.USERS)])
async def put_successor(
    request: Request,
    response: Response,
    key: uuid.UUID,
    successor: uuid.UUID,
    body: SuccessorBody,
) -> IssuedApiKey:
    """Issue another key of the same program and rights: 201; 200 without its text when repeated.

    The one before ends now, or `overlap_s` seconds later.
    """
    secret = ids.secret()
    fresh = _fresh(request, successor, secret, body.ends_at)

    async def succeed(act: audit_trail.Act) -> tuple[ApiKey, bool]:
        before = await usecases.get_key(act.tx, str(key))
        kept, created = await usecases.succeed(act.tx, str(key), fresh, overlap_s=body.overlap_s)
        act.tell(_view(kept), before=_view(before))
        return kept, created

    kept, created = await audit_trail.written(request, resources(request).database, succeed)
    response.status_code = 201 if created else 200
    response.headers["cache-control"] = "no-store"
    return _issued(kept, secret if created else None)


@router.get("/v1/api-keys/{key}", dependencies=[auth.allow(Role.USERS, Role.AUDITOR)])
async def get_api_key(request: Request, key: uuid.UUID) -> ApiKeyView:
    """One key, its secret never."""
    async with resources(request).database.read() as tx:
        return _view(await usecases.get_key(tx, str(key)))


@router.get("/v1/api-keys", dependencies=[auth.allow(Role.USERS, Role.AUDITOR)])
async def list_api_keys(
    request: Request,
    after: uuid.UUID = FIRST,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> ApiKeys:
    """Keys in the order of their ids, ended ones too."""
    async with resources(request).database.read() as tx:
        page = await usecases.list_keys(tx, after=str(after), limit=limit)
    return ApiKeys([_view(key) for key in page], page[-1].key if len(page) == limit else None)


@router.delete("/v1/api-keys/{key}", dependencies=[auth.allow(Role.USERS)])
async def delete_api_key(request: Request, key: uuid.UUID) -> ApiKeyView:
    """End a key; gateways know within a second. Repeated, the first end stands."""
    opened = resources(request)
    async with audit_trail.writing(request, opened.database) as act:
        before = await usecases.get_key(act.tx, str(key))
        ended = await usecases.end(act.tx, str(key), opened.clock.now())
        act.tell(_view(ended), before=_view(before))
    return _view(ended)


@internal.get("/internal/api-keys/{key}", dependencies=[auth.allow(auth.SERVICE)])
async def find_api_key(request: Request, key: uuid.UUID) -> Response:
    """The very body of api-key-changed.v1, for a gateway whose table lacks it."""
    async with resources(request).database.read() as tx:
        kept = await usecases.get_key(tx, str(key))
    return Response(msgspec.json.encode(kept.published()), media_type="application/json")


@internal.post("/internal/api-keys/uses", dependencies=[auth.allow(auth.SERVICE)])
async def post_key_uses(request: Request, body: KeyUsesBody) -> NotedUses:
    """Keys that a gateway has seen used."""
    opened = resources(request)
    used = [str(uuid.UUID(hex=key)) for key in body.keys]
    async with opened.database.transaction() as tx:
        await usecases.note_uses(tx, used, opened.clock.now())
    return NotedUses(len(used))


def _fresh(request: Request, key: uuid.UUID, secret: str, ends_at: datetime) -> ApiKey:
    """A key to be issued, without its name and roles."""
    return ApiKey(
        key=str(key),
        name="",
        roles=(),
        version=1,
        sha256=domain.digest(secret),
        issued_by=auth.actor_of(request).subject,
        issued_at=resources(request).clock.now(),
        ends_at=ends_at,
        first_ends_at=ends_at,
    )


def _issued(key: ApiKey, secret: str | None) -> IssuedApiKey:
    text = None if secret is None else domain.key_text(key.key, secret)
    return IssuedApiKey(key.key, key.name, list(key.roles), key.first_ends_at, text)


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        key=key.key,
        name=key.name,
        roles=list(key.roles),
        issued_by=key.issued_by,
        issued_at=key.issued_at,
        ends_at=key.ends_at,
        successor=key.successor,
        used_at=key.used_at,
    )
