"""Routes over all shards: positions, vintages, revenue."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from contracts.values import AMOUNT_MAX, BASIS_POINTS, Unit
from kit.base import auth, errors
from kit.base.auth import Role
from ledger.log.domain import as_of
from ledger.query.api import doors, shapes
from ledger.query.api.doors import PARTY_MAX, Limit
from ledger.query.usecases import network
from ledger.query.usecases.network import PERIODS_MAX, Estimate, Part

router = APIRouter(tags=["ledger"])


class PositionsQuery(doors.OfBook):
    """Pairs of parties by number."""

    after: Annotated[str, Field(pattern=r"^\d{1,10}\.\d{1,10}$")] = "0.0"
    limit: Limit = 100


class VintagesQuery(doors.OfBook):
    """Vintages by issuer, unit and month."""

    issuer: Annotated[int | None, Field(ge=1, le=PARTY_MAX)] = None
    unit: Unit | None = None
    after: Annotated[str | None, Field(max_length=32)] = None
    limit: Limit = 100


class RevenueQuery(doors.Parameters):
    """One vintage, the ends of periods in order, and what is estimated at each."""

    issuer: Annotated[int, Field(ge=1, le=PARTY_MAX)]
    month: Annotated[str, Field(max_length=16, description="Solar Hijri, 1405-03")]
    at: Annotated[list[str], Field(min_length=1, max_length=PERIODS_MAX)]
    allocated_rial: Annotated[
        list[Annotated[int, Field(ge=0, le=AMOUNT_MAX)]], Field(max_length=PERIODS_MAX)
    ]
    redeemed_share_bp: Annotated[
        list[Annotated[int, Field(ge=0, le=BASIS_POINTS)]], Field(max_length=PERIODS_MAX)
    ]
    unit: Unit = Unit.NETWORK_POINTS


@router.get(
    "/v1/positions",
    responses=doors.shaped(shapes.Positions),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)],
)
async def list_positions(request: Request, query: Annotated[PositionsQuery, Query()]) -> Response:
    """Who owes whom, gross, with the network's fee: now, or as of a time or a vector.

    The answer names the vector of sequence numbers it is as of; give it back as `vector` for the
    next page, so that all pages are of one moment.
    """
    requested = doors.as_of_book(request, query)
    pair = doors.pair_of(query.after, PARTY_MAX, PARTY_MAX)
    async with doors.database(request).read() as tx:
        positions = await network.list_positions(tx, requested, after=pair, limit=query.limit)
    return doors.answer(positions)


@router.get(
    "/v1/vintages",
    responses=doors.shaped(shapes.Vintages),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)],
)
async def list_vintages(request: Request, query: Annotated[VintagesQuery, Query()]) -> Response:
    """Points by issuer and Solar Hijri issue month, and their cost: what became of them.

    issued − redeemed − reversed + restored − expired − in transit = outstanding. As of now, a time
    or a vector. A report that adds up the issuer's lots: not for a till.
    """
    requested = doors.as_of_book(request, query)
    part = Part(
        issuer=query.issuer,
        unit=query.unit,
        after=None if query.after is None else network.vintage_key(query.after),
        limit=query.limit,
    )
    async with doors.database(request).read() as tx:
        vintages = await network.list_vintages(tx, requested, part)
    return doors.answer(vintages)


@router.get(
    "/v1/revenue",
    responses=doors.shaped(shapes.Revenue),
    dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)],
)
async def get_revenue(request: Request, query: Annotated[RevenueQuery, Query()]) -> Response:
    """Revenue from one vintage's points under IFRS 15, period by period, with its liability.

    at: the end of each period, in order. allocated_rial: what was paid for the points that stand;
    redeemed_share_bp: how many of those issued are expected to be redeemed in the end, in basis
    points. Both once, or once a period.
    """
    ends = [as_of.time_of(text) for text in query.at]
    rials, shares = _each(query.allocated_rial, ends), _each(query.redeemed_share_bp, ends)
    estimates = [
        Estimate(at=end, allocated_rial=rial, redeemed_share_bp=share)
        for end, rial, share in zip(ends, rials, shares, strict=True)
    ]
    key = (query.issuer, query.unit, as_of.month_of(query.month))
    now = doors.clock(request).now()
    async with doors.database(request).read() as tx:
        revenue = await network.revenue_of(tx, key, estimates, now=now)
    return doors.answer(revenue)


def _each(values: list[int], ends: list[datetime]) -> list[int]:
    if len(values) == 1:
        return values * len(ends)
    if len(values) != len(ends):
        raise errors.Invalid(
            "give allocated_rial and redeemed_share_bp once, or once for each at",
            code="periods-do-not-match",
            fa="بها و سهم مصرف را یک بار، یا برای هر دوره یک بار بدهید.",
        )
    return values
