"""The state of a shard after its leaves so far: accounts, open lots, decision time. No rules.

Only open lots are kept: an account and an open lot take some 700 bytes each. A used up lot is
dropped at the end of a window. The rare command that needs it has its leaf read again.
"""

from dataclasses import dataclass, field
from typing import Any

WAITING = 1 << 62  # the start of a lot that waits for an event: after all times
LOTS_PER_SEQUENCE = 4096  # lot ÷ 4096 is the sequence number that opened it

Key = tuple[int, str, str, int]  # owner, role, unit, counterparty
UNITS = ("NP", "MP", "CR", "GV", "IRR")  # any other has the place behind them
_PLACES = {unit: place for place, unit in enumerate(UNITS)}
_FLOORS = {"value": 1, "budget": 1, "debt": -1}


class Account:
    """One account: its natural key, and the sum of its entries."""

    __slots__ = ("balance", "count", "floor", "is_value", "key", "lots", "number", "unit")

    number: int
    key: Key
    balance: int
    count: int
    lots: int
    is_value: bool
    floor: int  # 1: never below zero, -1: never above, 0: neither
    unit: int  # place of its unit in UNITS

    def __init__(self, number: int, key: Key) -> None:
        self.number = number
        self.key = key
        self.is_value = key[1] == "value"
        self.floor = _FLOORS.get(key[1], 0)
        self.unit = _PLACES.get(key[2], len(UNITS))
        self.balance = 0
        self.count = 0
        self.lots = 0  # sum of its lots' remainders


class Lot:
    """One credit of value as it is now; times in microseconds, until None: never."""

    __slots__ = (
        "account", "born", "cost", "first_start", "first_until", "funder", "held", "issuer",
        "lapsed", "left", "merchant", "number", "origin", "owner", "parent", "rule", "sliding",
        "start", "unit", "until", "version",
    )  # fmt: skip

    number: int
    owner: int
    unit: str
    issuer: int
    funder: int
    account: Account
    born: int
    start: int
    until: int | None
    first_start: int
    first_until: int | None
    held: int
    lapsed: int
    left: int
    cost: int
    merchant: int
    origin: str
    parent: int | None
    rule: str
    sliding: int  # days by which activity renews it; from its command, not its leaf's row
    version: int

    def __init__(self, number: int, owner: int, unit: str, issuer: int, funder: int) -> None:
        self.number = number
        self.owner = owner
        self.unit = unit
        self.issuer = issuer
        self.funder = funder
        self.held = self.lapsed = self.sliding = 0


@dataclass
class Hold:
    """A reservation: amounts by lot in the order of its rows; due and name from its command."""

    number: int
    owner: int
    parts: dict[int, int]
    due: int = WAITING
    name: str = ""


class Purse:
    """The value of one owner on the shard: open lots, accounts of debts, standing holds."""

    __slots__ = ("debts", "holds", "lots")

    def __init__(self) -> None:
        self.lots: dict[int, Lot] = {}
        self.holds: dict[int, Hold] = {}
        self.debts: dict[tuple[str, int], Account] = {}


@dataclass
class Progress:
    """What later commands undid of an original; refunded in Rial, in the order of its lines."""

    sequence: int
    total: int
    refunded: tuple[int, ...]
    full: bool = False
    reversed: bool = False
    verdict: str = ""


@dataclass
class ShardRegistry:
    """A shard's statuses, terms, cards and windows, each with the sequence that set it last."""

    standings: dict[tuple[bool, int], tuple[str, int]] = field(
        default_factory=dict[tuple[bool, int], tuple[str, int]]
    )
    terms: dict[tuple[str, str, int], tuple[int, int, tuple[int, ...], int]] = field(
        default_factory=dict[tuple[str, str, int], tuple[int, int, tuple[int, ...], int]]
    )
    cards: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    successors: dict[int, tuple[int, int]] = field(
        default_factory=dict[int, tuple[int, int]]
    )  # of a reissued card: shard and account
    windows: list[int] = field(default_factory=list[int])  # the cuts, that of window 1 first
    reached: dict[tuple[int, int, int], int] = field(
        default_factory=dict[tuple[int, int, int], int]
    )  # (debtor, creditor, window) to Rial
    settled: dict[tuple[int, int], tuple[int, int, int]] = field(
        default_factory=dict[tuple[int, int], tuple[int, int, int]]
    )  # (debtor, creditor) to Rial, last window, sequence

    def standing(self, is_party: bool, number: int) -> str:
        """The status of a party or an account."""
        status = self.standings.get((is_party, number))
        return "open" if status is None else status[0]


Aside = tuple[int, int, int | None]  # of a lot not kept: lapsed, start, until


@dataclass
class State:
    """One shard after the leaves read so far."""

    shard: int
    sequence: int = 0
    now: int = 0
    accounts: list[Account] = field(default_factory=list[Account])  # number 1 first
    by_key: dict[Key, Account] = field(default_factory=dict[Key, Account])
    purses: dict[int, Purse] = field(default_factory=dict[int, Purse])
    lots: dict[int, Lot] = field(default_factory=dict[int, Lot])
    aside: dict[int, Aside] = field(default_factory=dict[int, Aside])
    emptied: set[int] = field(default_factory=set[int])
    progress: dict[str, Progress] = field(default_factory=dict[str, Progress])
    holds: dict[int, Hold] = field(default_factory=dict[int, Hold])  # those that stand
    slides: bool = False  # whether any lot was ever opened that activity renews
    registry: ShardRegistry = field(default_factory=ShardRegistry)
    shared: dict[Any, Any] = field(default_factory=dict[Any, Any])  # equal values, kept once

    def purse(self, owner: int) -> Purse:
        """An owner's purse; a new one for an owner without value."""
        purse = self.purses.get(owner)
        if purse is None:
            purse = self.purses[owner] = Purse()
        return purse

    def account(self, number: int) -> Account | None:
        """An account by its number."""
        return self.accounts[number - 1] if 0 < number <= len(self.accounts) else None

    def intern(self, value: Any) -> Any:
        """The same value, one object for all equal ones."""
        return self.shared.setdefault(value, value)

    def lot_of(self, row: tuple[Any, ...]) -> Lot | None:
        """A lot from the row of its leaf, empty yet; None where its account is unknown."""
        account = self.account(row[1])
        if account is None:
            return None
        kin = (account.key[2], row[13], row[14], *row[8:12])
        unit, rule, origin, issuer, funder, merchant, version = self.shared.setdefault(kin, kin)
        lot = Lot(row[0], account.key[0], unit, issuer, funder)
        lot.account = account
        lot.start = lot.first_start = WAITING if row[4] is None else row[4]
        lot.until = lot.first_until = row[5]
        lot.born, lot.parent = row[6], row[7]
        lot.merchant, lot.version = merchant, version
        lot.rule, lot.origin = rule, origin
        lot.left = lot.cost = 0
        return lot

    def keep(self, lot: Lot) -> None:
        """Keep a lot in memory."""
        self.lots[lot.number] = lot
        self.purse(lot.owner).lots[lot.number] = lot
        if not lot.left:
            self.emptied.add(lot.number)

    def recall(self, row: tuple[Any, ...]) -> None:
        """Bring back a lot that was dropped, from the row of the leaf that opened it."""
        lot = self.lot_of(row)
        if lot is None or lot.number in self.lots:
            return
        known = self.aside.pop(lot.number, None)
        if known is not None:
            lot.lapsed, lot.start, lot.until = known
        self.keep(lot)

    def drop_emptied(self) -> list[Lot]:
        """Drop used up lots. Gives them, for a last comparison."""
        gone: list[Lot] = []
        for number in self.emptied:
            lot = self.lots.get(number)
            if lot is None or lot.left or lot.held:
                continue
            del self.lots[number]
            del self.purses[lot.owner].lots[number]
            dated = lot.start != lot.first_start or lot.until != lot.first_until
            if lot.lapsed or dated:
                self.aside[number] = (lot.lapsed, lot.start, lot.until)
            gone.append(lot)
        self.emptied.clear()
        return gone
