"""One command's effects while they are computed; undone before its leaf is posted."""

from collections.abc import Iterable
from typing import Any

from verifier.state import LOTS_PER_SEQUENCE, Hold, Key, Lot, Purse, State

NETWORK = 1  # the network's own party
RIAL = "IRR"
POINTS = "NP"
CREDIT = "CR"
GIFT = "GV"
MERCHANT = "MP"
NEVER = 1 << 62  # later than any time
GRACE = HOLD_MAX = 30 * 86_400 * 1_000_000
GRACED = ("child", "received-in-grace")  # origins of lots that already had their one grace
DONE = ("completed", "held")

Row = tuple[Any, ...]
Leg = tuple[Key, int]
_EMPTY = Purse()


class No(Exception):
    """A decline, with its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Effects:
    """The expected content of the command's answer; amounts by their names in it."""

    __slots__ = (
        "code", "forgiven", "lines", "marks", "numbers", "progress", "reasons", "refused_awards",
        "status",
    )  # fmt: skip

    def __init__(self, status: str = "completed", code: str = "", **numbers: int | None) -> None:
        self.status = status
        self.code = code
        self.numbers: dict[str, int | None] = numbers
        self.lines: list[Any] = []
        self.reasons: tuple[Any, ...] | None = None  # as the command gave them
        self.refused_awards: list[Row] = []  # place among the command's awards, code
        self.marks = ""  # the name of an original that never arrived, refused from now on
        self.progress: tuple[str, Any] | None = None  # an original's name, and its new progress
        self.forgiven: list[tuple[int, int]] = []  # lot, lapsed points that nobody owes


class Draft:
    """The expected rows of a command, as in its leaf except for account numbers."""

    __slots__ = (
        "acceptor", "before", "changes", "crosses", "dates", "debts", "ended", "hold_rows", "legs",
        "merchant", "now", "occurred", "opened", "owner", "purse", "rows", "sequence", "state",
    )  # fmt: skip

    def __init__(self, state: State, *, sequence: int, now: int, occurred: int) -> None:
        self.state = state
        self.sequence = sequence
        self.now = now
        self.occurred = occurred
        self.owner = self.acceptor = self.merchant = 0
        self.purse = _EMPTY
        self.rows: list[Row] = []
        self.legs: list[Leg] = []
        self.opened: list[tuple[Lot, int, int]] = []  # with amount and cost at birth
        self.dates: dict[int, tuple[int, int | None]] = {}
        self.debts: dict[tuple[str, int], int] = {}
        self.before: dict[int, tuple[Lot, int, int, int, int | None, int, int]] = {}
        self.hold_rows: list[Row] = []
        self.ended: set[int] = set()  # holds that this command resolves
        self.changes: list[tuple[Any, ...]] = []  # of the shard's registry
        self.crosses: list[tuple[str, Any]] = []  # commands that follow from it: name and content

    def about(self, owner: int, body: Any) -> None:
        """Set the owner of the value."""
        self.owner = owner
        self.acceptor = getattr(body, "acceptor", 0)
        self.merchant = getattr(body, "merchant", 0)
        self.purse = purse = self.state.purses.get(owner) or Purse()
        if purse.debts:
            self.debts = {kin: a.balance for kin, a in purse.debts.items() if a.balance}

    def undo(self) -> None:
        """Restore every lot to its earlier state."""
        for lot, left, cost, start, until, lapsed, held in self.before.values():
            lot.left, lot.cost, lot.start, lot.until, lot.lapsed = left, cost, start, until, lapsed
            lot.held = held
        for lot, _, _ in self.opened:
            self.purse.lots.pop(lot.number, None)
        self.before.clear()

    def forget(self) -> None:
        """Undo, and drop all planned rows."""
        self.undo()
        self.rows, self.legs, self.opened, self.dates = [], [], [], {}
        self.hold_rows, self.changes, self.crosses = [], [], []
        self.ended.clear()
        self.debts = {kin: a.balance for kin, a in self.purse.debts.items() if a.balance}

    # ---------------------------------------------------------------------------------------- lots

    def touch(self, lot: Lot) -> None:
        """Keep a lot's state before it changes."""
        if lot.number not in self.before:
            self.before[lot.number] = (
                lot, lot.left, lot.cost, lot.start, lot.until, lot.lapsed, lot.held,
            )  # fmt: skip

    def lot(self, number: int) -> Lot | None:
        """A lot of this owner."""
        return self.purse.lots.get(number)

    def usable(self, unit: str, issuer: int | None = None) -> list[Lot]:
        """Lots that pay a debit now: first to expire, then first earned, then first opened."""
        now = self.now
        lots = [
            lot
            for lot in self.purse.lots.values()
            if lot.left > lot.held
            and lot.unit == unit
            and lot.start <= now
            and (lot.until is None or now < lot.until)
            and (issuer is None or lot.issuer == issuer)
        ]
        if len(lots) > 1:
            lots.sort(key=_turn)
        return lots

    def plan(
        self, unit: str, needed: int, lack: str, issuer: int | None = None
    ) -> list[tuple[Lot, int]]:
        """Lots that give an amount, and how much each; lack: the code for too little."""
        takes: list[tuple[Lot, int]] = []
        if not needed:
            return takes
        for lot in self.usable(unit, issuer):
            amount = min(needed, lot.left - lot.held)
            takes.append((lot, amount))
            needed -= amount
            if not needed:
                return takes
        raise No(lack)

    def take(self, lot: Lot, amount: int, movement: str) -> int:
        """Take from a lot with its share of the cost. Gives that share."""
        cost = lot.cost * amount // lot.left
        self.take_at(lot, amount, movement, (cost, 0, 0))
        return cost

    def take_at(self, lot: Lot, amount: int, movement: str, money: tuple[int, int, int]) -> None:
        """As take; money: cost, claim and fee."""
        cost, claim, fee = money
        self.touch(lot)
        lot.left -= amount
        lot.cost -= cost
        self.rows.append(
            (
                len(self.rows), lot.number, amount, cost, claim, fee, 0, 0, lot.issuer,
                self.acceptor, self.merchant, movement,
            )
        )  # fmt: skip

    def lapse(self, numbers: Iterable[int]) -> None:
        """Book the expiry of lots past date, without what holds reserve."""
        for number in numbers:
            lot = self.purse.lots[number]
            amount = lot.left - lot.held
            if amount and not in_date(lot, self.now):
                self.take(lot, amount, "expired")
                lot.lapsed += amount
                sink: Key = (lot.issuer, "expired", lot.unit, 0)
                self.move(self.value(lot.unit, lot.issuer), sink, amount)

    def live(self) -> list[Lot]:
        """Lots that have value, by number, without those that only wait for expiry's booking."""
        by_number = sorted(self.purse.lots.items())
        return [lot for _, lot in by_number if lot.held or (lot.left and in_date(lot, self.now))]

    def open(self, like: dict[str, Any], amount: int, cost: int, filled: bool = True) -> Lot:
        """A new lot; like: its columns by name."""
        if len(self.opened) >= LOTS_PER_SEQUENCE:
            raise ValueError("more lots than a sequence number can open")
        number = self.sequence * LOTS_PER_SEQUENCE + len(self.opened)
        lot = Lot(number, self.owner, like["unit"], like["issuer"], like["funder"])
        lot.start, lot.until, lot.born = like["start"], like["until"], like["born"]
        lot.merchant, lot.rule, lot.version = like["merchant"], like["rule"], like["version"]
        lot.origin, lot.parent = like["origin"], like["parent"]
        lot.sliding = like.get("sliding", 0)
        lot.left, lot.cost = (amount, cost) if filled else (0, 0)
        self.opened.append((lot, amount, cost))
        self.purse.lots[number] = lot
        return lot

    def fill(self, like: dict[str, Any], amount: int, cost: int) -> None:
        """Open a lot that a row of this command fills: part of one elsewhere."""
        lot = self.open(like, amount, cost)
        self.rows.append(
            (
                len(self.rows), lot.number, amount, cost, 0, 0, 0, 0, lot.issuer, 0, 0, "arrived",
            )
        )  # fmt: skip

    def redate(self, lot: Lot, start: int, until: int | None) -> None:
        """Set other dates; nothing changes where they are the same."""
        if (start, until) != (lot.start, lot.until):
            self.touch(lot)
            lot.start, lot.until = start, until
            self.dates[lot.number] = (start, until)

    # --------------------------------------------------------------------------------------- holds

    def reserve(self, takes: list[tuple[Lot, int]]) -> None:
        """Hold amounts of lots under this command's number."""
        for lot, amount in takes:
            self.touch(lot)
            lot.held += amount
            self._add_hold_row(self.sequence, lot.number, amount, "held")

    def release(self, hold: Hold, rest: str, captured: dict[int, int] | None = None) -> None:
        """End a hold: captured amounts may be taken, the rest is free."""
        self.ended.add(hold.number)
        for number, amount in hold.parts.items():
            lot = self.purse.lots[number]
            self.touch(lot)
            lot.held -= amount
            part = captured.get(number, 0) if captured else 0
            if part:
                self._add_hold_row(hold.number, number, part, "captured")
            if amount > part:
                self._add_hold_row(hold.number, number, amount - part, rest)

    def free_due(self) -> None:
        """End holds that fell due, whether or not anything booked it."""
        for number, hold in sorted(self.purse.holds.items()):
            if hold.due <= self.now and number not in self.ended:
                self.release(hold, "due")
                self.lapse(hold.parts)

    def _add_hold_row(self, hold: int, lot: int, amount: int, event: str) -> None:
        self.hold_rows.append((len(self.hold_rows), hold, lot, amount, event))

    # ------------------------------------------------------------------------------------- entries

    def move(self, giver: Key, taker: Key, amount: int) -> None:
        """One transfer: the giver's entry, then the taker's; none for zero."""
        if amount:
            self.legs.append((giver, -amount))
            self.legs.append((taker, amount))

    def value(self, unit: str, issuer: int) -> Key:
        """The owner's account of a unit; of merchant points, one for each merchant."""
        return (self.owner, "value", unit, issuer if unit == MERCHANT else 0)

    def issue(self, unit: str, issuer: int, amount: int) -> None:
        """Points come from their issuer; a negative amount goes back."""
        self.move((issuer, "issued", unit, 0), self.value(unit, issuer), amount)

    def fund(self, issuer: int, funder: int, cost: int) -> None:
        """The funder owes the issuer the cost, unless they are the same."""
        if issuer != funder:
            self.move((funder, "payable", RIAL, issuer), (issuer, "receivable", RIAL, funder), cost)

    def repay(self) -> None:
        """Repay debts from usable lots of the issuer that each is owed to."""
        if not self.debts:
            return
        for unit, issuer in sorted(self.debts):
            owed = paid = -self.debts[unit, issuer]
            for lot in self.usable(unit, issuer):
                if not owed:
                    break
                amount = min(owed, lot.left - lot.held)
                self.take(lot, amount, "repaid")
                owed -= amount
            paid -= owed
            debt: Key = (self.owner, "debt", unit, issuer)
            self.move(self.value(unit, issuer), debt, paid)
            self.owe(unit, issuer, -paid)

    def owe(self, unit: str, issuer: int, amount: int) -> None:
        """Raise a debt by an amount."""
        left = self.debts.get((unit, issuer), 0) - amount
        if left:
            self.debts[unit, issuer] = left
        else:
            self.debts.pop((unit, issuer), None)


def _turn(lot: Lot) -> tuple[int, int, int]:
    return (NEVER if lot.until is None else lot.until, lot.born, lot.number)


def in_date(lot: Lot, now: int) -> bool:
    """Whether the lot is not past its date."""
    return lot.until is None or now < lot.until


def part_of(whole: int, before: int, after: int, total: int) -> int:
    """The share of whole on the way from before to after of total; the last step takes the rest."""
    if total == 0:
        return whole
    return whole * after // total - whole * before // total


def spread(total: int, weights: list[int]) -> list[int]:
    """Total over weights: each its floor, then one more each to the largest remainders.

    Equal remainders: the first. No weight at all: everything on the first.
    """
    whole = sum(weights)
    if not whole:
        return [total, *([0] * (len(weights) - 1))]
    if len(weights) == 1:
        return [total]
    shares = [divmod(total * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    ahead = sorted(range(len(weights)), key=lambda i: -shares[i][1])  # stable: the first first
    for i in ahead[: total - sum(parts)]:
        parts[i] += 1
    return parts
