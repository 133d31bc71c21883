"""Lots that live on by activity, by extension, or come and go by hand."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from verifier.model import budgets
from verifier.model.commands_value import Adjust, Extend
from verifier.model.computation import RIAL, No, Said, Work, in_date
from verifier.model.messages import micros
from verifier.state import LOTS_PER_SEQUENCE, WAITING, Lot

_TEHRAN = ZoneInfo("Asia/Tehran")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 36_500  # days
_LAST_YEAR = 2_099


def renew(work: Work) -> None:
    """An account that was active keeps its sliding lots alive, but for those opened just now."""
    if not work.state.slides:
        return
    new = {lot.number for lot, _, _ in work.opened}
    active = min(work.occurred, work.now)
    for lot in work.purse.lots.values():
        if lot.sliding and lot.left and lot.number not in new and in_date(lot, work.now):
            work.redate(lot, lot.start, _renewed(lot, active))


def _renewed(lot: Lot, active: int) -> int | None:
    """So many whole days of Iran after an activity, or the start, if that is later."""
    begins = max(lot.born, lot.born if lot.start == WAITING else lot.start, active)
    at = (_EPOCH + timedelta(microseconds=begins)).astimezone(_TEHRAN)
    if lot.until is None or at.astimezone(UTC).year > _LAST_YEAR:
        return lot.until
    day = at.date() + timedelta(days=min(lot.sliding, _LONGEST) + 1)
    return max(lot.until, micros(datetime.combine(day, time(), tzinfo=_TEHRAN)))


def extend(work: Work, body: Extend) -> Said:
    """A later date, or none, for a lot still in date."""
    lot = work.lot(body.lot)
    if lot is None:
        raise No("unknown-lot")
    if not body.reason.strip():
        raise No("no-reason")
    if not in_date(lot, work.now):
        raise No("lot-past-date")
    until = None if body.expires_at is None else micros(body.expires_at)
    if lot.until is None or (until is not None and until <= lot.until):
        raise No("not-later")
    work.redate(lot, lot.start, until)
    return Said()


def adjust(work: Work, body: Adjust) -> Said:
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
        budgets.may_issue(work, body.unit, body.issuer, body.funder)
    work.repay()
    if body.take:
        _take(work, body)
        return Said()
    like = {
        "unit": body.unit, "issuer": body.issuer, "funder": body.funder, "start": work.now,
        "until": None if body.expires_at is None else micros(body.expires_at),
        "born": work.occurred, "merchant": 0, "rule": "adjustment", "version": 0,
        "origin": "adjustment", "parent": None,
    }  # fmt: skip
    work.open(like, body.amount, body.cost_rial)
    work.issue(body.unit, body.issuer, body.amount)
    work.fund(body.issuer, body.funder, body.cost_rial)
    work.repay()
    return Said()


def _take(work: Work, body: Adjust) -> None:
    takes = work.plan(body.unit, body.amount, "insufficient-value", body.issuer)
    if len(takes) > LOTS_PER_SEQUENCE:
        raise No("too-many-lots")
    costs: dict[int, int] = {}
    for lot, amount in takes:
        costs[lot.funder] = costs.get(lot.funder, 0) + work.take(lot, amount, "adjusted")
    work.issue(body.unit, body.issuer, -body.amount)
    for funder, cost in costs.items():
        work.fund(body.issuer, funder, -cost)
