"""HTTP door of evidence: files of either side, for the two parties and the network."""

import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants.disputes.api import views
from merchants.disputes.api.views import EvidenceView
from merchants.disputes.domain.evidence import SUFFIXES
from merchants.disputes.usecases import evidence as usecases
from merchants.disputes.usecases.evidence import Sent

router = APIRouter(tags=["disputes"])
PREFIX: Final = "/v1/evidence/"  # bodies of its own size, so of its own address
_PATH: Final = PREFIX + "{party}/{dispute}/{file}"
_BINARY: Final[dict[str, Any]] = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in SUFFIXES
}
Title = Annotated[fields.Prose, Field(max_length=200)]


@router.put(
    _PATH,
    openapi_extra={"requestBody": {"required": True, "content": _BINARY}},
    dependencies=[auth.allow(Role.PARTNERS, own=True)],
)
async def put_evidence(
    request: Request,
    response: Response,
    party: fields.NumberText,
    dispute: uuid.UUID,
    file: uuid.UUID,
    title: Annotated[Title, Query()] = "",
) -> EvidenceView:
    """Send a PDF, PNG or JPEG for the party's side under the caller's UUID: 201; 200 repeated.

    5 MiB each, 10 of each side, while the dispute lives; nothing is ever changed or removed. The
    type is read from the content. 422 file-type-unknown; 409 too-many-files, dispute-not-there.
    """
    sent = Sent(str(dispute), str(file), title, await request.body())
    by = views.by_party(request, party)
    async with audit_trail.writing(request, resources(request).database) as act:
        kept, created = await usecases.send_file(act.tx, sent, party, by)
        act.tell(views.file_view(kept))
    response.status_code = 201 if created else 200
    return views.file_view(kept)


@router.get(
    _PATH,
    response_class=Response,
    responses={200: {"content": _BINARY}},
    dependencies=[auth.allow(*views.READERS, own=True)],
)
async def get_evidence(
    request: Request, party: fields.NumberText, dispute: uuid.UUID, file: uuid.UUID
) -> Response:
    """A file of either side, as it was sent."""
    async with resources(request).database.read() as tx:
        kept, content = await usecases.get_file(tx, str(dispute), str(file), party)
    name = f'attachment; filename="{kept.file}.{SUFFIXES[kept.media_type]}"'
    headers = {"content-disposition": name, "x-content-type-options": "nosniff"}
    return Response(content, media_type=kept.media_type, headers=headers)
