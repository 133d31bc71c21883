"""HTTP door of daily totals."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from kit.base import auth, errors, fields
from kit.room import resources
from merchants import settings
from merchants.daily_totals import usecases
from merchants.daily_totals.domain import DailyTotals

router = APIRouter(tags=["daily totals"])


@dataclass(frozen=True, slots=True)
class DailyTotalsList:
    """Days with a transaction, in order; all of them, so next is always None."""

    items: list[DailyTotals]
    next: None = None


@router.get("/v1/merchants/{merchant}/tally", dependencies=[auth.allow(*auth.STAFF, own=True)])
async def get_daily_totals(
    request: Request,
    merchant: fields.NumberText,
    first: Annotated[fields.Day, Query(alias="from")],
    last: Annotated[fields.Day, Query(alias="to")],
) -> DailyTotalsList:
    """A merchant's Tehran days from first to last, both included; 366 at most.

    Days are Gregorian, 2026-11-22, or Solar Hijri, 1405-09-01.
    """
    if not timedelta(0) <= last - first < timedelta(days=settings.TOTALS_DAYS_MAX):
        raise errors.Invalid(
            f"{first} to {last}: from and to must span 1 to {settings.TOTALS_DAYS_MAX} days",
            code="bad-period",
            fa="بازه باید ۱ تا ۳۶۶ روز باشد و آغازش پیش از پایان.",
        )
    database = resources(request).database
    async with database.read() as tx:
        items = await usecases.list_days(tx, merchant, first, last, limit=settings.TOTALS_DAYS_MAX)
    return DailyTotalsList(items)
