"""HTTP door of settlements: proposed, approved, followed."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.settings import Settings
from merchants.settlement.api import views
from merchants.settlement.api.views import PartyPaymentView, SettlementSummary, SettlementView
from merchants.settlement.domain.bank_files import Payer
from merchants.settlement.domain.instructions import Limits
from merchants.settlement.domain.settlements import NoSettlementAccount
from merchants.settlement.usecases import payments, settlements
from merchants.settlement.usecases.settlements import SettlementReport

router = APIRouter(tags=["settlement"])
_PATH: Final = "/v1/windows/{window}/settlement"
_MONEY: Final = auth.allow(Role.MONEY)
_READERS: Final = auth.allow(Role.MONEY, Role.AUDITOR)
NEWEST: Final = 2**31 - 1


class ProposalBody(BaseModel):
    """`dry_run`: say who would pay how much, and change nothing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dry_run": True}]})
    dry_run: fields.Flag = False


@dataclass(frozen=True, slots=True)
class ProposalView:
    """Who would pay and be paid how much. settlement: None where it is only a dry run."""

    parties: list[PartyPaymentView]
    settlement: SettlementView | None


@dataclass(frozen=True, slots=True)
class SettlementList:
    """Settlements, newest first; next: send it as before."""

    items: list[SettlementSummary]
    next: int | None


@dataclass(frozen=True, slots=True)
class Reinstructed:
    """How many lines the new file has, and the settlement after it."""

    lines: int
    settlement: SettlementView


@router.put(_PATH, dependencies=[_MONEY])
async def put_settlement(
    request: Request, response: Response, window: fields.NumberText, body: ProposalBody
) -> ProposalView:
    """Propose to settle what is unpaid up to a closed window: 201; 200 when repeated.

    409 settlement-under-way, window-already-settled, nothing-to-settle, window-not-closed.
    """
    opened = resources(request)
    config: Settings = opened.settings
    if body.dry_run:
        async with opened.database.read() as tx:
            targets = await settlements.preview(tx, window, minimum_rial=config.minimum_payout_rial)
        return ProposalView([views.party_view(one) for one in targets], None)
    by = auth.actor_of(request).subject

    async def propose(act: audit_trail.Act) -> tuple[SettlementReport, bool]:
        report, created = await settlements.propose(
            act.tx,
            window,
            minimum_rial=config.minimum_payout_rial,
            by=by,
            now=opened.clock.now(),
        )
        act.tell(views.summary(report.settlement))
        return report, created

    report, created = await audit_trail.written(request, opened.database, propose)
    response.status_code = 201 if created else 200
    view = views.view(report)
    return ProposalView(view.parties, view)


@router.put(_PATH + "/approval", dependencies=[_MONEY])
async def put_approval(request: Request, window: fields.NumberText) -> SettlementView:
    """Approve what somebody else proposed; debtors are asked for their payments.

    403 same-person; 409 settlement-not-there, no-settlement-account.
    """
    opened = resources(request)
    payer_of(opened.settings)  # before anybody is asked to pay
    async with audit_trail.writing(request, opened.database) as act:
        report = await settlements.approve(
            act.tx,
            window,
            by=auth.actor_of(request).subject,
            now=opened.clock.now(),
            limits=limits_of(opened.settings),
        )
        act.tell(views.summary(report.settlement))
    return views.view(report)


@router.put(_PATH + "/withdrawal", dependencies=[_MONEY])
async def put_withdrawal(request: Request, window: fields.NumberText) -> SettlementView:
    """End a settlement of which nobody has paid yet; a later window settles all of it."""
    opened = resources(request)
    async with audit_trail.writing(request, opened.database) as act:
        report = await settlements.withdraw(act.tx, window, now=opened.clock.now())
        act.tell(views.summary(report.settlement))
    return views.view(report)


@router.put(_PATH + "/exclusions/{party}", dependencies=[_MONEY])
async def put_exclusion(
    request: Request, window: fields.NumberText, party: fields.NumberText
) -> SettlementView:
    """Leave out a party that does not pay; a second person approves the others' payments again."""
    opened = resources(request)
    async with audit_trail.writing(request, opened.database) as act:
        report = await settlements.exclude(
            act.tx,
            window,
            party,
            by=auth.actor_of(request).subject,
            now=opened.clock.now(),
        )
        act.tell(views.summary(report.settlement))
    return views.view(report)


@router.put(_PATH + "/reinstruction", dependencies=[_MONEY])
async def put_reinstruction(request: Request, window: fields.NumberText) -> Reinstructed:
    """Instruct again what was rejected or returned, or waited for a Sheba: a new file."""
    opened = resources(request)
    async with audit_trail.writing(request, opened.database) as act:
        lines = await payments.reinstruct(
            act.tx, window, now=opened.clock.now(), limits=limits_of(opened.settings)
        )
        report = await settlements.get_settlement(act.tx, window)
        act.tell({"window": window, "lines": lines})
    return Reinstructed(lines, views.view(report))


@router.get(_PATH, dependencies=[_READERS])
async def get_settlement(request: Request, window: fields.NumberText) -> SettlementView:
    """A settlement: who pays and is paid, by which instructions, and what was booked."""
    async with resources(request).database.read() as tx:
        return views.view(await settlements.get_settlement(tx, window))


@router.get("/v1/settlements", dependencies=[_READERS])
async def list_settlements(
    request: Request,
    before: fields.NumberText = NEWEST,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> SettlementList:
    """Settlements, newest first."""
    async with resources(request).database.read() as tx:
        page = await settlements.list_settlements(tx, before=before, limit=limit)
    following = page[-1].window if len(page) == limit else None
    return SettlementList([views.summary(one) for one in page], following)


def limits_of(config: Settings) -> Limits:
    """The limits of payment systems that the settings have."""
    return Limits(config.paya_max_rial, config.satna_max_rial)


def payer_of(config: Settings) -> Payer:
    """The network's account that payments go through. Raises NoSettlementAccount."""
    if not config.settlement_sheba:
        raise NoSettlementAccount("set PEYVAND_SETTLEMENT_SHEBA; nothing is paid without it")
    return Payer(config.settlement_name, config.settlement_sheba)
