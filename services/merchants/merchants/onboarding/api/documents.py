"""HTTP door of questionnaire, assessment rules and price list: versions, each from a time on."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.onboarding.domain import documents
from merchants.onboarding.domain.documents import Document, DocumentKind
from merchants.onboarding.usecases import documents as usecases

Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["onboarding"])

PRICES: Final[JsonDict] = {
    "effective_from": "2030-03-21T00:00:00+03:30",
    "body": {
        "message_rial": 1_500,
        "packages": {
            name: {
                "fa": "بستهٔ نمونه",
                "en": "An example",
                "features": [{"fa": "امتیاز برای هر خرید", "en": "Points for every purchase"}],
                "setup_rial": 50_000_000,
                "setup_branch_rial": 10_000_000,
                "monthly_rial": 5_000_000,
                "monthly_branch_rial": 2_000_000,
                "at_least": name == "custom",
            }
            for name in ("basic", "advanced", "custom")
        },
    },
}


class DocumentBody(BaseModel):
    """A version of a document. body: its shape by kind stands in the guide of joining."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PRICES]})
    effective_from: fields.Moment
    body: dict[str, Any]


class DocumentView(BaseModel):
    """One version as it is kept."""

    kind: DocumentKind
    version: int
    effective_from: fields.Moment
    body: dict[str, Any]


class Documents(BaseModel):
    """A page; next: send it as after; None on the last."""

    items: list[DocumentView]
    next: int | None


@router.put("/v1/onboarding/{kind}/versions/{version}", dependencies=[auth.allow(Role.MONEY)])
async def put_document(
    request: Request,
    response: Response,
    kind: DocumentKind,
    version: fields.NumberText,
    body: DocumentBody,
) -> DocumentView:
    """Publish the next version: 201, and 200 when repeated; 422 document-invalid names each fault.

    Applications that were made, and assessments, keep the versions that they name.
    """
    draft = Document(kind, version, body.effective_from, documents.read_body(kind, body.body))
    now = resources(request).clock.now()
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await usecases.publish_document(act.tx, draft, now=now)
        act.tell(_view(kept))
    response.status_code = 201 if created else 200
    return _view(kept)


@router.get("/v1/onboarding/{kind}/versions/{version}", dependencies=[auth.allow(*auth.STAFF)])
async def get_document(
    request: Request, kind: DocumentKind, version: fields.NumberText
) -> DocumentView:
    """One version."""
    async with resources(request).database.read() as tx:
        return _view(await usecases.get_document(tx, kind, version))


@router.get("/v1/onboarding/{kind}/versions", dependencies=[auth.allow(*auth.STAFF)])
async def list_documents(
    request: Request, kind: DocumentKind, after: fields.AfterNumber = 0, limit: Limit = 50
) -> Documents:
    """Versions in order; the last whose effective_from has come is in force."""
    async with resources(request).database.read() as tx:
        kept = await usecases.list_documents(tx, kind, after=after, limit=limit)
    following = kept[-1].version if len(kept) == limit else None
    return Documents(items=[_view(one) for one in kept], next=following)


def _view(document: Document) -> DocumentView:
    return DocumentView(
        kind=document.kind,
        version=document.version,
        effective_from=document.effective_from,
        body=documents.to_json(document.body),
    )
