"""HTTP door: a test evaluation of a basket."""

import asyncio
from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from campaigns.awards import usecases
from campaigns.awards.usecases import caches_of
from contracts.pos import LINES_MAX, Line, PosTransaction
from contracts.values import Channel, Kind
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import Resources, resources

Word = Annotated[fields.Code, Field(max_length=64)]  # folded, as on the road; empty: none


router = APIRouter(tags=["rules"])


class LineBody(BaseModel):
    """One line of a basket."""

    model_config = ConfigDict(extra="forbid")

    line: Annotated[int, Field(ge=1, le=9999, strict=True)]
    amount_rial: fields.Amount
    quantity: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 1
    sku: Word = ""
    category: Word = ""


class BasketBody(BaseModel):
    """A basket to try. accepted_at absent: now; occurred_at absent: the same."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"merchant": 12, "amount_rial": 2_000_000}]},
    )

    merchant: fields.Number
    branch: fields.NumberOrZero = 0
    terminal: fields.NumberOrZero = 0
    kind: Literal["purchase", "redemption"] = "purchase"
    channel: Channel = Channel.TILL
    occurred_at: fields.Moment | None = None
    accepted_at: fields.Moment | None = None
    amount_rial: fields.Amount
    lines: Annotated[list[LineBody], Field(max_length=LINES_MAX)] = []
    points: fields.Amount = 0
    credit_rial: fields.Amount = 0

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.lines and sum(line.amount_rial for line in self.lines) != self.amount_rial:
            raise ValueError("the lines do not add up to amount_rial")
        if len({line.line for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have one number")
        return self


def one_trial(_: Resources) -> asyncio.Lock:
    """Only one basket is tried at a time, so that the tills' sales are served in between."""
    return asyncio.Lock()


@router.post("/v1/rules/evaluate", dependencies=[auth.allow(Role.RULES)])
async def evaluate(request: Request, body: BasketBody) -> Response:
    """What a basket would get, and why: awards, unearned lines, an explanation per rule."""
    accepted_at = body.accepted_at or resources(request).clock.now()
    async with resources(request).database.read() as tx:
        await usecases.refresh(tx, resources(request).shared(caches_of))
    async with resources(request).shared(one_trial):
        evaluation = await usecases.evaluate(
            _transaction(body),
            occurred_at=body.occurred_at or accepted_at,
            accepted_at=accepted_at,
            caches=resources(request).shared(caches_of),
        )
    return Response(msgspec.json.encode(_view(evaluation)), media_type="application/json")


def _transaction(body: BasketBody) -> PosTransaction:
    return PosTransaction(
        name="",
        kind=Kind(body.kind),
        channel=body.channel,
        merchant=body.merchant,
        party=0,
        branch=body.branch,
        terminal=body.terminal,
        amount_rial=body.amount_rial,
        lines=tuple(Line(**line.model_dump()) for line in body.lines),
        points=body.points,
        credit_rial=body.credit_rial,
    )


def _view(evaluation: usecases.Evaluation) -> dict[str, Any]:
    return {
        "programme_version": evaluation.programme_version,
        "terms_version": evaluation.terms_version,
        "points": evaluation.sale.earned.points,
        "awards": evaluation.sale.earned.awards,
        "unearned": evaluation.sale.earned.unearned,
        "redemption": evaluation.sale.redemption,
        "decline": evaluation.sale.decline,
        "explanations": evaluation.explanations,
    }
