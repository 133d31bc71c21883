"""HTTP door of alerts: names that an operator must look at."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from contracts.values import public_id
from fraud.alerts import usecases
from fraud.alerts.domain import Alert, AlertKind, NameSeen
from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources

LIMIT_MAX: Final = 200


router = APIRouter(tags=["fraud"])


class NameSeenView(BaseModel):
    """A name as one shard saw it. transaction: public id."""

    transaction: str
    merchant: int
    account: int
    fingerprint: str
    seen_at: datetime


class AlertView(BaseModel):
    """One name on two shards: both may have posted."""

    number: int
    kind: AlertKind
    name: str
    terminal: int
    first: NameSeenView
    second: NameSeenView
    raised_at: datetime


class AlertPage(BaseModel):
    """Alerts, oldest first; next: what to pass as after, null at the end."""

    items: list[AlertView]
    next: int | None


@router.get("/v1/fraud-alerts", dependencies=[auth.allow(Role.REVIEWER, Role.AUDITOR, Role.RULES)])
async def list_alerts(
    request: Request,
    after: fields.AfterAccount = 0,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> AlertPage:
    """Names that more than one shard saw, in the order they were raised."""
    async with resources(request).database.read() as tx:
        alerts = await usecases.list_alerts(tx, after=after, limit=limit)
    return AlertPage(
        items=[_view(alert) for alert in alerts],
        next=alerts[-1].number if len(alerts) == limit else None,
    )


def _view(alert: Alert) -> AlertView:
    return AlertView(
        number=alert.number,
        kind=alert.kind,
        name=alert.first.name,
        terminal=alert.first.terminal,
        first=_name_seen(alert.first),
        second=_name_seen(alert.second),
        raised_at=alert.raised_at,
    )


def _name_seen(seen: NameSeen) -> NameSeenView:
    return NameSeenView(
        transaction=public_id(seen.shard, seen.name),
        merchant=seen.merchant,
        account=seen.account,
        fingerprint=seen.fingerprint,
        seen_at=seen.seen_at,
    )
