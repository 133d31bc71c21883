"""What the commands of a batch may take from an account: of many lots only so many are read.

It is an estimate. A decision that needs more raises Unread, and the batch is read again with all
lots.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from contracts.values import Unit


class Debit(NamedTuple):
    """An amount of a unit; issuer: only value of this issuer."""

    unit: Unit
    issuer: int | None
    amount: int


class Amounts(Protocol):
    """The amounts of a spend or a hold, unit by unit."""

    @property
    def points(self) -> int: ...
    @property
    def merchant_points(self) -> int: ...
    @property
    def credit_rial(self) -> int: ...
    @property
    def gift_rial(self) -> int: ...


def of_units(spent: Amounts, acceptor: int) -> Iterator[Debit]:
    """The debits of a spend or a hold; merchant points are the acceptor's own."""
    yield Debit(Unit.NETWORK_POINTS, None, spent.points)
    yield Debit(Unit.MERCHANT_POINTS, acceptor, spent.merchant_points)
    yield Debit(Unit.CREDIT, None, spent.credit_rial)
    yield Debit(Unit.GIFT, None, spent.gift_rial)


def of_unit(unit: Unit, issuer: int, amount: int) -> Iterator[Debit]:
    """The debit of one unit; merchant points are of their issuer."""
    yield Debit(unit, issuer if unit is Unit.MERCHANT_POINTS else None, amount)
