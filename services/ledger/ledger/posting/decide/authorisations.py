"""Authorisations of a till: value reserved for a sale, then captured by it once, or freed.

Decision 0050: a capture is the sale, at the price of its authorisation; a void or a reversal frees
all of it, as often as it is asked for.
"""

from contracts.ledger import PostTransaction
from contracts.values import Kind, Status
from ledger.book.facts import Hold, PriorPosting, discount_of
from ledger.posting.decide import holds, lot_maintenance, sale
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged


def authorise(draft: AccountDraft, body: PostTransaction) -> Effects:
    """Reserve the lots that the sale would spend now, until the due time. It earns nothing yet."""
    if not draft.owner:
        return decline("no-account")
    if body.redemption is None or body.due_at is None:
        return decline("no-terms")
    no = holds.refuse_due(draft, body.due_at) or sale.refuse_lines(body.lines)
    if no is not None:
        return no
    draft.settle_debts()
    takes = sale.plan(draft, body, body.redemption)
    if isinstance(takes, Effects):
        return takes
    holds.reserve(draft, body.name, body.due_at, takes)
    discount = discount_of(body.redemption)
    return Effects(discount_rial=discount, payable_rial=body.amount_rial - discount)


def capture(draft: AccountDraft, body: PostTransaction, original: PriorPosting | None) -> Effects:
    """The sale of an authorisation: it spends up to what is reserved, whatever the dates of its
    lots are by now, frees the rest, and earns. All or nothing, and once.
    """
    hold = _standing(draft, body, original)
    if isinstance(hold, Effects):
        return hold
    terms = body.redemption
    if terms is None:
        return decline("no-terms")
    no = sale.refuse_lines(body.lines) or sale.refuse_terms(body, terms)
    if no is not None:
        return no
    draft.settle_debts()
    takes = holds.take_over(draft, hold, sale.demands(terms))
    effects = takes if isinstance(takes, Effects) else sale.redeem(draft, body, terms, takes)
    if effects.status is not Status.COMPLETED:
        return effects
    draft.lapse(holds.lots_of(hold))
    effects = sale.earn(draft, body, effects)
    if effects.status is Status.DECLINED:
        return effects
    draft.settle_debts()
    lot_maintenance.renew(draft)
    return holds.resolved(effects, original, holds.CAPTURED)


def void(draft: AccountDraft, body: PostTransaction, original: PriorPosting | None) -> Effects:
    """Free all that an authorisation reserved; what is free already stays so, and that is no error.

    A till that had no answer to its first void sends another, or a reversal, under a new name.
    """
    if original is None or not original.arrived:
        return decline("unknown-original")
    if original.kind is not Kind.AUTHORISATION:
        return decline("not-a-hold")
    if original.status is not Status.COMPLETED:
        return unchanged("nothing-to-reverse")
    if (no := _refuse_others(body, original)) is not None:
        return no
    if original.progress.verdict == holds.VOIDED:
        return unchanged("hold-voided")
    hold = holds.standing(draft, original)
    if isinstance(hold, Effects):
        return unchanged("hold-due") if hold.code == "hold-due" else hold
    holds.free(draft, hold)
    return holds.resolved(Effects(), original, holds.VOIDED)


def _standing(
    draft: AccountDraft, body: PostTransaction, original: PriorPosting | None
) -> Hold | Effects:
    """The hold that a capture takes over, or why there is none for it."""
    if original is None or not original.arrived:
        return decline("unknown-original")
    if original.kind is not Kind.AUTHORISATION:
        return decline("not-a-hold")
    if (no := _refuse_others(body, original)) is not None:
        return no
    if not body.account:  # campaigns names the authorisation's, which a refund of this will need
        return decline("no-account")
    return holds.standing(draft, original)


def _refuse_others(body: PostTransaction, original: PriorPosting) -> Effects | None:
    if body.shown or body.account not in (0, original.account):
        return decline("another-account")
    return decline("another-merchant") if body.merchant != original.merchant else None
