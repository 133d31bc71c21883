"""HTTP door of programmes and terms."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec import structs
from pydantic import BaseModel, ConfigDict, Field, Strict
from pydantic.config import JsonDict

from contracts import values
from contracts.merchants import BASKET_MAX_RIAL, Programme, Terms
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.programmes import usecases

CATEGORIES_MAX = 200

Categories = Annotated[list[fields.Word], Field(max_length=CATEGORIES_MAX)]
Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["programmes"])


PROGRAMME: Final[JsonDict] = {
    "effective_from": "2026-03-21T00:00:00+03:30",
    "title_fa": "امتیاز نان البرز",
    "title_en": "Alborz Bread points",
    "earn_points": 1,
    "earn_per_rial": 10_000,
    "validity_days": 365,
}
TERMS: Final[JsonDict] = {
    "effective_from": "2030-03-21T00:00:00+03:30",
    "price_rial": 1_000,
    "price_points": 1,
    "fee_bp": 150,
}


class ProgrammeFields(BaseModel):
    """What a merchant promises from effective_from on (contracts.merchants.Programme).

    earn_points for every earn_per_rial Rial: in proportion and floored once a sale, or with
    earn_in_steps only for each whole earn_per_rial. earns_on_paid_part: a sale partly paid with
    points or credit earns on the part paid in money. basket_max_rial: larger baskets are declined.
    top_up_max_rial: the most that one top-up of a member's wallet may pay in; 0: none is taken.
    """

    model_config = ConfigDict(extra="forbid")
    effective_from: fields.Moment
    title_fa: fields.Title
    title_en: fields.Title
    earn_points: fields.Amount
    earn_per_rial: fields.PositiveAmount
    earning_categories: Categories = []
    excluded_categories: Categories = []
    validity_days: Annotated[int, Strict(), Field(ge=1, le=36_500)] | None = None
    activation_days: Annotated[int, Strict(), Field(ge=0, le=366)] = 0
    redeem_min_points: fields.Amount = 0
    redeem_max_share_bp: fields.BasisPoints = values.BASIS_POINTS
    own_discount_bp: fields.BasisPoints = 0
    own_discount_max_rial: fields.Amount = 0
    basket_max_rial: fields.PositiveAmount = BASKET_MAX_RIAL
    earns_on_paid_part: fields.Flag = True
    earn_in_steps: fields.Flag = False
    top_up_max_rial: fields.Amount = 0


class ProgrammeBody(ProgrammeFields):
    """backdated: effective_from may lie in the past (replay, demo)."""

    model_config = ConfigDict(json_schema_extra={"examples": [PROGRAMME]})
    backdated: fields.Flag = False


class ProgrammeView(ProgrammeFields):
    """One version as it is kept."""

    merchant: int
    party: int
    version: int


class TermsFields(BaseModel):
    """Settlement price, fee and grace from effective_from on (contracts.merchants.Terms)."""

    model_config = ConfigDict(extra="forbid")
    effective_from: fields.Moment
    price_rial: fields.PositiveAmount
    price_points: fields.PositiveAmount
    fee_bp: fields.BasisPoints
    grace_days: Annotated[int, Strict(), Field(ge=0, le=366)] = 30


class TermsBody(TermsFields):
    """backdated: effective_from may lie in the past (replay, demo)."""

    model_config = ConfigDict(json_schema_extra={"examples": [TERMS]})
    backdated: fields.Flag = False


class TermsView(TermsFields):
    """One version as it is kept."""

    version: int


class Programmes(BaseModel):
    """A page; next: send it as after; None on the last."""

    items: list[ProgrammeView]
    next: int | None


class TermsPage(BaseModel):
    """A page; next: send it as after; None on the last."""

    items: list[TermsView]
    next: int | None


@router.put("/v1/merchants/{merchant}/programmes/{version}", dependencies=[auth.allow(Role.MONEY)])
async def put_programme(
    request: Request,
    response: Response,
    merchant: fields.NumberText,
    version: fields.NumberText,
    body: ProgrammeBody,
) -> ProgrammeView:
    """Publish the next version: 201, and 200 when repeated."""
    database = resources(request).database
    clock = resources(request).clock
    draft = _programme(merchant, version, body)
    async with audit_trail.writing(request, database) as act:
        kept, created = await usecases.publish_programme(
            act.tx, draft, backdated=body.backdated, now=clock.now()
        )
        act.tell(kept)
    response.status_code = 201 if created else 200
    return _programme_view(kept)


@router.get(
    "/v1/merchants/{merchant}/programmes/{version}",
    dependencies=[auth.allow(*auth.STAFF, own=True)],
)
async def get_programme(
    request: Request, merchant: fields.NumberText, version: fields.NumberText
) -> ProgrammeView:
    """One version."""
    database = resources(request).database
    async with database.read() as tx:
        return _programme_view(await usecases.get_programme(tx, merchant, version))


@router.get("/v1/merchants/{merchant}/programmes", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def list_programmes(
    request: Request, merchant: fields.NumberText, after: fields.AfterNumber = 0, limit: Limit = 50
) -> Programmes:
    """A merchant's versions in order."""
    database = resources(request).database
    async with database.read() as tx:
        versions = await usecases.list_programmes(tx, merchant, after=after, limit=limit)
    following = versions[-1].version if len(versions) == limit else None
    return Programmes(items=[_programme_view(p) for p in versions], next=following)


@router.put("/v1/terms/{version}", dependencies=[auth.allow(Role.MONEY)])
async def put_terms(
    request: Request, response: Response, version: fields.NumberText, body: TermsBody
) -> TermsView:
    """Publish the next version of the network's terms: 201, and 200 when repeated."""
    database = resources(request).database
    clock = resources(request).clock
    draft = Terms(version=version, **body.model_dump(exclude={"backdated"}))
    async with audit_trail.writing(request, database) as act:
        kept, created = await usecases.publish_terms(
            act.tx, draft, backdated=body.backdated, now=clock.now()
        )
        act.tell(kept)
    response.status_code = 201 if created else 200
    return _terms_view(kept)


@router.get("/v1/terms/{version}", dependencies=[auth.allow(*auth.STAFF)])
async def get_terms(request: Request, version: fields.NumberText) -> TermsView:
    """One version of the network's terms."""
    database = resources(request).database
    async with database.read() as tx:
        return _terms_view(await usecases.get_terms(tx, version))


@router.get("/v1/terms", dependencies=[auth.allow(*auth.STAFF)])
async def list_terms(
    request: Request, after: fields.AfterNumber = 0, limit: Limit = 50
) -> TermsPage:
    """Versions of the network's terms in order."""
    database = resources(request).database
    async with database.read() as tx:
        versions = await usecases.list_terms(tx, after=after, limit=limit)
    following = versions[-1].version if len(versions) == limit else None
    return TermsPage(items=[_terms_view(t) for t in versions], next=following)


def _programme(merchant: int, version: int, body: ProgrammeBody) -> Programme:
    columns = body.model_dump(exclude={"backdated", "earning_categories", "excluded_categories"})
    return Programme(
        merchant=merchant,
        party=values.NETWORK_PARTY,  # the use case puts the merchant's own party here
        version=version,
        earning_categories=tuple(body.earning_categories),
        excluded_categories=tuple(body.excluded_categories),
        **columns,
    )


def _programme_view(programme: Programme) -> ProgrammeView:
    return ProgrammeView.model_validate(_kept(programme))


def _terms_view(terms: Terms) -> TermsView:
    return TermsView.model_validate(_kept(terms))


def _kept(version: Programme | Terms) -> dict[str, object]:
    view = structs.asdict(version)
    for name in ("earning_categories", "excluded_categories"):
        if name in view:
            view[name] = list(view[name])
    return view
