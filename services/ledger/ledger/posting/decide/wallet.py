"""A wallet that is topped up at a till: money taken there becomes credit, and back (0048)."""

from contracts.ledger import PostTransaction
from ledger.book import chart_transfers
from ledger.book.facts import PriorPosting
from ledger.posting.decide import cards, refunds
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline


def top_up(draft: AccountDraft, body: PostTransaction) -> Effects:
    """The acceptor's party has the money, and owes for the credit where it is spent (SH6)."""
    if not draft.owner:
        return decline("no-account")
    if not body.acceptor:
        return decline("no-acceptor")
    if not body.amount_rial:
        return decline("nothing-to-top-up")
    cards.pay_in(draft, body.amount_rial, custodian=body.acceptor, merchant=body.merchant)
    return Effects(payable_rial=body.amount_rial)


def reverse(draft: AccountDraft, body: PostTransaction, original: PriorPosting) -> Effects:
    """Give the money back: the credit is taken, and owed as far as it was spent already."""
    effects = refunds.reverse(draft, body, original)
    if effects.progress is not None:
        draft.post(chart_transfers.pay_in(original.acceptor, -original.total_rial))
    return effects
