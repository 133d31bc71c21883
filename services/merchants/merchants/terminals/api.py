"""HTTP door of terminals, activations and keys."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, Strict

from contracts.merchants import Terminal
from kit import audit_trail
from kit.base import auth, fields, ids
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.terminals import usecases
from merchants.terminals.domain import IssuedKey

KeyId = Annotated[str, Path(pattern=r"^[a-z0-9]{8}$")]

router = APIRouter(tags=["terminals"])
internal = APIRouter(include_in_schema=False)


class TerminalBody(BaseModel):
    """Where the terminal stands. online: it names the orders of the merchant's online shop."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"branch": 1}]},
    )
    branch: fields.Number
    online: fields.Flag = False


class ActivationBody(BaseModel):
    """overlap_s: how long, in seconds, the keys before this one stay in force; 0: they end now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"overlap_s": 600}]},
    )
    overlap_s: Annotated[int, Strict(), Field(ge=0, le=settings.KEYS_OVERLAP_MAX_S)] = 0


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as everyone may see it. It gives names of its epoch and of older ones.

    revoked_at: from then on it posts nothing; ahead while it overlaps with a newer one.
    """

    key_id: str
    epoch: int
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class TerminalView:
    """A terminal. epoch 0, not active: never activated. keys: in force, and the last ended."""

    terminal: int
    merchant: int
    party: int
    branch: int
    active: bool
    stopped: bool
    online: bool
    epoch: int
    version: int
    keys: list[KeyView]


@dataclass(frozen=True, slots=True)
class Terminals:
    """A page; next: send it as after; None on the last."""

    items: list[TerminalView]
    next: int | None


@dataclass(frozen=True, slots=True)
class Revoked:
    """A key that is good for nothing but, for a day, the status of its own names."""

    terminal: int
    key_id: str
    revoked_at: datetime | None


@router.put(
    "/v1/merchants/{merchant}/terminals/{terminal}", dependencies=[auth.allow(Role.TERMINALS)]
)
async def put_terminal(
    request: Request,
    response: Response,
    merchant: fields.NumberText,
    terminal: fields.NumberText,
    body: TerminalBody,
) -> TerminalView:
    """Register a terminal under the caller's number: 201, and 200 when repeated.

    409 online-terminal-exists where another one names the merchant's orders.
    """
    database = resources(request).database
    clock = resources(request).clock
    async with audit_trail.writing(request, database) as act:
        kept, created = await usecases.register_terminal(
            act.tx, merchant, terminal, branch=body.branch, online=body.online, now=clock.now()
        )
        act.tell(_view(kept))
    response.status_code = 201 if created else 200
    return _view(kept)


@router.get(
    "/v1/merchants/{merchant}/terminals/{terminal}",
    dependencies=[auth.allow(*auth.STAFF, own=True)],
)
async def get_terminal(
    request: Request, merchant: fields.NumberText, terminal: fields.NumberText
) -> TerminalView:
    """One terminal with its keys, secrets never."""
    database = resources(request).database
    async with database.read() as tx:
        return _view(await usecases.get_terminal_of(tx, merchant, terminal))


@router.get("/v1/merchants/{merchant}/terminals", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def list_terminals(
    request: Request,
    merchant: fields.NumberText,
    after: fields.AfterNumber = 0,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> Terminals:
    """Terminals of a merchant in number order."""
    database = resources(request).database
    async with database.read() as tx:
        page = await usecases.list_terminals(tx, merchant, after=after, limit=limit)
    return Terminals([_view(t) for t in page], page[-1].terminal if len(page) == limit else None)


@router.put(
    "/v1/terminals/{terminal}/activations/{activation}", dependencies=[auth.allow(Role.TERMINALS)]
)
async def put_activation(
    request: Request,
    response: Response,
    terminal: fields.NumberText,
    activation: uuid.UUID,
    body: ActivationBody | None = None,
) -> IssuedKey:
    """Issue the next epoch and a key, shown in this answer only: 201; 200 and null repeated.

    The keys before it end now, or `overlap_s` seconds later where the body asks for it.
    """
    database = resources(request).database
    clock = resources(request).clock
    overlap_s = 0 if body is None else body.overlap_s

    async def activate(act: audit_trail.Act) -> tuple[IssuedKey, bool]:
        before = _view(await usecases.get_terminal(act.tx, terminal))
        issued = await usecases.activate_terminal(
            act.tx,
            terminal,
            activation,
            secret=ids.secret(),
            now=clock.now(),
            overlap_s=overlap_s,
        )
        act.tell(_view(await usecases.get_terminal(act.tx, terminal)), before=before)
        return issued

    issued, created = await audit_trail.written(request, database, activate)
    response.status_code = 201 if created else 200
    return issued


@router.put("/v1/terminals/{terminal}/keys/{key_id}", dependencies=[auth.allow(Role.TERMINALS)])
async def put_key(
    request: Request, response: Response, terminal: fields.NumberText, key_id: KeyId
) -> IssuedKey:
    """Issue a further key, shown in this answer only: 201; 200 and null repeated."""
    database = resources(request).database
    clock = resources(request).clock
    async with audit_trail.writing(request, database) as act:
        before = _view(await usecases.get_terminal(act.tx, terminal))
        issued, created = await usecases.rotate_key(
            act.tx, terminal, key_id, secret=ids.secret(), now=clock.now()
        )
        act.tell(_view(await usecases.get_terminal(act.tx, terminal)), before=before)
    response.status_code = 201 if created else 200
    return issued


@router.delete("/v1/terminals/{terminal}/keys/{key_id}", dependencies=[auth.allow(Role.TERMINALS)])
async def delete_key(request: Request, terminal: fields.NumberText, key_id: KeyId) -> Revoked:
    """Revoke a key; repeated, the first time stands."""
    database = resources(request).database
    clock = resources(request).clock
    async with audit_trail.writing(request, database) as act:
        before = _view(await usecases.get_terminal(act.tx, terminal))
        key = await usecases.revoke_key(act.tx, terminal, key_id, now=clock.now())
        act.tell(_view(await usecases.get_terminal(act.tx, terminal)), before=before)
    return Revoked(terminal, key.key_id, key.revoked_at)


@internal.get("/internal/terminals/{terminal}", dependencies=[auth.allow(auth.SERVICE)])
async def find_terminal(request: Request, terminal: fields.NumberText) -> Response:
    """The very body of terminal-changed.v1, for a gateway whose table lacks it."""
    database = resources(request).database
    async with database.read() as tx:
        kept = await usecases.get_terminal(tx, terminal)
    return Response(msgspec.json.encode(kept), media_type="application/json")


def _view(terminal: Terminal) -> TerminalView:
    return TerminalView(
        terminal=terminal.terminal,
        merchant=terminal.merchant,
        party=terminal.party,
        branch=terminal.branch,
        active=terminal.active,
        stopped=terminal.stopped,
        online=terminal.online,
        epoch=terminal.epoch,
        version=terminal.version,
        keys=[KeyView(k.key_id, k.epoch, k.created_at, k.revoked_at) for k in terminal.keys],
    )
