"""A reviewer or an event decides on pending value: it is released, or cancelled."""

from typing import Final

from msgspec.structs import replace

from contracts.ledger import CancelPending, ReleasePending
from contracts.values import Status
from ledger.book import chart, lots
from ledger.book.facts import LotMovementKind, PriorPosting
from ledger.posting.decide import budgets, refunds
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline
from ledger.posting.decide.kinds import Kind


def release(draft: AccountDraft, body: ReleasePending, original: PriorPosting | None) -> Effects:
    """Release: what remains is available now, or on the award's own date where that is later."""
    no = _refusal(draft, original)
    if no is not None or original is None:
        return no or decline("unknown-original")
    starts = {g.lot: g.activates_at for g in sorted(original.grants, key=lambda g: g.activates_at)}
    for number, activates_at in starts.items():
        lot = draft.lots[number]
        starts_at = max(draft.now, activates_at)
        draft.redate(lot, available_from=starts_at, expires_at=lot.expires_at)
    draft.settle_debts()
    return _decided(body.original, original, "released")


def cancel(draft: AccountDraft, body: CancelPending, original: PriorPosting | None) -> Effects:
    """Cancel: what remains of the pending lots goes back to its issuer, with its funding."""
    no = _refusal(draft, original)
    if no is not None or original is None:
        return no or decline("unknown-original")
    if original.pending_event:
        grant = original.grants[0]
        budgets.give_back(
            draft, grant, draft.unissue(draft.lots[grant.lot], LotMovementKind.CANCELLED)
        )
        return _decided(body.original, original, "cancelled")
    whole = tuple(amount for _, amount in original.lines)
    step = refunds.Step(original.progress.refunded, whole, closing=True)
    draft.lapse([grant.lot for grant in original.grants])
    for grant in original.grants:
        cost = refunds.of_grant(grant.cost_rial, grant, original, step)
        draft.post(chart.fund(grant.issuer, grant.funder, -cost))
        budgets.give_back(draft, grant, cost)
        lot = draft.lots[grant.lot]
        if lot.remaining:
            draft.take(lot, lot.remaining, LotMovementKind.CANCELLED)
            draft.post(chart.issue(draft.owner, lot.unit, lot.issuer, -lot.remaining))
    return _decided(body.original, original, "cancelled")


def _decided(name: str, original: PriorPosting, outcome: str) -> Effects:
    return Effects(progress=(name, replace(original.progress, verdict=outcome)))


def _refusal(draft: AccountDraft, original: PriorPosting | None) -> Effects | None:
    if original is None or not original.arrived:
        return decline("unknown-original")
    if original.pending_event:
        return _refusal_of_event(draft, original)
    if original.status is not Status.UNDER_REVIEW or original.held_until is None:
        return decline("nothing-pending")
    if original.progress.verdict:
        return decline("already-decided")
    if draft.now >= original.held_until:
        return decline("past-due")
    if original.progress.full:
        return decline("nothing-pending")
    return None


def _refusal_of_event(draft: AccountDraft, original: PriorPosting) -> Effects | None:
    if original.status is not Status.COMPLETED:
        return decline("nothing-pending")
    if original.progress.verdict:
        return decline("already-decided")
    lot = draft.lots[original.grants[0].lot]
    if not lot.remaining or not lots.in_date(lot, draft.now):
        return decline("nothing-pending")
    return None


KINDS: Final = (Kind(ReleasePending, release), Kind(CancelPending, cancel))
