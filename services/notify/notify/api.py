"""HTTP door: messages for operators, receipts from the provider."""

import hmac
import logging
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response

from contracts import keys
from contracts.keys import Ring
from kit import audit, auth, doors, errors
from kit.auth import Role
from kit.db import Database
from kit.room import Resources, resources
from notify import clients, settings
from notify.domain import contacts
from notify.usecases import messages
from notify.usecases.messages import View
from notify.usecases.receipts import Desk

log = logging.getLogger(__name__)
RECEIPTS_PATH: Final = "/internal/receipts/"  # open: the address holds a secret
router = APIRouter(tags=["messages"])
internal = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes need. ring: opens contacts; secret: in the address the provider calls."""

    database: Database
    desk: Desk
    ring: Ring
    secret: str = field(repr=False)


def door_of(opened: Resources) -> Door:
    """What this process's routes need; `opened.one(door_of)` makes it once."""
    given: settings.Settings = opened.settings
    ring = contacts.ring_of(given.contact_keys)
    log.info("keys that open contacts: %s", keys.names(ring))
    return Door(opened.database, Desk(opened.database), ring, given.callback_secret)


@dataclass(frozen=True, slots=True)
class Messages:
    """A piece of the list. next: the `after` of the next piece, None at the end."""

    items: list[View]
    next: int | None
    counts: dict[str, int] | None = None


@router.get("/v1/messages", dependencies=[auth.allow(Role.SUPPORT)])
async def list_messages(
    request: Request,
    member: doors.AccountText | None = None,
    after: doors.AfterWhole = 0,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
    counts: bool = False,
) -> Messages:
    """Messages in order of id, of one member where given; counts: by state, over all."""
    door = resources(request).one(door_of)
    async with audit.reading(request, door.database) as act:
        found = await messages.count_messages(act.tx) if counts else None
        items = await messages.list_messages(  # last: it holds up whoever writes messages
            act.tx, member=member, after=after, limit=limit, ring=door.ring
        )
        act.tell({"members": sorted({item.member for item in items})})
    return Messages(items, items[-1].id if len(items) == limit else None, found)


@internal.post(RECEIPTS_PATH + "{secret}")
async def post_receipt(request: Request, secret: str) -> Response:
    """A delivery report as a form; 200 once it is written down, else the provider comes again."""
    body = (await request.body()).decode("utf-8", errors="replace")
    return await _receive(request, secret, dict(parse_qsl(body)) or dict(request.query_params))


@internal.get(RECEIPTS_PATH + "{secret}")
async def get_receipt(request: Request, secret: str) -> Response:
    """The same in the query."""
    return await _receive(request, secret, dict(request.query_params))


async def _receive(request: Request, secret: str, form: dict[str, str]) -> Response:
    door = resources(request).one(door_of)
    if not hmac.compare_digest(secret.encode(), door.secret.encode()):
        raise errors.NotFound()
    report = clients.parse_receipt(form)
    if report is None:
        raise errors.Invalid("send messageid and status as numbers")
    if not await door.desk.record(report):
        raise errors.NotFound("no message has that id yet; call again")
    return Response(status_code=200)
