"""HTTP door of parties, merchants and branches."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import fields as numbers
from merchants import settings
from merchants.parties import domain, usecases
from merchants.parties.domain import Branch, Merchant, MerchantSearch, Party, PartyView

Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["parties"])


class PartyBody(BaseModel):
    """A legal entity, or a person who trades. Of each number its check digits are verified.

    legal_id: of a company, 11 digits. national_id: of a person, 10 digits; one of the two. sheba:
    the account that it is paid to. postal_code: 10 digits. Digits of any script, blanks, dashes.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title_fa": "شرکت نان البرز",
                    "title_en": "Alborz Bread Co",
                    "sheba": "IR050170000000123456789012",
                }
            ]
        },
    )
    title_fa: fields.Title
    title_en: fields.Title
    legal_id: numbers.LegalId | None = None
    national_id: numbers.NationalId | None = None
    sheba: numbers.Sheba | None = None
    postal_code: numbers.PostalCode | None = None
    mobile: numbers.Mobile | None = None


class MerchantBody(BaseModel):
    """A merchant as customers know it. reference: its name in a partner's files."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "party": 1,
                    "sector": "bakery",
                    "title_fa": "نان البرز",
                    "title_en": "Alborz Bread",
                }
            ]
        },
    )
    party: fields.Number
    sector: Annotated[fields.Code, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
    title_fa: fields.Title
    title_en: fields.Title
    reference: fields.Word | None = None


class BranchBody(BaseModel):
    """A shop of a merchant."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title_fa": "شعبهٔ مرکزی", "title_en": "Central"}]},
    )
    title_fa: fields.Title
    title_en: fields.Title


@dataclass(frozen=True, slots=True)
class Merchants:
    """A page; next: send it as after; None on the last."""

    items: list[Merchant]
    next: int | None


@dataclass(frozen=True, slots=True)
class Branches:
    """A page; next: send it as after; None on the last."""

    items: list[Branch]
    next: int | None


class MerchantQuery(BaseModel):
    """Filters of the list; title: the beginning of either title."""

    model_config = ConfigDict(extra="forbid")
    after: fields.AfterNumber = 0
    limit: Annotated[int, Field(ge=1, le=settings.PAGE_MAX)] = 50
    reference: fields.Word | None = None
    sector: Annotated[fields.Code, Field(max_length=40)] | None = None
    title: fields.Title | None = None
    party: fields.NumberText | None = None


@router.put("/v1/parties/{party}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_party(
    request: Request, response: Response, party: fields.NumberText, body: PartyBody
) -> PartyView:
    """Register a party under the caller's number: 201, and 200 when repeated.

    The answer shows of national id, Sheba and mobile the last four digits, and the Sheba's bank.
    """
    database = resources(request).database
    requested = Party(party, **body.model_dump())
    async with audit_trail.writing(request, database) as act:
        kept, created = await usecases.register_party(act.tx, requested)
        act.tell(domain.view_of(kept))
    response.status_code = 201 if created else 200
    return domain.view_of(kept)


@router.get("/v1/parties/{party}", dependencies=[auth.allow(*auth.STAFF)])
async def get_party(request: Request, party: fields.NumberText) -> PartyView:
    """One party; of national id, Sheba and mobile the last four digits."""
    database = resources(request).database
    async with database.read() as tx:
        return domain.view_of(await usecases.get_party(tx, party))


@router.put("/v1/merchants/{merchant}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_merchant(
    request: Request, response: Response, merchant: fields.NumberText, body: MerchantBody
) -> Merchant:
    """Register a merchant under the caller's number: 201, and 200 when repeated."""
    database = resources(request).database
    clock = resources(request).clock
    requested = Merchant(
        merchant, body.party, body.sector, body.title_fa, body.title_en, body.reference
    )
    async with audit_trail.writing(request, database) as act:
        kept, created = await usecases.register_merchant(act.tx, requested, now=clock.now())
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


@router.get("/v1/merchants/{merchant}", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def get_merchant(request: Request, merchant: fields.NumberText) -> Merchant:
    """One merchant."""
    database = resources(request).database
    async with database.read() as tx:
        return await usecases.get_merchant(tx, merchant)


@router.get("/v1/merchants", dependencies=[auth.allow(*auth.STAFF)])
async def list_merchants(request: Request, query: Annotated[MerchantQuery, Query()]) -> Merchants:
    """Merchants in number order, narrowed by the query."""
    database = resources(request).database
    search = MerchantSearch(**query.model_dump())
    async with database.read() as tx:
        items = await usecases.search_merchants(tx, search)
    return Merchants(items, items[-1].merchant if len(items) == query.limit else None)


@router.put("/v1/merchants/{merchant}/branches/{branch}", dependencies=[auth.allow(Role.PARTNERS)])
async def put_branch(
    request: Request,
    response: Response,
    merchant: fields.NumberText,
    branch: fields.NumberText,
    body: BranchBody,
) -> Branch:
    """Register a branch under the merchant's own number: 201, and 200 when repeated."""
    database = resources(request).database
    requested = Branch(merchant, branch, body.title_fa, body.title_en)
    async with audit_trail.writing(request, database) as act:
        kept, created = await usecases.register_branch(act.tx, requested)
        act.tell(kept)
    response.status_code = 201 if created else 200
    return kept


@router.get(
    "/v1/merchants/{merchant}/branches/{branch}", dependencies=[auth.allow(*auth.STAFF, own=True)]
)
async def get_branch(
    request: Request, merchant: fields.NumberText, branch: fields.NumberText
) -> Branch:
    """One branch."""
    database = resources(request).database
    async with database.read() as tx:
        return await usecases.get_branch(tx, merchant, branch)


@router.get("/v1/merchants/{merchant}/branches", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def list_branches(
    request: Request, merchant: fields.NumberText, after: fields.AfterNumber = 0, limit: Limit = 50
) -> Branches:
    """Branches of a merchant in number order."""
    database = resources(request).database
    async with database.read() as tx:
        items = await usecases.list_branches(tx, merchant, after=after, limit=limit)
    return Branches(items, items[-1].branch if len(items) == limit else None)
