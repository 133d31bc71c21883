"""What the commands of a batch may take from an account: where it has many lots, so many are read.

An estimate: where a decision wants more it says so (Unread), and the batch is read again whole.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from contracts.values import Unit


class Debit(NamedTuple):
    """So much of a unit, of one issuer where given."""

    unit: Unit
    issuer: int | None
    amount: int


class Amounts(Protocol):
    """What a spend or a hold names, unit by unit."""

    @property
    def points(self) -> int: ...
    @property
    def merchant_points(self) -> int: ...
    @property
    def credit_rial(self) -> int: ...
    @property
    def gift_rial(self) -> int: ...


def of_units(spent: Amounts, acceptor: int) -> Iterator[Debit]:
    """Merchant points are the acceptor's own."""
    yield Debit(Unit.NETWORK_POINTS, None, spent.points)
    yield Debit(Unit.MERCHANT_POINTS, acceptor, spent.merchant_points)
    yield Debit(Unit.CREDIT, None, spent.credit_rial)
    yield Debit(Unit.GIFT, None, spent.gift_rial)


def of_unit(unit: Unit, issuer: int, amount: int) -> Iterator[Debit]:
    """Of one unit; merchant points of their issuer."""
    yield Debit(unit, issuer if unit is Unit.MERCHANT_POINTS else None, amount)
