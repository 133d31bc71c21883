"""HTTP door: messages for operators, receipts from the provider."""

import hmac
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, FastAPI, Query, Request, Response

from contracts.keys import Ring
from kit import audit, auth, doors, errors, web
from kit.auth import Role
from kit.db import Database
from notify import clients, settings
from notify.usecases import messages
from notify.usecases.messages import View
from notify.usecases.receipts import Desk

VERSION: Final = "0.1.0"
router = APIRouter(tags=["messages"])
internal = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes need. ring: opens contacts; secret: in the address the provider calls."""

    database: Database
    desk: Desk
    ring: Ring
    secret: str = field(repr=False)


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
    door: Door = request.app.state.door
    async with audit.reading(request, door.database) as act:
        found = await messages.count_messages(act.tx) if counts else None
        items = await messages.list_messages(  # last: it holds up whoever writes messages
            act.tx, member=member, after=after, limit=limit, ring=door.ring
        )
        act.tell({"members": sorted({item.member for item in items})})
    return Messages(items, items[-1].id if len(items) == limit else None, found)


@internal.post("/internal/receipts/{secret}")
async def post_receipt(request: Request, secret: str) -> Response:
    """A delivery report as a form; 200 once it is written down, else the provider comes again."""
    body = (await request.body()).decode("utf-8", errors="replace")
    return await _receive(request, secret, dict(parse_qsl(body)) or dict(request.query_params))


@internal.get("/internal/receipts/{secret}")
async def get_receipt(request: Request, secret: str) -> Response:
    """The same in the query."""
    return await _receive(request, secret, dict(request.query_params))


async def _receive(request: Request, secret: str, form: dict[str, str]) -> Response:
    door: Door = request.app.state.door
    if not hmac.compare_digest(secret.encode(), door.secret.encode()):
        raise errors.NotFound()
    report = clients.parse_receipt(form)
    if report is None:
        raise errors.Invalid("send messageid and status as numbers")
    if not await door.desk.record(report):
        raise errors.NotFound("no message has that id yet; call again")
    return Response(status_code=200)


def app(door: Door, *, actor_secret: str) -> FastAPI:
    """The application of the notify room."""
    made = web.app(
        "Peyvand notify",
        VERSION,
        routes=(router, internal, audit.router("notify", door.database)),
        # the provider's reports are open: their address holds a secret
        signed=auth.Signing("notify", actor_secret, open_paths=("/internal/receipts/",)),
    )
    made.state.door = door
    return made
