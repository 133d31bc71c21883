"""HTTP door of tallies."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from kit.base import auth, errors, fields
from kit.room import resources
from merchants import settings
from merchants.daily_totals import usecases
from merchants.daily_totals.domain import Tally

router = APIRouter(tags=["tallies"])


@dataclass(frozen=True, slots=True)
class Tallies:
    """Days that had anything, in order; all of them, so next is always None."""

    items: list[Tally]
    next: None = None


@router.get("/v1/merchants/{merchant}/tally", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def get_tally(
    request: Request,
    merchant: fields.NumberText,
    first: Annotated[fields.Day, Query(alias="from")],
    last: Annotated[fields.Day, Query(alias="to")],
) -> Tallies:
    """A merchant's Tehran days from first to last, both included; 366 at most.

    Days are Gregorian, 2026-11-22, or Solar Hijri, 1405-09-01.
    """
    if not timedelta(0) <= last - first < timedelta(days=settings.TALLY_DAYS_MAX):
        raise errors.Invalid(
            f"{first} to {last}: from and to must span 1 to {settings.TALLY_DAYS_MAX} days",
            code="bad-period",
            fa="بازه باید ۱ تا ۳۶۶ روز باشد و آغازش پیش از پایان.",
        )
    database = resources(request).database
    async with database.read() as tx:
        items = await usecases.list_days(tx, merchant, first, last, limit=settings.TALLY_DAYS_MAX)
    return Tallies(items)
