"""Lots renewed by activity, extended, or adjusted by hand."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from verifier.model import budgets
from verifier.model.commands_value import Adjust, Extend
from verifier.model.computation import RIAL, Draft, Effects, No, in_date
from verifier.model.messages import micros
from verifier.state import LOTS_PER_SEQUENCE, WAITING, Lot

_TEHRAN = ZoneInfo("Asia/Tehran")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 36_500  # days
_LAST_YEAR = 2_099


def renew(draft: Draft) -> None:
    """Renew the sliding lots of an active account, except those opened just now."""
    if not draft.state.slides:
        return
    new = {lot.number for lot, _, _ in draft.opened}
    active = min(draft.occurred, draft.now)
    for lot in draft.purse.lots.values():
        if lot.sliding and lot.left and lot.number not in new and in_date(lot, draft.now):
            draft.redate(lot, lot.start, _renewed(lot, active))


def _renewed(lot: Lot, active: int) -> int | None:
    """So many whole days in Iran after an activity, or after the start if that is later."""
    begins = max(lot.born, lot.born if lot.start == WAITING else lot.start, active)
    at = (_EPOCH + timedelta(microseconds=begins)).astimezone(_TEHRAN)
    if lot.until is None or at.astimezone(UTC).year > _LAST_YEAR:
        return lot.until
    day = at.date() + timedelta(days=min(lot.sliding, _LONGEST) + 1)
    return max(lot.until, micros(datetime.combine(day, time(), tzinfo=_TEHRAN)))


def extend(draft: Draft, body: Extend) -> Effects:
    """A later date, or none, for a lot still in date."""
    lot = draft.lot(body.lot)
    if lot is None:
        raise No("unknown-lot")
    if not body.reason.strip():
        raise No("no-reason")
    if not in_date(lot, draft.now):
        raise No("lot-past-date")
    until = None if body.expires_at is None else micros(body.expires_at)
    if lot.until is None or (until is not None and until <= lot.until):
        raise No("not-later")
    draft.redate(lot, lot.start, until)
    return Effects()


def adjust(draft: Draft, body: Adjust) -> Effects:
    """Two persons add to an account, or take from it."""
    if not body.account:
        raise No("no-account")
    if body.proposed_by == body.approved_by:
        raise No("same-person")
    if not body.reason.strip():
        raise No("no-reason")
    if body.unit == RIAL:
        raise No("not-value")
    if not body.take:
        budgets.may_issue(draft, body.unit, body.issuer, body.funder)
    draft.repay()
    if body.take:
        _take(draft, body)
        return Effects()
    like = {
        "unit": body.unit, "issuer": body.issuer, "funder": body.funder, "start": draft.now,
        "until": None if body.expires_at is None else micros(body.expires_at),
        "born": draft.occurred, "merchant": 0, "rule": "adjustment", "version": 0,
        "origin": "adjustment", "parent": None,
    }  # fmt: skip
    draft.open(like, body.amount, body.cost_rial)
    draft.issue(body.unit, body.issuer, body.amount)
    draft.fund(body.issuer, body.funder, body.cost_rial)
    draft.repay()
    return Effects()


def _take(draft: Draft, body: Adjust) -> None:
    takes = draft.plan(body.unit, body.amount, "insufficient-value", body.issuer)
    if len(takes) > LOTS_PER_SEQUENCE:
        raise No("too-many-lots")
    costs: dict[int, int] = {}
    for lot, amount in takes:
        costs[lot.funder] = costs.get(lot.funder, 0) + draft.take(lot, amount, "adjusted")
    draft.issue(body.unit, body.issuer, -body.amount)
    for funder, cost in costs.items():
        draft.fund(body.issuer, funder, -cost)
