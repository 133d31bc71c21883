"""The trail: who wrote what, in the very transaction; who read whose personal data (S12)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request

from kit.base import auth, telemetry
from kit.base.auth import Role
from kit.base.db import Database, Record, Tx
from kit.room import Part, Resources

PAGE_MAX: Final = 200
UNRECORDED: Final = object()
Result = TypeVar("Result")


@dataclass(slots=True)
class Act:
    """One transaction of a caller. Its writer must record the state it leaves, with `tell`."""

    tx: Tx
    before: Any = None
    after: Any = UNRECORDED

    def tell(self, after: Any, *, before: Any = None) -> None:
        """Record the state after the write and before it, or whose personal data was read.

        Values are JSON, dataclasses or structs. People appear by number or id: no personal data.
        """
        self.before, self.after = before, after


@asynccontextmanager
async def writing(request: Request, database: Database) -> AsyncGenerator[Act]:
    """A transaction of an administrative write; its row of the trail is written with it.

    Raises RuntimeError where the route names no role, or the writer never called `tell`.
    """
    async with _acting(request, database, "write") as act:
        yield act


@asynccontextmanager
async def reading(request: Request, database: Database) -> AsyncGenerator[Act]:
    """A transaction that reads personal data; who read whose is written with it."""
    async with _acting(request, database, "read") as act:
        yield act


async def written(
    request: Request, database: Database, write: Callable[[Act], Awaitable[Result]]
) -> Result:
    """As `writing`, for a creation that may lose a race and is tried again (create_once)."""
    actor = auth.actor_of(request)

    async def attempt(tx: Tx) -> Result:
        act = Act(tx)
        result = await write(act)
        await _keep(act, request, actor, "write")
        return result

    return await database.create_once(attempt)


@asynccontextmanager
async def _acting(request: Request, database: Database, kind: str) -> AsyncGenerator[Act]:
    actor = auth.actor_of(request)
    async with database.transaction() as tx:
        act = Act(tx)
        yield act
        await _keep(act, request, actor, kind)


async def _keep(act: Act, request: Request, actor: auth.Actor, kind: str) -> None:
    if act.after is UNRECORDED:
        raise RuntimeError(f"{request.url.path}: nobody told the trail what was done")
    await act.tx.execute(
        "insert into audit"
        " (subject, roles, act, route, target, body_sha256, before, after, trace, address,"
        " approved_by) values ($1, $2, $3, $4, $5::jsonb, $6, $7::jsonb, $8::jsonb, $9, $10, $11)",
        actor.subject, sorted(actor.roles), kind, f"{request.method} {request.scope['route'].path}",
        _json(dict(request.path_params)), auth.body_digest(request),
        _json(act.before), _json(act.after),
        (telemetry.read_traceparent(request.headers.get("traceparent")) or "")[3:35],
        actor.address, actor.approved_by,
    )  # fmt: skip


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value, enc_hook=_fields).decode()


def _fields(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be told to the trail")


class Entry(BaseModel):
    """One act. before, after: as recorded. hash: chains it to the act before; intact: it does."""

    id: int
    at: datetime
    subject: str
    roles: list[str]
    act: str
    route: str
    target: dict[str, Any]
    body_sha256: str
    before: Any
    after: Any
    trace: str
    address: str = ""
    approved_by: str = ""
    hash: str = ""
    intact: bool = True


class Trail(BaseModel):
    """Acts in their order; next: what to send as after, null at the end."""

    items: list[Entry]
    next: int | None


def router(room: str, database: Database) -> APIRouter:
    """The room's trail for auditors: GET /v1/audit/<room>."""
    routes = APIRouter(tags=["audit"])

    @routes.get(f"/v1/audit/{room}", dependencies=[auth.allow(Role.AUDITOR)])
    async def list_acts(  # pyright: ignore[reportUnusedFunction]
        after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        subject: Annotated[str | None, Query(max_length=200)] = None,
        broken: bool = False,
    ) -> Trail:
        """Who wrote what, and who read whose personal data; broken: acts that are not intact."""
        async with database.read() as tx:
            rows = await tx.fetch(
                "select id, at, subject, roles, act, route, target, body_sha256, before, after,"
                " trace, address, approved_by, encode(hash, 'hex') as hash,"
                " is_intact(audit) as intact from audit where id > $1"
                " and ($2::text is null or subject = $2) and not ($4 and is_intact(audit))"
                " order by id limit $3",
                after, subject, limit, broken,
            )  # fmt: skip
        items = [_entry(row) for row in rows]
        return Trail(items=items, next=items[-1].id if len(items) == limit else None)

    return routes


def _entry(row: Record) -> Entry:
    values = {k: row[k] and msgspec.json.decode(row[k]) for k in ("target", "before", "after")}
    return Entry.model_validate(dict(row) | values)


def part(opened: Resources) -> Part:
    """The trail of a service that writes: who did what, for auditors."""
    return Part(name="audit", routes=(router(opened.settings.room, opened.database),))
