"""HTTP door of statements: a party's own, by window, and the reconciliation report."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.text import digits_fa
from kit.base import auth, fields
from kit.base.auth import Role
from kit.base.db import Tx
from kit.room import resources
from merchants import cursors, settings
from merchants.clearing.domain.counting import Pair
from merchants.printing.press import press_of
from merchants.statements import usecases
from merchants.statements.api import views
from merchants.statements.domain import printed, statement
from merchants.statements.domain.statement import Side

_CSV: Final = "text/csv; charset=utf-8"
_AS_CSV: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {}}}}
_PDF: Final = "application/pdf"
_AS_PDF: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {_PDF: {}}}}
_FIRST: Final = (-1, 0)  # before every shard and sequence
_MOST: Final = fields.WHOLE_MAX
_STAFF: Final = (Role.AUDITOR, Role.MONEY)
Cursor = Annotated[str | None, Field(max_length=40)]
Limit = Annotated[int, Field(ge=1, le=settings.PAGE_MAX)]

router = APIRouter(tags=["statements"])


class LinesQuery(BaseModel):
    """A page of lines."""

    model_config = ConfigDict(extra="forbid")
    after: Cursor = None
    limit: Limit = 200


class TransactionsQuery(LinesQuery):
    """A page of the transactions behind one line."""

    side: Side
    counterparty: fields.NumberText


@router.get("/v1/windows/{window}/statements/{party}", dependencies=[auth.allow(*_STAFF)])
async def get_statement(
    request: Request,
    window: fields.NumberText,
    party: fields.NumberText,
    query: Annotated[LinesQuery, Query()],
) -> views.StatementView:
    """A party's statement of a closed window."""
    async with resources(request).database.read() as tx:
        return await _statement(tx, window, party, query, str(request.url.path))


@router.get(
    "/v1/windows/{window}/statements/{party}/csv",
    response_class=Response,
    responses=_AS_CSV,
    dependencies=[auth.allow(*_STAFF)],
)
async def get_statement_csv(
    request: Request, window: fields.NumberText, party: fields.NumberText
) -> Response:
    """The same, whole, as CSV: UTF-8 with a byte order mark, Persian headings, whole Rial."""
    async with resources(request).database.read() as tx:
        return await _csv(tx, window, party)


@router.get(
    "/v1/windows/{window}/statements/{party}/pdf",
    response_class=Response,
    responses=_AS_PDF,
    dependencies=[auth.allow(*_STAFF)],
)
async def get_statement_pdf(
    request: Request, window: fields.NumberText, party: fields.NumberText
) -> Response:
    """The same, whole, as a Persian paper to print: A4, the amount in words.

    422 statement-too-long; 429 printing-busy, with Retry-After.
    """
    return await _pdf(request, window, party=party)


@router.get(
    "/v1/windows/{window}/statements/{party}/transactions", dependencies=[auth.allow(*_STAFF)]
)
async def list_transactions(
    request: Request,
    window: fields.NumberText,
    party: fields.NumberText,
    query: Annotated[TransactionsQuery, Query()],
) -> views.TransactionList:
    """The transactions behind a line of a statement."""
    async with resources(request).database.read() as tx:
        return await _transactions(tx, window, party, query)


@router.get(
    "/v1/merchants/{merchant}/statements/{window}", dependencies=[auth.allow(*_STAFF, own=True)]
)
async def get_merchant_statement(
    request: Request,
    merchant: fields.NumberText,
    window: fields.NumberText,
    query: Annotated[LinesQuery, Query()],
) -> views.StatementView:
    """The statement of the party that a merchant belongs to, for the merchant's own reader too."""
    async with resources(request).database.read() as tx:
        party = await usecases.party_of(tx, merchant)
        return await _statement(tx, window, party, query, str(request.url.path))


@router.get(
    "/v1/merchants/{merchant}/statements/{window}/csv",
    response_class=Response,
    responses=_AS_CSV,
    dependencies=[auth.allow(*_STAFF, own=True)],
)
async def get_merchant_statement_csv(
    request: Request, merchant: fields.NumberText, window: fields.NumberText
) -> Response:
    """The same, whole, as CSV: UTF-8 with a byte order mark, Persian headings, whole Rial."""
    async with resources(request).database.read() as tx:
        return await _csv(tx, window, await usecases.party_of(tx, merchant))


@router.get(
    "/v1/merchants/{merchant}/statements/{window}/pdf",
    response_class=Response,
    responses=_AS_PDF,
    dependencies=[auth.allow(*_STAFF, own=True)],
)
async def get_merchant_statement_pdf(
    request: Request, merchant: fields.NumberText, window: fields.NumberText
) -> Response:
    """The same, whole, as a Persian paper to print: A4, the amount in words.

    422 statement-too-long; 429 printing-busy, with Retry-After.
    """
    return await _pdf(request, window, merchant=merchant)


@router.get(
    "/v1/merchants/{merchant}/statements/{window}/transactions",
    dependencies=[auth.allow(*_STAFF, own=True)],
)
async def list_merchant_transactions(
    request: Request,
    merchant: fields.NumberText,
    window: fields.NumberText,
    query: Annotated[TransactionsQuery, Query()],
) -> views.TransactionList:
    """The transactions behind a line of that statement."""
    async with resources(request).database.read() as tx:
        party = await usecases.party_of(tx, merchant)
        return await _transactions(tx, window, party, query)


@router.get("/v1/windows/{window}/reconciliation", dependencies=[auth.allow(*_STAFF)])
async def get_reconciliation(request: Request, window: fields.NumberText) -> views.Reconciliation:
    """Windows, entries, positions and statements against one another; each difference by name."""
    async with resources(request).database.read() as tx:
        return views.Reconciliation(window, await usecases.reconcile(tx, window))


async def _statement(
    tx: Tx, window: int, party: int, query: LinesQuery, path: str
) -> views.StatementView:
    after = None if query.after is None else Pair(*cursors.two_numbers(query.after))
    drawn_up = await usecases.get_statement(tx, window, party, after=after, limit=query.limit)
    return views.view_of(drawn_up, path)


async def _csv(tx: Tx, window: int, party: int) -> Response:
    drawn_up = await usecases.get_statement(tx, window, party)
    name = f'attachment; filename="statement-{window}-{party}.csv"'
    headers = {"content-disposition": name}
    return Response(statement.csv_of(drawn_up), media_type=_CSV, headers=headers)


async def _pdf(request: Request, window: int, *, party: int = 0, merchant: int = 0) -> Response:
    """Of a party, or of a merchant's. Nothing of the database is held while the sheet is set."""
    opened = resources(request)
    async with opened.database.read() as tx:
        party = party or await usecases.party_of(tx, merchant)
        drawn_up = await usecases.get_printable(tx, window, party)
    sheet = printed.sheet_of(drawn_up, views.seal_of(drawn_up))
    pdf = await opened.shared(press_of).pdf_of(sheet)
    name = quote(
        f"صورت‌حساب-{digits_fa(window)}-{digits_fa(party)}.pdf", safe=""
    )  # RFC 6266, RFC 8187
    plain = f"statement-{window}-{party}.pdf"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}"
    return Response(pdf, media_type=_PDF, headers={"content-disposition": disposition})


async def _transactions(
    tx: Tx, window: int, party: int, query: TransactionsQuery
) -> views.TransactionList:
    after = _FIRST if query.after is None else cursors.two_numbers(query.after, most=_MOST)
    pair = statement.pair_of(query.side, party, query.counterparty)
    entries = await usecases.list_transactions(tx, window, pair, after=after, limit=query.limit)
    items = [views.transaction_view(entry) for entry in entries]
    following = f"{items[-1].shard}.{items[-1].sequence}" if len(items) == query.limit else None
    return views.TransactionList(items, following)
