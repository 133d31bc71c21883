"""HTTP door of where parties are paid: a change is proposed by one person, approved by another."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import fields as numbers
from merchants.parties.domain import masked
from merchants.settlement.store.instructions import ShebaChange
from merchants.settlement.usecases import payments

router = APIRouter(tags=["settlement"])
_PATH: Final = "/v1/parties/{party}/sheba-changes/{change}"


class ShebaBody(BaseModel):
    """sheba: IR and 24 digits, of any script. reason: what the party showed for it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"sheba": "IR050170000000123456789012", "reason": "نامهٔ بانک، ۱۲ آذر"}]
        },
    )
    sheba: numbers.Sheba
    reason: Annotated[fields.Prose, Field(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class ShebaChangeView:
    """A change of where a party is paid; of the Sheba the last four digits."""

    change: str
    party: int
    sheba: str | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None


@router.put(_PATH, dependencies=[auth.allow(Role.MONEY)])
async def put_sheba_change(
    request: Request,
    response: Response,
    party: fields.NumberText,
    change: uuid.UUID,
    body: ShebaBody,
) -> ShebaChangeView:
    """Propose where a party is to be paid from now on: 201; 200 when repeated."""
    opened = resources(request)
    proposed = ShebaChange(
        change=str(change),
        party=party,
        sheba=body.sheba,
        reason=body.reason,
        proposed_by=auth.actor_of(request).subject,
        proposed_at=opened.clock.now(),
    )

    async def propose(act: audit_trail.Act) -> tuple[ShebaChange, bool]:
        kept, created = await payments.propose_sheba(act.tx, proposed)
        act.tell(_view(kept))
        return kept, created

    kept, created = await audit_trail.written(request, opened.database, propose)
    response.status_code = 201 if created else 200
    return _view(kept)


@router.put(_PATH + "/approval", dependencies=[auth.allow(Role.MONEY)])
async def put_sheba_approval(
    request: Request, party: fields.NumberText, change: uuid.UUID
) -> ShebaChangeView:
    """Approve it as a second person; payouts that are instructed from now on go there."""
    opened = resources(request)
    async with audit_trail.writing(request, opened.database) as act:
        kept = await payments.approve_sheba(
            act.tx,
            party,
            change,
            by=auth.actor_of(request).subject,
            now=opened.clock.now(),
        )
        act.tell(_view(kept))
    return _view(kept)


@router.get(_PATH, dependencies=[auth.allow(Role.MONEY, Role.AUDITOR)])
async def get_sheba_change(
    request: Request, party: fields.NumberText, change: uuid.UUID
) -> ShebaChangeView:
    """A change, and who approved it."""
    async with resources(request).database.read() as tx:
        return _view(await payments.get_sheba_change(tx, party, change))


def _view(kept: ShebaChange) -> ShebaChangeView:
    return ShebaChangeView(
        kept.change,
        kept.party,
        masked(kept.sheba),
        kept.reason,
        kept.proposed_by,
        kept.proposed_at,
        kept.approved_by,
        kept.approved_at,
    )
