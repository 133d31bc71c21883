"""HTTP door: readings of the book for operators, one outcome for the gateway."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from msgspec import json

from contracts.values import Unit
from kit import auth, errors, web
from kit.clock import Clock
from kit.db import Database
from ledger import views
from ledger.settings import PAGE_MAX

VERSION: Final = "0.1.0"

Account = Annotated[int, Path(ge=1, le=2**53 - 1)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]

router = APIRouter(tags=["ledger"])
internal = APIRouter(include_in_schema=False)


@router.get("/v1/accounts/{account}/balance")
async def get_balance(request: Request, account: Account) -> Response:
    """Total, available and pending points, credit, by issuer, and what expires next.

    All zeros, and shard null, for an account on which nothing was ever booked.
    """
    auth.require(request, "operator")
    database, clock = _parts(request)
    async with database.read() as tx:
        found = await views.balance_of(tx, account, now=clock.now())
    return _json(found)


@router.get("/v1/accounts/{account}/lots")
async def list_lots(
    request: Request, account: Account, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100
) -> Response:
    """Open lots by number."""
    auth.require(request, "operator")
    database, _ = _parts(request)
    async with database.read() as tx:
        found = await views.list_lots(tx, account, after=after, limit=limit)
    return _json(found)


@router.get("/v1/accounts/{account}/statement")
async def list_statement(
    request: Request,
    account: Account,
    unit: Annotated[Unit, Query()] = Unit.NETWORK_POINTS,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Limit = 100,
) -> Response:
    """Entries in one unit, newest first, each with its running balance."""
    auth.require(request, "operator")
    database, _ = _parts(request)
    async with database.read() as tx:
        found = await views.list_statement(tx, account, unit=unit, before=before, limit=limit)
    return _json(found)


@router.get("/v1/positions")
async def list_positions(
    request: Request,
    after: Annotated[str, Query(pattern=r"^\d{1,10}\.\d{1,10}$")] = "0.0",
    limit: Limit = 100,
) -> Response:
    """Who owes whom, with the network's fee, as of one vector of sequence numbers."""
    auth.require(request, "operator")
    database, _ = _parts(request)
    debtor, _, creditor = after.partition(".")
    if max(int(debtor), int(creditor)) > _PARTY_MAX:
        raise errors.Invalid("after is the next of the page before", code="bad-cursor")
    async with database.read() as tx:
        found = await views.list_positions(tx, after=(int(debtor), int(creditor)), limit=limit)
    return _json(found)


@internal.get("/internal/outcomes/{shard}/{name}")
async def get_outcome(
    request: Request,
    shard: Annotated[int, Path(ge=0, le=32767)],
    name: Annotated[str, Path(max_length=200)],
) -> Response:
    """The first answer as it was given, and what has become of the name since."""
    auth.require(request, "service")
    database, clock = _parts(request)
    async with database.read() as tx:
        found = await views.outcome_of(tx, shard, name, now=clock.now())
    return _json(found)


def app(database: Database, clock: Clock, *, actor_secret: str) -> FastAPI:
    """The application of the ledger room."""
    made = web.app("Peyvand ledger", VERSION, routes=(router, internal), actor_secret=actor_secret)
    made.state.database = database
    made.state.clock = clock
    return made


_PARTY_MAX: Final = 2**31 - 1


def _parts(request: Request) -> tuple[Database, Clock]:
    return request.app.state.database, request.app.state.clock


def _json(value: dict[str, Any]) -> Response:
    return Response(json.encode(value), media_type="application/json")
