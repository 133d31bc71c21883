"""What the commands of a batch may take from an account: where it has many lots, so many are read.

An estimate: where a decision wants more it says so (Unread), and the batch is read again whole.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from contracts.ledger import PostTransaction
from contracts.value import AdjustValue, ExchangeValue, HoldValue, SendValue, SpendValue
from contracts.values import Unit
from ledger.book.facts import Original


class Debit(NamedTuple):
    """So much of a unit, of one issuer where given."""

    unit: Unit
    issuer: int | None
    amount: int


def of_command(body: Any, original: Original | None) -> Iterator[Debit]:
    """What a command may take. original: what it names, where that is known."""
    match body:
        case PostTransaction():
            yield from _of_transaction(body, original)
        case SpendValue():
            yield from _of_units(body.spend, body.acceptor)
        case HoldValue():
            yield from _of_units(body, body.acceptor)
        case SendValue() | ExchangeValue():
            own = body.issuer if body.unit is Unit.MERCHANT_POINTS else None
            yield Debit(body.unit, own, body.amount)
        case AdjustValue() if body.take:
            yield Debit(body.unit, body.issuer, body.amount)
        case _:
            pass


def _of_transaction(body: PostTransaction, original: Original | None) -> Iterator[Debit]:
    if body.decline:
        return
    terms = body.redemption
    if terms is not None:
        yield Debit(Unit.NETWORK_POINTS, None, terms.points)
        yield Debit(Unit.CREDIT, None, terms.credit_rial)
        yield Debit(Unit.GIFT, None, terms.gift_rial)
    if body.original and original is not None:  # what its own lots lack of what it earned
        for grant in original.grants:
            yield Debit(grant.unit, grant.issuer, grant.amount)


def _of_units(spent: Any, acceptor: int) -> Iterator[Debit]:
    yield Debit(Unit.NETWORK_POINTS, None, spent.points)
    yield Debit(Unit.MERCHANT_POINTS, acceptor, spent.merchant_points)
    yield Debit(Unit.CREDIT, None, spent.credit_rial)
    yield Debit(Unit.GIFT, None, spent.gift_rial)
