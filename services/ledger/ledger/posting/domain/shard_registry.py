"""A shard's registry: statuses, terms, cards, windows, and party balances that commands need."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from contracts.value import AccountStatus, TermsKind
from contracts.values import Unit
from ledger.book.facts import AccountKey, Leg, Role


class Subject(NamedTuple):
    """The party or the member's account that has a status."""

    is_party: bool
    number: int


class TermsKey(NamedTuple):
    """A version of a price, rate or fee."""

    kind: TermsKind
    id: str
    version: int


class Terms(Struct, frozen=True):
    """Its numbers, and the parties that accepted it, in ascending order."""

    numerator: int
    denominator: int
    accepted_by: tuple[int, ...]


class Pair(NamedTuple):
    """Who owes whom: a payable account."""

    debtor: int
    creditor: int


class Settled(NamedTuple):
    """Rial settled so far of a pair's payable, less what came back, and its last window."""

    rial: int
    window: int


class Successor(NamedTuple):
    """The card that replaced a closed one."""

    shard: int
    account: int


class Change(Struct, frozen=True):
    """What one command changes in the registry.

    window: the one it closes, 0 for none. reached: Rial that a debtor came to owe until that
    window's cut, settled or not, of each pair that owes or has settled something.
    """

    standings: tuple[tuple[Subject, AccountStatus], ...] = ()
    terms: tuple[TermsKey, Terms] | None = None
    card: tuple[int, int] | None = None  # account, issuer
    window: int = 0
    reached: tuple[tuple[Pair, int], ...] = ()
    settled: tuple[tuple[Pair, Settled], ...] = ()
    successor: tuple[int, Successor] | None = None  # of an account


class ShardRegistry:
    """The part of one shard's registry that a batch needs; its reader decides how much that is.

    standings: statuses other than open. cards: issuer by account. successors: of reissued cards, by
    account. reached: by window and pair. balances: of the accounts that decisions read, kept up to
    date while watched.
    """

    __slots__ = (
        "balances", "cards", "reached", "settled", "standings", "successors", "terms", "watched",
        "window",
    )  # fmt: skip

    def __init__(self, *, window: int = 0, watched: bool = True) -> None:
        self.standings: dict[Subject, AccountStatus] = {}
        self.terms: dict[TermsKey, Terms] = {}
        self.cards: dict[int, int] = {}
        self.successors: dict[int, Successor] = {}
        self.window = window
        self.reached: dict[tuple[int, Pair], int] = {}
        self.settled: dict[Pair, Settled] = {}
        self.balances: dict[AccountKey, int] = {}
        self.watched = watched

    def apply(self, change: Change | None, legs: Iterable[Leg]) -> None:
        """Apply a decision's legs and change, for the next command."""
        if self.watched:
            for leg in legs:
                self.balances[leg.account] = self.balances.get(leg.account, 0) + leg.amount
        if change is not None:
            self._change(change)

    def _change(self, change: Change) -> None:
        for subject, standing in change.standings:
            self.standings[subject] = standing
            if standing is AccountStatus.OPEN:
                del self.standings[subject]
        if change.terms is not None:
            key, terms = change.terms
            self.terms[key] = terms
        if change.card is not None:
            account, issuer = change.card
            self.cards[account] = issuer
        if change.successor is not None:
            account, successor = change.successor
            self.successors[account] = successor
        if change.window:
            self.window = change.window
            for pair, rial in change.reached:
                self.reached[change.window, pair] = rial
        self.settled.update(change.settled)

    def of_account(self, account: int) -> AccountStatus:
        """Status of a member's account."""
        return self.standings.get(Subject(False, account), AccountStatus.OPEN)

    def of_party(self, party: int) -> AccountStatus:
        """Status of a party."""
        return self.standings.get(Subject(True, party), AccountStatus.OPEN)

    def owed(self, pair: Pair, window: int) -> int:
        """Rial left of what a debtor owed at a window's cut; below zero, it is owed back."""
        return self.reached.get((window, pair), 0) - self.settled.get(pair, _NOTHING).rial

    def outstanding(self, party: int) -> dict[Unit, int]:
        """Value of an issuer in lots of this shard, by unit; needs all its balances here.

        Every way into a lot or out of it has an account of the issuer, or one of the network for
        it.
        """
        amounts: dict[Unit, int] = {}
        for key, balance in self.balances.items():
            of_party = key.owner == party and key.role in _OF_ISSUER
            towards = key.counterparty == party and key.role in _BY_ISSUER
            if key.unit is not Unit.RIAL and (of_party or towards):
                amounts[key.unit] = amounts.get(key.unit, 0) - balance
        return amounts


_NOTHING = Settled(0, 0)
_OF_ISSUER = frozenset({Role.ISSUED, Role.REDEEMED, Role.EXPIRED})
_BY_ISSUER = frozenset({Role.TRANSIT, Role.EXCHANGE, Role.DEBT})
