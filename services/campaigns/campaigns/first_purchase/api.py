"""HTTP door: versions of the first purchase's credit."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from campaigns.first_purchase import usecases
from campaigns.first_purchase.domain import Version
from contracts.values import NETWORK_PARTY
from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

CREDIT: Final[JsonDict] = {
    "effective_from": "2030-03-21T00:00:00+03:30",
    "amount_rial": 200_000,
    "validity_days": 90,
    "title_fa": "هدیهٔ نخستین خرید",
    "title_en": "A gift for the first purchase",
}


router = APIRouter(tags=["first purchase"])


class VersionBody(BaseModel):
    """A version of the setting, picked by a purchase's occurred_at; with amount_rial 0, none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [CREDIT]},
    )

    effective_from: fields.Moment
    amount_rial: fields.Amount
    validity_days: Annotated[int, Field(ge=1, le=36_500, strict=True)] | None
    funder: fields.Number = NETWORK_PARTY
    title_fa: fields.Title
    title_en: fields.Title


@router.put("/v1/first-purchase/versions/{version}", dependencies=[auth.allow(Role.MONEY)])
async def put_version(request: Request, version: fields.NumberText, body: VersionBody) -> Response:
    """Install a version: 201 new, 200 the same again, 422 other content or out of order."""
    draft = Version(
        version=version,
        effective_from=body.effective_from,
        amount_rial=body.amount_rial,
        validity_days=body.validity_days,
        funder=body.funder,
        title_fa=body.title_fa,
        title_en=body.title_en,
    )
    async with audit_trail.writing(request, resources(request).database) as act:
        new = await usecases.put_version(act.tx, draft)
        act.tell(draft)
    return _json(draft, 201 if new else 200)


@router.get("/v1/first-purchase/versions/{version}", dependencies=[auth.allow(*auth.STAFF)])
async def get_version(request: Request, version: fields.NumberText) -> Response:
    """One version as it was put."""
    async with resources(request).database.read() as tx:
        stored = await usecases.find_version(tx, version)
    return _json(stored, 200)


def _json(version: Version, status: int) -> Response:
    return Response(msgspec.json.encode(version), status, media_type="application/json")
