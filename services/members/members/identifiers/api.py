"""HTTP door of identifiers: cards, blocks, bindings, and the gateway's misses."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from contracts.members import Identifier
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from members.enroller import enroller
from members.identifiers import domain, usecases
from members.identifiers.domain import Rebinding
from members.memberships import usecases as memberships
from members.people.domain import AccountBinding
from members.terms import enrolment_terms

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{76}$")]

router = APIRouter(tags=["identifiers"])
internal = APIRouter(include_in_schema=False)


class BindingBody(BaseModel):
    """Whom the identifier means from from_at on: 180 s from now at the earliest."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"account": 1000007, "member": 7, "from_at": "2030-03-21T09:00:00+03:30"}]
        },
    )
    account: fields.AccountNumber
    member: fields.AccountNumber
    from_at: fields.Moment


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card. number: in full only in the answer that issues it, masked ever after."""

    member: int
    account: int
    identifier_id: str
    number: str
    last4: str


@dataclass(frozen=True, slots=True)
class BindingView:
    """From from_at on it means this member; the first holds for all earlier times too."""

    from_at: datetime
    member: int
    account: int


@dataclass(frozen=True, slots=True)
class BoundView:
    """An identifier with all its bindings."""

    identifier_id: str
    kind: str
    last4: str
    version: int
    blocked_at: datetime | None
    bindings: list[BindingView]


@router.put("/v1/members/{member}/cards/{card}", dependencies=[auth.allow(Role.ENROL)])
async def put_card(
    request: Request, response: Response, member: fields.AccountText, card: uuid.UUID
) -> IssuedCard:
    """Issue a further card, its number shown in this answer only: 201; 200 and masked repeated."""
    database = resources(request).database
    clock = resources(request).clock
    terms = resources(request).shared(enrolment_terms)
    by = enroller(request)

    async def issue(act: audit_trail.Act) -> tuple[AccountBinding, usecases.IssuedIdentifier, bool]:
        added = await memberships.add_card(
            act.tx, member, card, by=by, terms=terms, now=clock.now()
        )
        act.tell(_audit_record(added[1].identifier))
        return added

    holder, issued, created = await audit_trail.written(request, database, issue)
    response.status_code = 201 if created else 200
    kept = issued.identifier
    number = issued.text or domain.masked(kept.last4)
    return IssuedCard(member, holder.account, kept.identifier_id, number, kept.last4)


@router.post("/v1/identifiers/{identifier_id}/block", dependencies=[auth.allow(Role.ENROL)])
async def post_block(request: Request, identifier_id: uuid.UUID) -> BoundView:
    """Block an identifier from now on; repeated, the first time stands."""
    database = resources(request).database
    clock = resources(request).clock
    async with audit_trail.writing(request, database) as act:
        before = await usecases.find_identifier(act.tx, identifier_id)
        blocked = await usecases.block_identifier(
            act.tx, identifier_id, by=enroller(request), now=clock.now()
        )
        act.tell(_audit_record(blocked), before=None if before is None else _audit_record(before))
    return _view(blocked)


@router.put(
    "/v1/identifiers/{identifier_id}/bindings/{binding}", dependencies=[auth.allow(Role.ENROL)]
)
async def put_binding(
    request: Request,
    response: Response,
    identifier_id: uuid.UUID,
    binding: uuid.UUID,
    body: BindingBody,
) -> BoundView:
    """Let an identifier mean another member from a time on: 201, and 200 when repeated."""
    database = resources(request).database
    clock = resources(request).clock
    rebinding = Rebinding(binding, body.member, body.account, body.from_at)
    by = enroller(request)

    async def rebind(act: audit_trail.Act) -> tuple[Identifier, bool]:
        before = await usecases.find_identifier(act.tx, identifier_id)
        changed = await usecases.rebind_identifier(
            act.tx, identifier_id, rebinding, by=by, now=clock.now()
        )
        act.tell(
            _audit_record(changed[0]), before=None if before is None else _audit_record(before)
        )
        return changed

    changed, created = await audit_trail.written(request, database, rebind)
    response.status_code = 201 if created else 200
    return _view(changed)


@internal.get("/internal/identifiers/{digest}", dependencies=[auth.allow(auth.SERVICE)])
async def find_identifier(request: Request, digest: Digest) -> Response:
    """The very body of identifier-changed.v1, for a gateway whose table lacks it."""
    database = resources(request).database
    async with database.read() as tx:
        identifier = await usecases.get_digest(tx, digest)
    return Response(msgspec.json.encode(identifier), media_type="application/json")


def _audit_record(identifier: Identifier) -> dict[str, Any]:
    """An identifier in the audit trail: its holder and whether it is blocked, no digit of it."""
    return {
        "identifier": identifier.identifier_id,
        "version": identifier.version,
        "blocked_at": identifier.blocked_at,
        "bindings": [BindingView(b.from_at, b.member, b.account) for b in identifier.bindings],
    }


def _view(identifier: Identifier) -> BoundView:
    return BoundView(
        identifier.identifier_id,
        identifier.kind.value,
        identifier.last4,
        identifier.version,
        identifier.blocked_at,
        [BindingView(b.from_at, b.member, b.account) for b in identifier.bindings],
    )
