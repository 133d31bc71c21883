"""HTTP door of endpoints, under their merchant's address."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, Strict

from kit import audit_trail
from kit.base import auth, clock, fields
from kit.base.auth import Role
from kit.room import resources
from notify import settings
from notify.webhook_endpoints import domain, usecases
from notify.webhook_endpoints.domain import Endpoint, EventType

router = APIRouter(tags=["webhooks"])
_PATH = "/v1/merchants/{merchant}/webhook-endpoints"
_READERS = auth.allow(Role.PARTNERS, Role.SUPPORT, Role.AUDITOR, own=True)


class EndpointBody(BaseModel):
    """url: https, a public name. events: at least one type. enabled: false stops sending."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "url": "https://shop.example/peyvand",
                    "events": ["transaction.completed", "transaction.declined"],
                    "enabled": True,
                }
            ]
        },
    )
    url: Annotated[str, Field(min_length=1, max_length=domain.URL_LENGTH_MAX)]
    events: Annotated[list[EventType], Field(min_length=1, max_length=len(EventType))]
    enabled: fields.Flag = True


class SecretBody(BaseModel):
    """overlap_s: how long the secrets before sign along, in seconds."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"overlap_s": 86_400}]}
    )
    overlap_s: Annotated[int, Strict(), Field(ge=0, le=settings.SECRET_OVERLAP_MAX_S)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An endpoint. disabled_reason: gone or unanswered where the platform stopped sending.

    secret: `whsec_…`, in the answer that made it and never again.
    """

    endpoint: str
    merchant: int
    url: str
    events: list[EventType]
    enabled: bool
    disabled_reason: str
    created_at: datetime
    changed_at: datetime
    delivered_at: datetime | None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All endpoints of a merchant."""

    items: list[EndpointView]


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A secret. text: `whsec_…`, in the first answer only."""

    secret: str
    endpoint: str
    text: str | None


@router.put(_PATH + "/{endpoint}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_endpoint(
    request: Request,
    response: Response,
    merchant: fields.NumberText,
    endpoint: uuid.UUID,
    body: EndpointBody,
) -> EndpointView:
    """Make an endpoint under the caller's UUID: 201 with its secret; 200 when it is changed.

    Enabled again, it takes what waited, in order of time.
    """
    opened = resources(request)
    config: settings.Settings = opened.settings
    now = clock.wall()  # deliveries are of the world outside, whatever the platform's clock
    kept_as = Endpoint(
        endpoint=str(endpoint),
        merchant=merchant,
        url=domain.checked_url(body.url, local=config.webhook_local),
        events=tuple(dict.fromkeys(body.events)),
        enabled=body.enabled,
        created_at=now,
        changed_at=now,
    )
    ring = opened.shared(usecases.secret_ring)

    async def keep(act: audit_trail.Act) -> tuple[Endpoint, bool, str]:
        kept, before, secret = await usecases.keep(act.tx, kept_as, ring)
        act.tell(_view(kept), before=None if before is None else _view(before))
        return kept, before is None, secret

    kept, created, secret = await audit_trail.written(request, opened.database, keep)
    response.status_code = 201 if created else 200
    return _view(kept, secret or None)


@router.put(_PATH + "/{endpoint}/secrets/{secret}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_secret(
    request: Request,
    response: Response,
    merchant: fields.NumberText,
    endpoint: uuid.UUID,
    secret: uuid.UUID,
    body: SecretBody,
) -> IssuedSecret:
    """Give an endpoint a new secret: 201; 200 without its text when repeated.

    Until `overlap_s` seconds have passed, each delivery is signed with the new and the old.
    """
    opened = resources(request)
    ring = opened.shared(usecases.secret_ring)

    async def rotate(act: audit_trail.Act) -> str:
        kept = await usecases.lock_endpoint(act.tx, merchant, endpoint)
        text = await usecases.rotate(
            act.tx,
            kept,
            str(secret),
            overlap_s=body.overlap_s,
            now=clock.wall(),
            ring=ring,
        )
        act.tell({"secret": str(secret), "overlap_s": body.overlap_s})
        return text

    text = await audit_trail.written(request, opened.database, rotate)
    response.status_code = 201 if text else 200
    return IssuedSecret(str(secret), str(endpoint), text or None)


@router.get(_PATH, dependencies=[_READERS])
async def list_endpoints(request: Request, merchant: fields.NumberText) -> Endpoints:
    """A merchant's endpoints in the order in which they were made; secrets never."""
    async with resources(request).database.read() as tx:
        kept = await usecases.list_endpoints(tx, merchant)
    return Endpoints([_view(endpoint) for endpoint in kept])


@router.get(_PATH + "/{endpoint}", dependencies=[_READERS])
async def get_endpoint(
    request: Request, merchant: fields.NumberText, endpoint: uuid.UUID
) -> EndpointView:
    """One endpoint, its secret never."""
    async with resources(request).database.read() as tx:
        return _view(await usecases.get_endpoint(tx, merchant, endpoint))


def _view(endpoint: Endpoint, secret: str | None = None) -> EndpointView:
    return EndpointView(
        endpoint=endpoint.endpoint,
        merchant=endpoint.merchant,
        url=endpoint.url,
        events=list(endpoint.events),
        enabled=endpoint.enabled,
        disabled_reason=endpoint.disabled_reason,
        created_at=endpoint.created_at,
        changed_at=endpoint.changed_at,
        delivered_at=endpoint.delivered_at,
        secret=secret,
    )
