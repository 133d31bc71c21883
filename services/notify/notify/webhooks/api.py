"""HTTP door of deliveries: what came, what did not, a test, and sending again."""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, model_validator

from kit import audit_trail
from kit.base import auth, clock, fields
from kit.base.auth import Role
from kit.room import resources
from notify import settings
from notify.webhook_endpoints import usecases as endpoints
from notify.webhooks import usecases
from notify.webhooks.domain import DeliveryState, read_key
from notify.webhooks.usecases import DeliveryView

router = APIRouter(tags=["webhooks"])
_PATH = "/v1/merchants/{merchant}/webhook-endpoints/{endpoint}"


class ReplayBody(BaseModel):
    """message: one event, by its webhook-id. Or since and until: all decided in between."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"since": "2026-03-21T00:00:00+03:30", "until": "2026-03-22T00:00:00+03:30"}
            ]
        },
    )
    message: uuid.UUID | None = None
    since: fields.Moment | None = None
    until: fields.Moment | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "ReplayBody":
        period = self.since is not None and self.until is not None
        neither = self.since is None and self.until is None
        if (self.message is None) == neither or period == (self.message is not None):
            raise ValueError("name a message, or a period by since and until")
        return self


@dataclass(frozen=True, slots=True)
class Deliveries:
    """A page of deliveries. next: the `after` of the next page, None at the end."""

    items: list[DeliveryView]
    next: int | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many events are sent again."""

    events: int


@router.get(
    _PATH + "/deliveries",
    dependencies=[auth.allow(Role.PARTNERS, Role.SUPPORT, Role.AUDITOR, own=True)],
)
async def list_deliveries(
    request: Request,
    merchant: fields.NumberText,
    endpoint: uuid.UUID,
    state: DeliveryState | None = None,
    after: fields.AfterWhole = 0,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> Deliveries:
    """Deliveries of an endpoint in the order in which they were queued, of one state or all."""
    async with resources(request).database.read() as tx:
        kept = await endpoints.get_endpoint(tx, merchant, endpoint)
        items = await usecases.list_deliveries(tx, kept, state=state, after=after, limit=limit)
    return Deliveries(items, items[-1].id if len(items) == limit else None)


@router.put(_PATH + "/tests/{test}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_test(
    request: Request, merchant: fields.NumberText, endpoint: uuid.UUID, test: uuid.UUID
) -> DeliveryView:
    """Send an `endpoint.test` event under the caller's UUID; the same again shows how it went."""
    async with audit_trail.writing(request, resources(request).database) as act:
        kept = await endpoints.lock_endpoint(act.tx, merchant, endpoint)
        delivery = await usecases.send_test(act.tx, kept, str(test), clock.wall())
        act.tell({"test": str(test)})
    return delivery


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The caller's name of this request: the same again within 24 h is answered the"
        " same, and sends nothing (draft-ietf-httpapi-idempotency-key-header-07)",
        examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    ),
]


@router.post(_PATH + "/replays", dependencies=[auth.allow(Role.PARTNERS)])
async def post_replay(
    request: Request,
    merchant: fields.NumberText,
    endpoint: uuid.UUID,
    body: ReplayBody,
    idempotency_key: IdempotencyKey = None,
) -> Replayed:
    """Send events again under their old webhook-ids; what is on its way is not sent twice.

    With an Idempotency-Key: 422 idempotency-key-reused where it named another request, 409
    request-under-way while the first is carried out. Without one, the same again sends again what
    was delivered meanwhile.
    """
    key = None if idempotency_key is None else read_key(idempotency_key)
    asked = body.model_dump_json(exclude_none=True)
    now = clock.wall()
    async with audit_trail.writing(request, resources(request).database) as act:
        if key is not None:
            await usecases.refuse_concurrent(act.tx, endpoint, key)
        kept = await endpoints.lock_endpoint(act.tx, merchant, endpoint)

        async def replay() -> int:
            if body.since is not None and body.until is not None:
                return await usecases.replay_period(
                    act.tx, kept, since=body.since, until=body.until, now=now
                )
            return await usecases.replay_message(act.tx, kept, str(body.message), now)

        if key is None:
            events = await replay()
        else:
            name = (key, hashlib.sha256(asked.encode()).digest())
            events = await usecases.replay_once(act.tx, kept, name, replay, now)
        act.tell({"events": events, **body.model_dump(mode="json", exclude_none=True)})
    return Replayed(events)
