"""HTTP door of tallies."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from kit import auth, errors
from kit.db import Database
from merchants import settings
from merchants.domain.tallies import Tally
from merchants.usecases import tallies as usecases

router = APIRouter(tags=["tallies"])


@dataclass(frozen=True, slots=True)
class Tallies:
    """Days that had anything, in order; all of them, so next is always None."""

    items: list[Tally]
    next: None = None


@router.get("/v1/merchants/{merchant}/tally")
async def get_tally(
    request: Request,
    merchant: Annotated[int, Path(ge=1, le=2**31 - 1)],
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
) -> Tallies:
    """A merchant's Tehran days from first to last, both included; 366 at most."""
    auth.require(request, "operator", f"merchant:{merchant}")
    if not timedelta(0) <= last - first < timedelta(days=settings.TALLY_DAYS_MAX):
        raise errors.Invalid(f"from and to must span 1 to {settings.TALLY_DAYS_MAX} days")
    database: Database = request.app.state.database
    async with database.read() as tx:
        items = await usecases.list_days(tx, merchant, first, last, limit=settings.TALLY_DAYS_MAX)
    return Tallies(items)
