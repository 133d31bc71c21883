"""Authorisations of a till: reserved for a sale, captured by it once, or freed."""

from verifier.model import holds, life, money, sale
from verifier.model.computation import CREDIT, GIFT, POINTS, Draft, Effects, No
from verifier.model.messages import Transaction, micros
from verifier.model.originals import Original
from verifier.model.undo import progress_of


def authorise(draft: Draft, body: Transaction) -> Effects:
    """Reserve what the sale would take now. Nothing is earned."""
    if not draft.owner:
        raise No("no-account")
    if body.redemption is None or body.due_at is None:
        raise No("no-terms")
    holds.check_due(draft, micros(body.due_at))
    _check_lines(body)
    draft.repay()
    draft.reserve(sale.takes_of(draft, body, body.redemption))
    discount = money.worth_of(body.redemption).discount
    effects = Effects(payable_rial=body.amount_rial - discount)
    effects.numbers |= {"discount_rial": discount, "due_at": micros(body.due_at)}
    return effects


def capture(draft: Draft, body: Transaction, original: Original | None) -> Effects:
    """The sale: paid with what was reserved, the rest is free, and it earns."""
    authorisation = _authorisation(original)
    _check_same(body, authorisation)
    if not body.account:
        raise No("no-account")
    hold, known = holds.standing(draft, authorisation)
    deal = body.redemption
    if deal is None:
        raise No("no-terms")
    _check_lines(body)
    sale.check(body, deal)
    draft.repay()
    asked = {POINTS: deal.points, CREDIT: deal.credit_rial, GIFT: deal.gift_rial}
    takes = holds.taken_over(draft, hold, asked)
    effects = Effects(payable_rial=body.amount_rial)
    sale.pay(draft, body, deal, effects, takes)
    draft.lapse(hold.parts)
    sale.earn(draft, body, effects)
    draft.repay()
    life.renew(draft)
    effects.progress = holds.ended(authorisation, known, "captured").progress
    return effects


def void(draft: Draft, body: Transaction, original: Original | None) -> Effects:
    """All of it is free; what is free already stays so."""
    authorisation = _authorisation(original)
    if authorisation.status != "completed":
        return Effects(code="nothing-to-reverse")
    _check_same(body, authorisation)
    known = progress_of(draft, authorisation)
    if known.verdict == "voided":
        return Effects(code="hold-voided")
    due = authorisation.held_until
    if not known.verdict and due is not None and draft.now >= due:
        return Effects(code="hold-due")
    return holds.freed(draft, authorisation, *holds.standing(draft, authorisation))


def _authorisation(original: Original | None) -> Original:
    if original is None or not original.arrived:
        raise No("unknown-original")
    if original.kind != "authorisation":
        raise No("not-a-hold")
    return original


def _check_same(body: Transaction, original: Original) -> None:
    if body.shown or body.account not in (0, original.account):
        raise No("another-account")
    if body.merchant != original.merchant:
        raise No("another-merchant")


def _check_lines(body: Transaction) -> None:
    if len({line.line for line in body.lines}) < len(body.lines):
        raise No("line-twice")
