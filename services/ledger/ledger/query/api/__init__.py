"""HTTP door: readings of the book and proofs of it for operators, one outcome for the gateway."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from kit.base import auth
from ledger.query.api import accounts, doors, network, proofs
from ledger.query.usecases import outcomes

internal = APIRouter(include_in_schema=False)


@internal.get("/internal/outcomes/{shard}/{name}", dependencies=[auth.allow(auth.SERVICE)])
async def get_outcome(
    request: Request,
    shard: Annotated[int, Path(ge=0, le=32767)],
    name: Annotated[str, Path(max_length=200)],
) -> Response:
    """The first answer as it was given, and what has become of the name since."""
    async with doors.database(request).read() as tx:
        outcome = await outcomes.outcome_of(tx, shard, name, now=doors.clock(request).now())
    return doors.answer(outcome)


ROUTERS: Final = (accounts.router, network.router, proofs.router, internal)
