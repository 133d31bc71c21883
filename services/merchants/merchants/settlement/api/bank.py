"""HTTP door of the bank: files of payouts for it, and its answers."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants.settlement.api import settlements as settlement_api
from merchants.settlement.domain import bank_files
from merchants.settlement.store.instructions import BankFile
from merchants.settlement.usecases import payments, settlements

router = APIRouter(tags=["settlement"])
_PATH: Final = "/v1/windows/{window}/settlement"
_MONEY: Final = auth.allow(Role.MONEY)
_READERS: Final = auth.allow(Role.MONEY, Role.AUDITOR)
_ANSWER_EXAMPLE: Final = "reference,status,amount_rial,reason\nPV7-P1-1,paid,10000000,\n"


class AnswerBody(BaseModel):
    """format: pain.002 (ISO 20022 XML), or csv: reference,status,amount_rial,reason.

    status: paid, rejected, returned. content: the file's text.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"format": "csv", "content": _ANSWER_EXAMPLE}]},
    )
    format: Literal["pain.002", "csv"]
    content: Annotated[str, Field(min_length=1, max_length=60_000)]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A file of the bank. changed_count: instructions that it changed."""

    answer: str
    window: int
    format: str
    changed_count: int
    sent_by: str
    sent_at: datetime


@router.get(
    _PATH + "/files/{batch}/pain001",
    dependencies=[_READERS],
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}}},
)
async def get_pain_001(
    request: Request, window: fields.NumberText, batch: fields.NumberText
) -> Response:
    """The payouts of a file as ISO 20022 pain.001.001.09; whole Shebas. Who took it is kept."""
    payer = settlement_api.payer_of(resources(request).settings)
    async with audit_trail.reading(request, resources(request).database) as act:
        lines = await payments.get_batch(act.tx, window, batch)
        act.tell({"window": window, "batch": batch, "parties": [one.party for one in lines]})
    name = f'attachment; filename="PV{window}-P{batch}.xml"'
    return Response(
        bank_files.pain_001(payer, lines),
        media_type="application/xml",
        headers={"content-disposition": name},
    )


@router.get(
    _PATH + "/files/{batch}/csv",
    dependencies=[_READERS],
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
)
async def get_csv(
    request: Request, window: fields.NumberText, batch: fields.NumberText
) -> Response:
    """The same payouts for a bank's upload page: UTF-8 with BOM, Persian headings, whole Rial."""
    async with audit_trail.reading(request, resources(request).database) as act:
        lines = await payments.get_batch(act.tx, window, batch)
        act.tell({"window": window, "batch": batch, "parties": [one.party for one in lines]})
    name = f'attachment; filename="PV{window}-P{batch}.csv"'
    return Response(
        bank_files.payouts_csv(lines),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": name},
    )


@router.put(_PATH + "/answers/{answer}", dependencies=[_MONEY])
async def put_answer(
    request: Request,
    response: Response,
    window: fields.NumberText,
    answer: uuid.UUID,
    body: AnswerBody,
) -> AnswerView:
    """Take a file of the bank under the caller's UUID, all of it or none: 201; 200 repeated.

    422 bad-bank-answer names the line; what it says twice changes nothing.
    """
    opened = resources(request)
    file = BankFile(
        str(answer),
        window,
        body.format,
        body.content,
        0,
        auth.actor_of(request).subject,
        opened.clock.now(),
    )

    async def record(act: audit_trail.Act) -> tuple[BankFile, bool]:
        kept, created = await payments.record_file(act.tx, file)
        if created:
            settlement = await settlements.lock_settlement(act.tx, window)
            limits = settlement_api.limits_of(opened.settings)
            await settlements.advance(act.tx, settlement, now=file.sent_at, limits=limits)
        act.tell(_view(kept))
        return kept, created

    kept, created = await audit_trail.written(request, opened.database, record)
    response.status_code = 201 if created else 200
    return _view(kept)


def _view(file: BankFile) -> AnswerView:
    return AnswerView(
        file.answer, file.window, file.format, file.changed_count, file.sent_by, file.sent_at
    )
