"""HTTP door of the queue: messages for operators."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from notify import settings
from notify.contacts import usecases as contacts
from notify.sms_queue import usecases
from notify.sms_queue.usecases import MessageView

router = APIRouter(tags=["messages"])


@dataclass(frozen=True, slots=True)
class Messages:
    """A page of messages. next: the `after` of the next page, None at the end."""

    items: list[MessageView]
    next: int | None
    counts: dict[str, int] | None = None


@router.get("/v1/messages", dependencies=[auth.allow(Role.SUPPORT)])
async def list_messages(
    request: Request,
    member: fields.AccountText | None = None,
    after: fields.AfterWhole = 0,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
    counts: bool = False,
) -> Messages:
    """Messages in order of id, of one member where given; counts: by state, over all."""
    opened = resources(request)
    ring = opened.shared(contacts.key_ring)
    async with audit_trail.reading(request, opened.database) as act:
        by_state = await usecases.count_messages(act.tx) if counts else None
        items = await usecases.list_messages(  # last: it holds up whoever writes messages
            act.tx, member=member, after=after, limit=limit, ring=ring
        )
        act.tell({"members": sorted({item.member for item in items})})
    return Messages(items, items[-1].id if len(items) == limit else None, by_state)
