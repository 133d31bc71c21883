"""HTTP door of adjustments: what two people add to an account, or take from it."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Final, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, model_validator

from kit import audit_trail
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from kit.stream.requests import Progress
from members import settings
from members.adjustments import usecases
from members.adjustments.domain import AdjustedUnit, Adjustment, Correction, Direction

READERS: Final = auth.allow(Role.AUDITOR, Role.MONEY, Role.SUPPORT, Role.REVIEWER)

router = APIRouter(tags=["adjustments"])


class AdjustmentBody(BaseModel):
    """amount: in unit (NP, MP, CR). To add: funder, cost_rial of all of it, perhaps expires_at.

    To take, none of these three: lots of the issuer know them. reason: why, for people.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "direction": "add",
                    "unit": "NP",
                    "amount": 40,
                    "issuer": 5,
                    "funder": 1,
                    "cost_rial": 4_000,
                    "reason": "امتیازی که پایانهٔ خراب ثبت نکرد",
                }
            ]
        },
    )
    direction: Direction
    unit: AdjustedUnit
    amount: fields.PositiveAmount
    issuer: fields.Number
    funder: fields.Number | None = None
    cost_rial: fields.Amount | None = None
    expires_at: fields.Moment | None = None
    reason: fields.Title

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Adding has a funder and a cost; taking has neither, and no end."""
        lot = (self.funder, self.cost_rial)
        if self.direction is Direction.ADD and None in lot:
            raise ValueError("to add, name funder and cost_rial")
        if self.direction is Direction.TAKE and any(
            value is not None for value in (*lot, self.expires_at)
        ):
            raise ValueError("to take, leave out funder, cost_rial and expires_at")
        return self

    def correction(self) -> Correction:
        """What is corrected."""
        return Correction(
            direction=self.direction,
            unit=self.unit,
            amount=self.amount,
            issuer=self.issuer,
            funder=self.funder or 0,
            cost_rial=self.cost_rial or 0,
            expires_at=self.expires_at,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True)
class Adjustments:
    """A page of adjustments, newest first; next: send it as before."""

    items: list[Adjustment]
    next: int | None


@router.put(
    "/v1/accounts/{account}/adjustments/{adjustment}",
    status_code=202,
    responses={200: {"model": Adjustment, "description": "Answered already"}},
    dependencies=[auth.allow(Role.MONEY)],
)
async def put_adjustment(
    request: Request,
    response: Response,
    account: fields.AccountText,
    adjustment: uuid.UUID,
    body: AdjustmentBody,
) -> Adjustment:
    """Correct an account by hand, with a reason: 202 until the ledger has answered, then 200.

    One person proposes it and another approves; a program's key is refused,
    `second-person-needed`. The address in Location, which is this one, gives the answer.
    """
    opened, actor = resources(request), auth.actor_of(request)
    fresh = Adjustment(
        adjustment=str(adjustment),
        version=0,
        correction=body.correction(),
        proposed_by=actor.subject,
        approved_by=actor.approved_by,
        adjusted_at=opened.clock.now(),
    )

    async def adjust(act: audit_trail.Act) -> Adjustment:
        kept = await usecases.adjust(act.tx, account, fresh)
        act.tell(kept)
        return kept

    kept = await audit_trail.written(request, opened.database, adjust)
    response.status_code = 202 if kept.status is Progress.PENDING else 200
    response.headers["location"] = f"/v1/accounts/{account}/adjustments/{adjustment}"
    return kept


@router.get("/v1/accounts/{account}/adjustments/{adjustment}", dependencies=[READERS])
async def get_adjustment(
    request: Request, account: fields.AccountText, adjustment: uuid.UUID
) -> Adjustment:
    """The state of an adjustment: pending, completed, or declined with its code."""
    async with resources(request).database.read() as tx:
        return await usecases.get_adjustment(tx, account, str(adjustment))


@router.get("/v1/accounts/{account}/adjustments", dependencies=[READERS])
async def list_adjustments(
    request: Request,
    account: fields.AccountText,
    before: fields.NumberText = 2**31 - 1,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> Adjustments:
    """What was corrected by hand in an account: how much, by whom, why; newest first."""
    async with resources(request).database.read() as tx:
        items = await usecases.list_adjustments(tx, account, before=before, limit=limit)
    return Adjustments(items, items[-1].version if len(items) == limit else None)
