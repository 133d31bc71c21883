"""A wallet: money that a custodian takes becomes credit without a date, and goes back."""

from verifier.model import undo
from verifier.model.computation import CREDIT, RIAL, Draft, Effects, No
from verifier.model.messages import Transaction
from verifier.model.originals import Original


def pay_in(draft: Draft, custodian: int, merchant: int, rial: int) -> None:
    """Credit for money paid in; debts are repaid before and after."""
    draft.repay()
    like = {
        "unit": CREDIT, "issuer": custodian, "funder": custodian, "start": draft.now,
        "until": None, "born": draft.occurred, "merchant": merchant, "rule": "top-up",
        "version": 0, "origin": "top-up", "parent": None,
    }  # fmt: skip
    draft.open(like, rial, rial)
    draft.issue(CREDIT, custodian, rial)
    _cash(draft, custodian, rial)
    draft.repay()


def top_up(draft: Draft, body: Transaction) -> Effects:
    """Money taken at a till, by the acceptor's party."""
    if not draft.owner:
        raise No("no-account")
    if not body.acceptor:
        raise No("no-acceptor")
    if not body.amount_rial:
        raise No("nothing-to-top-up")
    pay_in(draft, body.acceptor, body.merchant, body.amount_rial)
    return Effects(payable_rial=body.amount_rial)


def reverse(draft: Draft, body: Transaction, original: Original) -> Effects:
    """The money goes back; what was spent of it is owed."""
    effects = undo.reverse(draft, body, original)
    if effects.progress is not None:
        _cash(draft, original.acceptor, -original.total)
    return effects


def _cash(draft: Draft, custodian: int, rial: int) -> None:
    giver, taker = (custodian, "wallet", RIAL, 0), (custodian, "cash", RIAL, 0)
    draft.move(giver, taker, rial)
