"""What the nouns of campaigns add to a sale: grants, a redemption, or a refusal, with reasons.

awards asks them in the order of one list, awards.usecases.CONTRIBUTORS. Each is a pure function of
the basket and of facts fetched before.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from contracts.ledger import Redemption
from contracts.pos import Line, PosTransaction
from contracts.values import Reason


class BaseEarning(Struct, frozen=True, kw_only=True):
    """A basket's earning by the programme, before any rounding.

    lines: the basket, as one line 0 where the till sent none. earning: the lines that earn;
    points: of each of them exactly, as numerator over denominator. excluded: the others, and why.
    """

    lines: Sequence[Line]
    earning: Sequence[Line]
    points: Sequence[int]
    denominator: int
    excluded: Sequence[tuple[int, Reason]]


class Grant(Struct, frozen=True, kw_only=True):
    """Points of one rule for one transaction. parts: (line, points), none zero. note: its cap."""

    rule: str
    version: int
    funder: int
    parts: Sequence[tuple[int, int]]
    note: Reason | None = None


class Basket(Struct, frozen=True):
    """A sale as a contributor gets it.

    transaction: the part paid in money. base: earning of its lines, once the base rule has run.
    """

    transaction: PosTransaction
    occurred_at: datetime
    accepted_at: datetime
    base: BaseEarning | None = None


class Contribution(Struct, frozen=True, kw_only=True):
    """What one noun adds to a sale.

    refusals: why the sale is declined; no later contributor is called. unearned: why the whole
    basket earns nothing; likewise. redemption: the value spent. basket: for later contributors.
    """

    grants: Sequence[Grant] = ()
    redemption: Redemption | None = None
    refusals: tuple[Reason, ...] = ()
    unearned: Reason | None = None
    basket: Basket | None = None


Facts = TypeVar("Facts", contravariant=True)
Contributor = Callable[[Basket, Facts], Contribution | None]
