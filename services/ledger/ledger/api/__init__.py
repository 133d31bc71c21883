"""HTTP door: readings of the book and proofs of it for operators, one outcome for the gateway."""

from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Path, Request, Response

from kit import auth, web
from kit.clock import Clock
from kit.db import Database
from ledger import views
from ledger.api import accounts, doors, network, proofs
from ledger.clients import Archive

VERSION: Final = "0.2.0"

internal = APIRouter(include_in_schema=False)


@internal.get("/internal/outcomes/{shard}/{name}", dependencies=[auth.allow(auth.SERVICE)])
async def get_outcome(
    request: Request,
    shard: Annotated[int, Path(ge=0, le=32767)],
    name: Annotated[str, Path(max_length=200)],
) -> Response:
    """The first answer as it was given, and what has become of the name since."""
    async with doors.database(request).read() as tx:
        found = await views.outcome_of(tx, shard, name, now=doors.clock(request).now())
    return doors.answer(found)


def app(
    database: Database, clock: Clock, *, actor_secret: str, archive: Archive | None = None
) -> FastAPI:
    """The application of the ledger room. archive None: no checkpoints are published."""
    routes = (accounts.router, network.router, proofs.router, internal)
    signed = auth.Signing("ledger", actor_secret)
    made = web.app("Peyvand ledger", VERSION, routes=routes, signed=signed)
    made.state.database = database
    made.state.clock = clock
    made.state.archive = archive
    return made
