"""HTTP door of enrolments, imports and members."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.members import Identifier
from kit import audit_trail
from kit.base import auth, db, errors, fields
from kit.base.auth import Role
from kit.room import resources
from members import settings
from members.additions import usecases as additions
from members.enroller import enroller
from members.identifiers import domain as identifiers
from members.memberships import domain, usecases
from members.memberships.domain import Consented, Enrolled, Refusal
from members.memberships.usecases import Member, Membership
from members.terms import enrolment_terms

IMPORT_PATH: Final = "/v1/members/import"
Take = Callable[[Request, Sequence[domain.Draft]], Awaitable[list[domain.Result]]]

router = APIRouter(tags=["members"])


class ConsentsBody(BaseModel):
    """The person's consents. wording: version of the text read; empty: the current one."""

    model_config = ConfigDict(extra="forbid")
    terms: fields.Flag
    receipts: fields.Flag = False
    marketing: fields.Flag = False
    wording: Annotated[str, Field(max_length=40)] = ""


class EnrolmentBody(BaseModel):
    """A person who joins. account: of a household.

    external: reference of the person among the customers of party, which must be named beside it:
    two parties may give one reference to two people. mobile: may be left out where external is
    given, for a person known from imported history.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "mobile": "09121234567",
                    "name": "سارا",
                    "consents": {"terms": True, "receipts": True},
                }
            ]
        },
    )
    mobile: Annotated[str, Field(max_length=40)] = ""
    name: Annotated[str, Field(max_length=100)] = ""
    consents: ConsentsBody
    account: fields.AccountNumber | None = None
    external: Annotated[str, Field(max_length=64)] | None = None
    party: fields.Number | None = None
    card: Annotated[str, Field(max_length=40)] | None = None
    locale: Literal["fa", "en"] = "fa"


class MobileBody(BaseModel):
    """A mobile, in any spelling."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"mobile": "09121234567"}]},
    )
    mobile: Annotated[str, Field(min_length=1, max_length=40)]


@dataclass(frozen=True, slots=True)
class MobileView:
    """A mobile as an identifier of the member."""

    member: int
    account: int
    identifier_id: str
    last4: str


@dataclass(frozen=True, slots=True)
class CardView:
    """A physical card. number: in full only when it is issued, masked ever after."""

    number: str
    last4: str
    identifier_id: str


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """A membership. qr: text of the virtual card; empty when another member holds it."""

    member: int
    account: int
    shard: int
    card: CardView
    qr: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that enrolled nobody. line: from 1, in this call."""

    line: int
    code: str
    detail: str
    fa: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: enrolled + known + bad = lines sent.

    Under a partner's key a line that brings a new reference is enrolled, whoever the person is.
    """

    enrolled: int
    known: int
    bad: list[BadLine]


@dataclass(frozen=True, slots=True)
class IdentifierView:
    """An identifier that means the member now."""

    identifier_id: str
    kind: str
    last4: str
    blocked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentsView:
    """The newest consents."""

    terms: bool
    receipts: bool
    marketing: bool
    wording: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class BalanceView:
    """The balance as of the newest outcome; GET /v1/accounts/{account}/balance is the truth."""

    points: int
    credit_rial: int
    transactions_count: int
    last_transaction_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member. household: all members of the account, this one too."""

    member: int
    account: int
    shard: int
    mobile: str
    name: str
    locale: str
    enrolled_at: datetime
    consents: ConsentsView
    identifiers: list[IdentifierView]
    household: list[int]
    balance: BalanceView


@router.put("/v1/enrolments/{enrolment}", dependencies=[auth.allow(Role.ENROL)])
async def put_enrolment(
    request: Request, response: Response, enrolment: uuid.UUID, body: EnrolmentBody
) -> EnrolmentView:
    """Enrol a person: 201 with the card number, in this answer only; 200 for a known mobile."""
    database = resources(request).database
    clock = resources(request).clock
    terms = resources(request).shared(enrolment_terms)
    by = enroller(request)
    enrolment_request = domain.Request(
        consents=Consented(**body.consents.model_dump()),
        **body.model_dump(exclude={"consents"}),
    )

    async def enrol(act: audit_trail.Act) -> tuple[Membership, bool] | Refusal:
        outcome = await usecases.enrol(
            act.tx, enrolment, enrolment_request, by=by, terms=terms, now=clock.now()
        )
        if isinstance(outcome, Refusal):
            act.tell({"refused": outcome.code})
        else:
            act.tell(_audit_record(outcome[0]) | {"known": not outcome[1]})
        return outcome

    membership, created = usecases.accepted(await audit_trail.written(request, database, enrol))
    response.status_code = 201 if created else 200
    return _enrolment_view(membership)


_LINES: Final[dict[str, Any]] = {
    "schema": {"type": "string", "description": "one EnrolmentBody as JSON a line"},
    "example": '{"mobile":"09121234567","name":"سارا","consents":{"terms":true}}\n',
}


@router.post(
    IMPORT_PATH,
    openapi_extra={"requestBody": {"content": {"application/x-ndjson": _LINES}}},
    dependencies=[auth.allow(Role.ENROL)],
)
async def import_members(request: Request, check: bool = False) -> Imported:
    """Enrol up to 10,000 people: one enrolment as JSON a line. Sent again, all are known.

    A line is either enrolled whole or listed as bad; others are not disturbed. check: enrol nobody;
    a line of somebody who is no member yet is listed as bad (unknown-member). Not for a partner's
    key: who is a member elsewhere is told to the network alone.
    """
    lines = (await request.body()).split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if len(lines) > settings.IMPORT_LINES_MAX:
        raise errors.TooLarge(f"send at most {settings.IMPORT_LINES_MAX} lines a call")
    results: list[domain.Result] = []
    for start in range(0, len(lines), settings.CHUNK_LINES):
        chunk = lines[start : start + settings.CHUNK_LINES]
        results += await _import_chunk(request, chunk, _checked if check else _enrolled)
    bad = [
        BadLine(n, r.code, r.detail, r.fa)
        for n, r in enumerate(results, 1)
        if not isinstance(r, Enrolled)
    ]
    known = sum(1 for r in results if isinstance(r, Enrolled) and r.known)
    return Imported(len(results) - known - len(bad), known, bad)


@router.put("/v1/members/{member}/mobiles/{identifier}", dependencies=[auth.allow(Role.ENROL)])
async def put_mobile(
    request: Request,
    response: Response,
    member: fields.AccountText,
    identifier: uuid.UUID,
    body: MobileBody,
) -> MobileView:
    """Give a member who was enrolled without a mobile one: 201; 200 when repeated.

    The mobile then finds the membership with all its points. 422 mobile-already-known for a member
    who has one, identifier-taken where it is another member's.
    """
    database = resources(request).database
    clock = resources(request).clock
    terms = resources(request).shared(enrolment_terms)
    by = enroller(request)
    mobile = usecases.NewMobile(member, identifier, body.mobile)

    async def add(act: audit_trail.Act) -> tuple[Identifier, bool] | Refusal:
        outcome = await usecases.add_mobile(
            act.tx, mobile, by=by, key_set=terms.key_set, now=clock.now()
        )
        if isinstance(outcome, Refusal):
            act.tell({"refused": outcome.code})
        else:
            act.tell({"identifier": outcome[0].identifier_id, "known": not outcome[1]})
        return outcome

    kept, created = usecases.accepted(await audit_trail.written(request, database, add))
    response.status_code = 201 if created else 200
    return MobileView(member, kept.bindings[0].account, kept.identifier_id, kept.last4)


@router.get("/v1/members/{member}", dependencies=[auth.allow(Role.ENROL, Role.SUPPORT)])
async def get_member(request: Request, member: fields.AccountText) -> MemberView:
    """Everything known of a member, personal data opened; the trail keeps who read it."""
    database = resources(request).database
    clock = resources(request).clock
    terms = resources(request).shared(enrolment_terms)
    async with audit_trail.reading(request, database) as act:
        known = await usecases.find_member(act.tx, member, key_set=terms.key_set, now=clock.now())
        await additions.refuse_other_party(act.tx, enroller(request), known.person.binding.account)
        act.tell({"members": [member]})
    return _member_view(known)


async def _import_chunk(
    request: Request, lines: Sequence[bytes], take: Take
) -> list[domain.Result]:
    """Results in the order of lines, all of one transaction."""
    terms = resources(request).shared(enrolment_terms)
    keys = terms.key_set.identifiers
    read = await asyncio.to_thread(domain.read_lines, lines, keys=keys, wording=terms.wording)
    drafts = [r for r in read if isinstance(r, domain.Draft)]
    enrolled = iter(await take(request, drafts))
    return [r if isinstance(r, domain.Refusal) else next(enrolled) for r in read]


async def _checked(request: Request, drafts: Sequence[domain.Draft]) -> list[domain.Result]:
    """Who is a member, in the drafts' order; the trail keeps how many were looked up."""
    database, now = resources(request).database, resources(request).clock.now()
    async with audit_trail.reading(request, database) as act:
        results = await usecases.check_batch(act.tx, drafts, by=enroller(request), now=now)
        act.tell({"drafts": len(drafts), "known": sum(isinstance(r, Enrolled) for r in results)})
    return results


async def _enrolled(request: Request, drafts: Sequence[domain.Draft]) -> list[domain.Result]:
    """Enrol drafts together; where the database refuses one, in halves, so that it is alone."""
    database = resources(request).database
    clock = resources(request).clock
    terms = resources(request).shared(enrolment_terms)
    by = enroller(request)

    async def enrol(act: audit_trail.Act) -> list[domain.Result]:
        results = await usecases.enrol_batch(act.tx, drafts, by=by, terms=terms, now=clock.now())
        known = sum(1 for r in results if isinstance(r, Enrolled) and r.known)
        act.tell({"drafts": len(drafts), "known": known})
        return results

    try:
        return await audit_trail.written(request, database, enrol)
    except db.DataError as error:
        if len(drafts) == 1:
            return [domain.Refusal(error.code, error.detail, error.fa)]
    half = len(drafts) // 2
    first = await _enrolled(request, drafts[:half])
    return first + await _enrolled(request, drafts[half:])


def _audit_record(membership: Membership) -> dict[str, Any]:
    """A membership in the audit trail: its numbers, no mobile, card number or name."""
    binding = membership.binding
    card = membership.card.identifier.identifier_id
    return {
        "member": binding.member,
        "account": binding.account,
        "shard": binding.shard,
        "card": card,
    }


def _enrolment_view(membership: Membership) -> EnrolmentView:
    card = membership.card.identifier
    number = membership.card.text or identifiers.masked(card.last4)
    binding = membership.binding
    card_view = CardView(number, card.last4, card.identifier_id)
    return EnrolmentView(
        binding.member, binding.account, binding.shard, card_view, membership.qr.text or ""
    )


def _member_view(known: Member) -> MemberView:
    person, balance = known.person, known.balance
    consents = person.consents
    return MemberView(
        member=person.binding.member,
        account=person.binding.account,
        shard=person.binding.shard,
        mobile=known.contact.mobile,
        name=known.contact.name,
        locale=person.locale,
        enrolled_at=person.enrolled_at,
        consents=ConsentsView(
            consents.terms,
            consents.receipts,
            consents.marketing,
            consents.wording,
            person.consented_at,
        ),
        identifiers=[_identifier_view(i) for i in known.identifiers],
        household=known.household,
        balance=BalanceView(0, 0, 0, None)
        if balance is None
        else BalanceView(
            balance.points,
            balance.credit_rial,
            balance.transactions_count,
            balance.last_transaction_at,
        ),
    )


def _identifier_view(identifier: Identifier) -> IdentifierView:
    return IdentifierView(
        identifier.identifier_id, identifier.kind.value, identifier.last4, identifier.blocked_at
    )
