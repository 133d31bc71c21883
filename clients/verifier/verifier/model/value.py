"""Issues, revocations, review outcomes of pending points, and expiry."""

from verifier.model import budgets
from verifier.model.computation import Draft, Effects, No, in_date
from verifier.model.messages import Expire, Issue, Release, micros
from verifier.model.originals import Grant, Original
from verifier.model.undo import Way, progress_of
from verifier.state import WAITING, Lot, Progress


def issue(draft: Draft, body: Issue) -> Effects:
    """One lot outside a basket: usable at once, at its time, or on an event."""
    if not body.account:
        raise No("no-account")
    budgets.may_issue(draft, body.unit, body.issuer, body.funder)
    budgets.draw_for_issue(draft, body)
    draft.repay()
    own = draft.now if body.available_from is None else micros(body.available_from)
    like = {
        "unit": body.unit, "issuer": body.issuer, "funder": body.funder,
        "start": WAITING if body.pending_event else own,
        "until": None if body.expires_at is None else micros(body.expires_at),
        "born": draft.occurred, "merchant": 0, "rule": body.rule, "version": body.rule_version,
        "origin": "issue", "parent": None, "sliding": body.sliding_days,
    }  # fmt: skip
    draft.open(like, body.amount, body.cost_rial)
    draft.issue(body.unit, body.issuer, body.amount)
    draft.fund(body.issuer, body.funder, body.cost_rial)
    draft.repay()
    return Effects()


def take_back(draft: Draft, original: Original | None) -> Effects:
    """Revoke an issue as far as it is left and free."""
    if original is None or original.type != "issue-value.v1" or not original.grants:
        raise No("unknown-original")
    if draft.owner != original.account:
        raise No("another-account")
    draft.repay()
    grant = original.grants[0]
    lots = [draft.purse.lots[grant.lot], *_graced(draft, grant.lot)]
    draft.lapse([lot.number for lot in lots])
    free = [lot for lot in lots if lot.left > lot.held]
    if not free:
        return Effects(code="nothing-left")
    _unissue(draft, grant, free, "clawed-back")
    return Effects()


def _graced(draft: Draft, parent: int) -> list[Lot]:
    """Children that refunds opened of a lot past its date, while not empty."""
    return [
        lot
        for _, lot in sorted(draft.purse.lots.items())
        if lot.origin == "child" and lot.parent == parent and lot.left
    ]


def _unissue(draft: Draft, grant: Grant, lots: list[Lot], movement: str) -> None:
    """Return the unheld part of a grant's lots to the issuer, with funding and budget."""
    costs = 0
    for lot in lots:
        amount = lot.left - lot.held
        cost = draft.take(lot, amount, movement) if lot.left else 0
        draft.issue(lot.unit, lot.issuer, -amount)
        draft.fund(lot.issuer, lot.funder, -cost)
        costs += cost
    budgets.give_back(draft, grant, costs)


def review_outcome(draft: Draft, body: object, original: Original | None) -> Effects:
    """A reviewer's release or cancel of pending points."""
    known = _may_be_decided(draft, original)
    assert original is not None  # noqa: S101 - for the types
    word = "released" if isinstance(body, Release) else "cancelled"
    if word == "released":
        for grant in original.grants:
            lot = draft.purse.lots[grant.lot]
            own = [g.own_start for g in original.grants if g.lot == grant.lot]
            draft.redate(lot, max(draft.now, *own), lot.until)
        draft.repay()
    elif original.pending_event:
        grant = original.grants[0]
        _unissue(draft, grant, [draft.purse.lots[grant.lot]], "cancelled")
    else:
        _cancel(draft, original, known)
    effects = Effects()
    effects.progress = (
        original.name,
        Progress(
            known.sequence, known.total, known.refunded, known.full, known.reversed, word
        ),
    )  # fmt: skip
    return effects


def _cancel(draft: Draft, original: Original, known: Progress) -> None:
    whole = tuple(rial for _, rial in original.lines)
    way = Way(known.refunded, whole, True)
    draft.lapse([grant.lot for grant in original.grants])
    for grant in original.grants:
        cost = way.of_grant(grant.cost, grant, original)
        draft.fund(grant.issuer, grant.funder, -cost)
        budgets.give_back(draft, grant, cost)
        lot = draft.purse.lots[grant.lot]
        amount = lot.left
        if amount:
            draft.take(lot, amount, "cancelled")
            draft.issue(lot.unit, lot.issuer, -amount)


def _may_be_decided(draft: Draft, original: Original | None) -> Progress:
    if original is None or not original.arrived:
        raise No("unknown-original")
    if original.pending_event:
        return _may_come(draft, original)
    if original.status != "held" or original.held_until is None:
        raise No("nothing-pending")
    known = progress_of(draft, original)
    if known.verdict:
        raise No("already-decided")
    if draft.now >= original.held_until:
        raise No("past-due")
    if known.full:
        raise No("nothing-pending")
    return known


def _may_come(draft: Draft, original: Original) -> Progress:
    """Check an issue that is pending for an event, which came or will not come."""
    known = progress_of(draft, original)
    if original.status != "completed":
        raise No("nothing-pending")
    if known.verdict:
        raise No("already-decided")
    lot = draft.purse.lots[original.grants[0].lot]
    if not lot.left or not in_date(lot, draft.now):
        raise No("nothing-pending")
    return known


def expire(draft: Draft, body: Expire) -> Effects:
    """Book what a lot had left at its date as its issuer's breakage."""
    lot = draft.lot(body.lot)
    if lot is None:
        raise No("unknown-lot")
    draft.lapse([lot.number])
    if any(row[1] == lot.number for row in draft.rows):
        return Effects()
    if not lot.left:
        return Effects(code="nothing-left")
    if in_date(lot, draft.now):
        raise No("not-due")
    return Effects(code="lot-held")
