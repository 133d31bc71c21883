"""HTTP door of clearing: settlement windows, their gross matrix and net positions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import cursors, settings
from merchants.clearing import usecases
from merchants.clearing.domain.counting import Pair, PairSums
from merchants.clearing.domain.positions import Position
from merchants.clearing.domain.windows import WindowState
from merchants.clearing.usecases import WindowReport

Limit = Annotated[int, Query(ge=1, le=settings.PAGE_MAX)]
Before = Annotated[fields.NumberText, Query(description="the last number of the page before")]

router = APIRouter(tags=["clearing"])


class CutBody(BaseModel):
    """`dry_run`: say what would be closed, and change nothing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dry_run": True}]})
    dry_run: fields.Flag = False


@dataclass(frozen=True, slots=True)
class WindowView:
    """A settlement window. Rial are text of digits, since sums may pass 2^53.

    state: open, closing, closed. vector: the last sequence number of the window on each shard that
    has answered; with all of them it is the vector of `/v1/positions`. claims_rial: what parties
    came to owe one another. fee_rial: the network's. net_rial: what changes hands once claims are
    set off. An open window's sums are those so far. code, fa, en: why a shard declined the marker.
    """

    window: int
    state: WindowState
    opened_at: datetime
    cut_at: datetime | None
    cut_by: str | None
    closed_at: datetime | None
    shards: int | None
    vector: dict[str, int]
    outcomes_count: int
    entries_count: int
    claims_rial: str
    reversed_rial: str
    fee_rial: str
    paid_rial: str
    net_rial: str
    code: str
    fa: str
    en: str


@dataclass(frozen=True, slots=True)
class WindowList:
    """Windows, newest first; next: send it as before."""

    items: list[WindowView]
    next: int | None


@dataclass(frozen=True, slots=True)
class PairView:
    """What one party came to owe another in a window; Rial are text of digits.

    due_rial: claims less reversals, with the network's fee. paid_rial: paid in this window, for
    whatever window. own_discount_rial: what an acceptor (alone in its pair) gave beyond claims.
    released_rial: cost of the debtor's points that the creditor did not claim.
    """

    debtor: int
    creditor: int
    entries_count: int
    claims_rial: str
    reversed_rial: str
    fee_rial: str
    due_rial: str
    paid_rial: str
    own_discount_rial: str
    released_rial: str


@dataclass(frozen=True, slots=True)
class PairList:
    """The gross matrix in order of debtor and creditor; next: send it as after."""

    items: list[PairView]
    next: str | None


@dataclass(frozen=True, slots=True)
class PositionView:
    """One party's figures of a closed window; Rial are text of digits, above zero in its favour.

    position_rial = claims − claims_reversed − dues + dues_reversed − fee + corrections (ends of
    disputes in the window). closing_rial = opening + position − paid. The network's fee is below
    zero: what others owe it. Positions sum to zero.
    """

    party: int
    opening_rial: str
    claims_rial: str
    claims_reversed_rial: str
    dues_rial: str
    dues_reversed_rial: str
    fee_rial: str
    position_rial: str
    paid_rial: str
    closing_rial: str
    corrections_rial: str


@dataclass(frozen=True, slots=True)
class PositionList:
    """Net positions by party; next: send it as after."""

    items: list[PositionView]
    next: int | None


@router.put(
    "/v1/windows/{window}",
    status_code=202,
    responses={200: {"model": WindowView, "description": "Closed already, or a dry run"}},
    dependencies=[auth.allow(Role.MONEY)],
)
async def put_window(
    request: Request, response: Response, window: fields.NumberText, body: CutBody
) -> WindowView:
    """Cut the open window: 202 until every shard has passed the marker, then 200.

    What comes after the marker falls into the next window; nothing is refused because of it.
    """
    opened = resources(request)
    now = opened.clock.now()
    if body.dry_run:
        async with opened.database.transaction() as tx:
            preview = await usecases.preview_cut(tx, window, now=now)
        response.status_code = 200
        return _window_view(preview)
    by, shards = auth.actor_of(request).subject, opened.settings.shards
    async with audit_trail.writing(request, opened.database) as act:
        await usecases.cut_window(act.tx, window, by=by, now=now, shards=shards)
        report = await usecases.get_window(act.tx, window)
        act.tell(report.window)
    response.status_code = 200 if report.window.state is WindowState.CLOSED else 202
    return _window_view(report)


@router.get("/v1/windows/{window}", dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)])
async def get_window(request: Request, window: fields.NumberText) -> WindowView:
    """One settlement window with its state and sums."""
    async with resources(request).database.read() as tx:
        return _window_view(await usecases.get_window(tx, window))


@router.get("/v1/windows", dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)])
async def list_windows(
    request: Request, before: Before = fields.NUMBER_MAX, limit: Limit = 50
) -> WindowList:
    """Settlement windows, newest first."""
    async with resources(request).database.read() as tx:
        reports = await usecases.list_windows(tx, before=before, limit=limit)
    items = [_window_view(report) for report in reports]
    return WindowList(items, items[-1].window if len(items) == limit else None)


@router.get("/v1/windows/{window}/pairs", dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)])
async def list_pairs(
    request: Request,
    window: fields.NumberText,
    after: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
) -> PairList:
    """The gross matrix: what each party came to owe each other one, over all shards."""
    last = None if after is None else Pair(*cursors.two_numbers(after))
    async with resources(request).database.read() as tx:
        pairs = await usecases.list_pairs(tx, window, after=last, limit=limit)
    items = [_pair_view(pair, sums) for pair, sums in pairs.items()]
    following = f"{items[-1].debtor}.{items[-1].creditor}" if len(items) == limit else None
    return PairList(items, following)


@router.get("/v1/windows/{window}/positions", dependencies=[auth.allow(Role.AUDITOR, Role.MONEY)])
async def list_positions(
    request: Request,
    window: fields.NumberText,
    after: fields.AfterNumber = 0,
    limit: Limit = 50,
) -> PositionList:
    """One net position a party of a closed window."""
    async with resources(request).database.read() as tx:
        positions = await usecases.list_positions(tx, window, after=after, limit=limit)
    items = [_position_view(position) for position in positions]
    return PositionList(items, items[-1].party if len(items) == limit else None)


def _window_view(report: WindowReport) -> WindowView:
    window, sums, answer = report.window, report.sums, report.answer
    return WindowView(
        window=window.window,
        state=window.state,
        opened_at=window.opened_at,
        cut_at=window.cut_at,
        cut_by=window.cut_by,
        closed_at=window.closed_at,
        shards=window.shards,
        vector={str(marker.shard): marker.last for marker in report.markers},
        outcomes_count=sums.outcomes_count,
        entries_count=sums.entries_count,
        claims_rial=str(sums.claims_rial),
        reversed_rial=str(sums.reversed_rial),
        fee_rial=str(sums.fee_rial),
        paid_rial=str(sums.paid_rial),
        net_rial=str(sums.net_rial),
        code=answer.code,
        fa=answer.fa,
        en=answer.en,
    )


def _pair_view(pair: Pair, sums: PairSums) -> PairView:
    return PairView(
        debtor=pair.debtor,
        creditor=pair.creditor,
        entries_count=sums.entries_count,
        claims_rial=str(sums.claims_rial),
        reversed_rial=str(sums.reversed_rial),
        fee_rial=str(sums.fee_rial),
        due_rial=str(sums.due_rial),
        paid_rial=str(sums.paid_rial),
        own_discount_rial=str(sums.own_discount_rial),
        released_rial=str(sums.released_rial),
    )


def _position_view(position: Position) -> PositionView:
    return PositionView(
        party=position.party,
        opening_rial=str(position.opening_rial),
        claims_rial=str(position.claims_rial),
        claims_reversed_rial=str(position.claims_reversed_rial),
        dues_rial=str(position.dues_rial),
        dues_reversed_rial=str(position.dues_reversed_rial),
        fee_rial=str(position.fee_rial),
        position_rial=str(position.position_rial),
        paid_rial=str(position.paid_rial),
        closing_rial=str(position.closing_rial),
        corrections_rial=str(position.corrections_rial),
    )
