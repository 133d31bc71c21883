"""HTTP door of ageing: who owes how much for how long."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request

from kit.base import auth, fields
from kit.base.auth import Role
from kit.room import resources
from merchants import settings
from merchants.settlement.domain.ageing import AGES, PartyAgeing
from merchants.settlement.usecases import settlements

router = APIRouter(tags=["settlement"])


@dataclass(frozen=True, slots=True)
class PartyAgeingView:
    """What a party owes and is owed by age, Rial in text of digits; below zero: refunds."""

    party: int
    late: bool
    owes: dict[str, str]
    is_owed: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ageing:
    """Unpaid as of the last closed window. total: over all parties; next: send it as after.

    Ages are days since the window closed in which it came to be owed.
    """

    window: int
    total: dict[str, str]
    items: list[PartyAgeingView]
    next: int | None


@router.get("/v1/ageing", dependencies=[auth.allow(Role.MONEY, Role.AUDITOR)])
async def get_ageing(
    request: Request,
    late: bool = False,
    after: fields.AfterNumber = 0,
    limit: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> Ageing:
    """What is unpaid by age, party by party; late: only those who owe for more than a day."""
    opened = resources(request)
    async with opened.database.read() as tx:
        report = await settlements.get_ageing(tx, opened.clock.now())
    listed = [one for one in report.parties if one.party > after and (one.is_late or not late)]
    page = listed[:limit]
    following = page[-1].party if len(listed) > limit else None
    total = _by_age(report.total)
    return Ageing(report.window, total, [_view(one) for one in page], following)


def _view(one: PartyAgeing) -> PartyAgeingView:
    return PartyAgeingView(one.party, one.is_late, _by_age(one.owes), _by_age(one.is_owed))


def _by_age(rials: tuple[int, ...]) -> dict[str, str]:
    return {age: str(rial) for age, rial in zip(AGES, rials, strict=True)}
