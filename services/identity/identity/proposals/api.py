"""HTTP door of proposals: people decide; gateways bring proposals in and results back."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from identity import settings
from identity.proposals import usecases
from identity.proposals.domain import Proposal, Result, State, Write
from identity.proposals.usecases import Reader
from kit import audit_trail
from kit.base import auth, bodies, fields, ids
from kit.base.auth import Role
from kit.room import resources

router = APIRouter(tags=["proposals"])
internal = APIRouter(include_in_schema=False)
LAST: Final = uuid.UUID(int=2**128 - 1)
PEOPLE: Final = auth.allow(auth.PERSON)
_PATH: Final = r"^/v1/[\x21-\x7e]+$"


def _decoded(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    return text


Base64 = Annotated[str, AfterValidator(_decoded)]


class Selection(StrEnum):
    """ALL: what one may see. OWN: what one proposed. DECIDABLE: what waits for one's decision."""

    ALL = "all"
    OWN = "own"
    DECIDABLE = "decidable"


class RejectionBody(BaseModel):
    """reason: why not, for the proposer."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "نرخ با قرارداد نمی‌خواند"}]}
    )
    reason: fields.Title


class WriteBody(BaseModel):
    """A person's write as the gateway got it; roles: one of which whoever decides needs."""

    model_config = ConfigDict(extra="forbid")
    method: Annotated[str, Field(pattern="^(PUT|POST)$")]
    target: Annotated[str, Field(pattern=_PATH, max_length=8_192)]
    content_type: Annotated[str, Field(pattern=r"^[\x20-\x7e]*$", max_length=200)]
    body: Base64
    roles: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(min_length=1, max_length=settings.GRANTS_MAX),
    ]


class ResultBody(BaseModel):
    """What the service answered; is_secret: the answer holds a secret and is not kept."""

    model_config = ConfigDict(extra="forbid")
    status: Annotated[int, Field(ge=200, le=499)]
    body: Base64
    is_secret: bool


@dataclass(frozen=True, slots=True)
class ResultView:
    """What the service answered. content: null where it held a secret, but for the approver."""

    status: int
    content: Any


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A write that waits for a second person, or what became of it.

    target: path and query. roles: whoever decides has one of them. result: once carried out.
    """

    proposal: str
    state: State
    method: str
    target: str
    roles: list[str]
    proposed_by: str
    proposed_at: datetime
    ends_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    result: ResultView | None


@dataclass(frozen=True, slots=True)
class WholeProposal:
    """A proposal, and the content of its body; null for an auditor, who has no part in it."""

    proposal: ProposalView
    content: Any


@dataclass(frozen=True, slots=True)
class Proposals:
    """A page, newest first; next: send it as before; None on the last."""

    items: list[ProposalView]
    next: str | None


class ApprovedWrite(msgspec.Struct, frozen=True, kw_only=True):
    """For a gateway: what to carry out, and on behalf of whom."""

    method: str
    target: str
    content_type: str
    body: bytes
    proposed_by: str
    approved_by: str


@router.get("/v1/proposals", dependencies=[auth.allow(auth.PERSON, Role.AUDITOR)])
async def list_proposals(
    request: Request,
    selection: Selection = Selection.ALL,
    before: uuid.UUID = LAST,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> Proposals:
    """Proposals, newest first: one's own, and those that need a right which one has."""
    reader, now, last = _reader(request), resources(request).clock.now(), str(before)
    async with resources(request).database.read() as tx:
        match selection:
            case Selection.ALL:
                items = await usecases.list_proposals(tx, reader, before=last, limit=limit)
            case Selection.OWN:
                items = await usecases.list_own(tx, reader, before=last, limit=limit)
            case Selection.DECIDABLE:
                items = await usecases.list_decidable(tx, reader, now=now, before=last, limit=limit)
    following = items[-1].proposal if len(items) == limit else None
    return Proposals([_view(one, now) for one in items], following)


@router.get("/v1/proposals/{proposal}", dependencies=[auth.allow(auth.PERSON, Role.AUDITOR)])
async def get_proposal(request: Request, proposal: uuid.UUID) -> WholeProposal:
    """A proposal and the content of its body; that it was read is written to the trail."""
    opened, reader = resources(request), _reader(request)
    async with audit_trail.reading(request, opened.database) as act:
        kept = await usecases.get_proposal(act.tx, str(proposal), reader)
        act.tell({"proposal": kept.proposal})
    takes_part = kept.proposed_by == reader.person or kept.is_entitled(reader.roles)
    content = _content(kept.write.body) if takes_part else None
    return WholeProposal(_view(kept, opened.clock.now()), content)


@router.put("/v1/proposals/{proposal}/approval", dependencies=[PEOPLE])
async def put_approval(request: Request, proposal: uuid.UUID) -> ProposalView:
    """Approve what another person proposed; it is carried out at once, once, and answered.

    403 own-proposal, role-missing, second-factor-needed; 409 proposal-expired, proposal-decided,
    proposer-not-entitled. Repeated after a broken line, it goes on where it stopped.
    """
    opened, by = resources(request), _reader(request)
    now = opened.clock.now()
    async with audit_trail.writing(request, opened.database) as act:
        kept = await usecases.approve(act.tx, str(proposal), by, now)
        act.tell(_view(kept, now))
    return _view(kept, now)


@router.put("/v1/proposals/{proposal}/rejection", dependencies=[PEOPLE])
async def put_rejection(request: Request, proposal: uuid.UUID, body: RejectionBody) -> ProposalView:
    """Reject what another person proposed, with a reason; nothing is carried out."""
    opened, by = resources(request), _reader(request)
    now = opened.clock.now()
    async with audit_trail.writing(request, opened.database) as act:
        kept = await usecases.reject(act.tx, str(proposal), by, body.reason, now)
        act.tell(_view(kept, now))
    return _view(kept, now)


@router.put("/v1/proposals/{proposal}/withdrawal", dependencies=[PEOPLE])
async def put_withdrawal(request: Request, proposal: uuid.UUID) -> ProposalView:
    """Withdraw what one proposed oneself."""
    opened, by = resources(request), _reader(request)
    now = opened.clock.now()
    async with audit_trail.writing(request, opened.database) as act:
        kept = await usecases.withdraw(act.tx, str(proposal), by, now)
        act.tell(_view(kept, now))
    return _view(kept, now)


@internal.post("/internal/proposals", dependencies=[PEOPLE])
async def post_proposal(request: Request, body: WriteBody) -> Response:
    """A person's write that needs a second one: 202; 204 where this one person is enough."""
    opened = resources(request)
    now, content = opened.clock.now(), base64.b64decode(body.body)
    if content:
        bodies.read(content)
    proposal_s: int = opened.settings.proposal_s
    fresh = Proposal(
        proposal=ids.uuid7(now),
        write=Write(body.method, body.target, body.content_type, content),
        roles=tuple(sorted(set(body.roles))),
        proposed_by=auth.actor_of(request).subject,
        proposed_at=now,
        ends_at=now + timedelta(seconds=proposal_s),
    )
    async with audit_trail.writing(request, opened.database) as act:
        kept = await usecases.propose(act.tx, fresh)
        act.tell({"is_enough": True} if kept is None else _view(kept, now))
    if kept is None:
        return Response(status_code=204)
    encoded = msgspec.json.encode(_view(kept, now))
    headers = {"location": f"/v1/proposals/{kept.proposal}"}
    return Response(encoded, 202, headers, media_type="application/json")


@internal.get("/internal/proposals/{proposal}", dependencies=[auth.allow(auth.SERVICE)])
async def get_approved_write(request: Request, proposal: uuid.UUID) -> Response:
    """What was approved, for the gateway that carries it out."""
    async with resources(request).database.read() as tx:
        kept = await usecases.get_approved(tx, str(proposal))
    approved = ApprovedWrite(
        method=kept.write.method,
        target=kept.write.target,
        content_type=kept.write.content_type,
        body=kept.write.body,
        proposed_by=kept.proposed_by,
        approved_by=kept.decided_by,
    )
    return Response(msgspec.json.encode(approved), media_type="application/json")


@internal.put("/internal/proposals/{proposal}/result", dependencies=[auth.allow(auth.SERVICE)])
async def put_result(request: Request, proposal: uuid.UUID, body: ResultBody) -> ProposalView:
    """What the service answered; the first one stands. A secret is in this one answer alone."""
    opened = resources(request)
    now, content = opened.clock.now(), base64.b64decode(body.body)
    result = Result(body.status, None if body.is_secret else content)
    async with audit_trail.writing(request, opened.database) as act:
        kept = await usecases.record_result(act.tx, str(proposal), result, now)
        act.tell({"proposal": kept.proposal, "status": body.status})
    return _view(kept, now, secret=content if body.is_secret else None)


def _reader(request: Request) -> Reader:
    actor = auth.actor_of(request)
    person = actor.subject if auth.PERSON in actor.roles else str(uuid.UUID(int=0))
    return Reader(person, actor.roles, actor.session, Role.AUDITOR in actor.roles)


def _view(kept: Proposal, now: datetime, *, secret: bytes | None = None) -> ProposalView:
    """secret: what the service answered just now, where it is not kept."""
    result = None
    if kept.result is not None:
        result = ResultView(kept.result.status, _content(secret or kept.result.body or b""))
    return ProposalView(
        proposal=kept.proposal,
        state=kept.state(now),
        method=kept.write.method,
        target=kept.write.target,
        roles=list(kept.roles),
        proposed_by=kept.proposed_by,
        proposed_at=kept.proposed_at,
        ends_at=kept.ends_at,
        decided_by=kept.decided_by,
        decided_at=kept.decided_at,
        reason=kept.reason,
        result=result,
    )


def _content(body: bytes) -> Any:
    """A body as JSON; null where there is none, or it is of another kind."""
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.MsgspecError:
        return None
