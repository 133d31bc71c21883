"""Issues, take-backs, verdicts on pending points, and expiry, worked out."""

from verifier.model import budgets
from verifier.model.computation import No, Said, Work, in_date
from verifier.model.messages import Expire, Issue, Release, micros
from verifier.model.originals import Grant, Original
from verifier.model.undo import Way, progress_of
from verifier.state import WAITING, Lot, Progress


def issue(work: Work, body: Issue) -> Said:
    """One lot outside a basket: usable at once, at its time, or on an event."""
    if not body.account:
        raise No("no-account")
    budgets.may_issue(work, body.unit, body.issuer, body.funder)
    budgets.draw_for_issue(work, body)
    work.repay()
    own = work.now if body.available_from is None else micros(body.available_from)
    like = {
        "unit": body.unit, "issuer": body.issuer, "funder": body.funder,
        "start": WAITING if body.awaits else own,
        "until": None if body.expires_at is None else micros(body.expires_at),
        "born": work.occurred, "merchant": 0, "rule": body.rule, "version": body.rule_version,
        "origin": "issue", "parent": None, "sliding": body.sliding_days,
    }  # fmt: skip
    work.open(like, body.amount, body.cost_rial)
    work.issue(body.unit, body.issuer, body.amount)
    work.fund(body.issuer, body.funder, body.cost_rial)
    work.repay()
    return Said()


def take_back(work: Work, original: Original | None) -> Said:
    """What is left and free of an issue goes back."""
    if original is None or original.type != "issue-value.v1" or not original.grants:
        raise No("unknown-original")
    if work.owner != original.account:
        raise No("another-account")
    work.repay()
    grant = original.grants[0]
    lots = [work.purse.lots[grant.lot], *_graced(work, grant.lot)]
    work.lapse([lot.number for lot in lots])
    free = [lot for lot in lots if lot.left > lot.held]
    if not free:
        return Said(code="nothing-left")
    _unissue(work, grant, free, "clawed-back")
    return Said()


def _graced(work: Work, parent: int) -> list[Lot]:
    """Lots that refunds opened in another's place, since it was past its date, not empty yet."""
    return [
        lot
        for _, lot in sorted(work.purse.lots.items())
        if lot.origin == "child" and lot.parent == parent and lot.left
    ]


def _unissue(work: Work, grant: Grant, lots: list[Lot], what: str) -> None:
    """What nothing holds of a grant's lots goes back to its issuer, funding and budget too."""
    costs = 0
    for lot in lots:
        amount = lot.left - lot.held
        cost = work.take(lot, amount, what) if lot.left else 0
        work.issue(lot.unit, lot.issuer, -amount)
        work.fund(lot.issuer, lot.funder, -cost)
        costs += cost
    budgets.give_back(work, grant, costs)


def verdict(work: Work, body: object, original: Original | None) -> Said:
    """A reviewer's yes or no to points that a sale holds back."""
    known = _may_be_decided(work, original)
    assert original is not None  # noqa: S101 - for the types
    word = "released" if isinstance(body, Release) else "cancelled"
    if word == "released":
        for grant in original.grants:
            lot = work.purse.lots[grant.lot]
            own = [g.own_start for g in original.grants if g.lot == grant.lot]
            work.redate(lot, max(work.now, *own), lot.until)
        work.repay()
    elif original.awaits:
        grant = original.grants[0]
        _unissue(work, grant, [work.purse.lots[grant.lot]], "cancelled")
    else:
        _cancel(work, original, known)
    said = Said()
    said.progress = (
        original.name,
        Progress(
            known.sequence, known.total, known.refunded, known.full, known.reversed, word
        ),
    )  # fmt: skip
    return said


def _cancel(work: Work, original: Original, known: Progress) -> None:
    whole = tuple(rial for _, rial in original.lines)
    way = Way(known.refunded, whole, True)
    work.lapse([grant.lot for grant in original.grants])
    for grant in original.grants:
        cost = way.of_grant(grant.cost, grant, original)
        work.fund(grant.issuer, grant.funder, -cost)
        budgets.give_back(work, grant, cost)
        lot = work.purse.lots[grant.lot]
        amount = lot.left
        if amount:
            work.take(lot, amount, "cancelled")
            work.issue(lot.unit, lot.issuer, -amount)


def _may_be_decided(work: Work, original: Original | None) -> Progress:
    if original is None or not original.arrived:
        raise No("unknown-original")
    if original.awaits:
        return _may_come(work, original)
    if original.status != "held" or original.held_until is None:
        raise No("nothing-pending")
    known = progress_of(work, original)
    if known.verdict:
        raise No("already-decided")
    if work.now >= original.held_until:
        raise No("past-due")
    if known.full:
        raise No("nothing-pending")
    return known


def _may_come(work: Work, original: Original) -> Progress:
    """The event that an issue waits for, or that it will not come."""
    known = progress_of(work, original)
    if original.status != "completed":
        raise No("nothing-pending")
    if known.verdict:
        raise No("already-decided")
    lot = work.purse.lots[original.grants[0].lot]
    if not lot.left or not in_date(lot, work.now):
        raise No("nothing-pending")
    return known


def expire(work: Work, body: Expire) -> Said:
    """What a lot had left when its date passed goes to its issuer's breakage."""
    lot = work.lot(body.lot)
    if lot is None:
        raise No("unknown-lot")
    work.lapse([lot.number])
    if any(row[1] == lot.number for row in work.rows):
        return Said()
    if not lot.left:
        return Said(code="nothing-left")
    if in_date(lot, work.now):
        raise No("not-due")
    return Said(code="lot-held")
