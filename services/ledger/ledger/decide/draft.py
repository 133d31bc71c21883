"""One command's effects as they grow: lots, debts, rows and legs; the book itself is untouched."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from contracts.values import Unit
from ledger.domain import chart, lots
from ledger.domain.book import (
    LOTS_PER_COMMAND_MAX,
    Command,
    Leg,
    Lot,
    Member,
    Origin,
    Row,
    What,
    lot_number,
)
from ledger.domain.errors import InvariantBroken


class Draft:
    """Working copy of one member's value. Declining means throwing it away."""

    __slots__ = (
        "acceptor", "changed", "command", "debts", "legs", "lots", "merchant", "now", "opened",
        "owner", "rows", "sequence",
    )  # fmt: skip

    def __init__(
        self, command: Command, owner: int, member: Member, *, sequence: int, now: datetime
    ) -> None:
        self.command = command
        self.owner = owner
        self.sequence = sequence
        self.now = now
        self.acceptor = int(getattr(command.body, "acceptor", 0))
        self.merchant = int(getattr(command.body, "merchant", 0))
        self.lots = member.lots.copy()
        self.debts = member.debts.copy()
        self.opened: dict[int, None] = {}  # in order
        self.changed: dict[int, None] = {}
        self.rows: list[Row] = []
        self.legs: list[Leg] = []

    def post(self, transfer: chart.Transfer) -> None:
        """Book one transfer; legs of zero are left out. Raises InvariantBroken off zero."""
        sums: dict[Unit, int] = {}
        for leg in transfer:
            amount = leg[1]
            if amount:
                unit = leg[0][2]
                sums[unit] = sums.get(unit, 0) + amount
                self.legs.append(leg)
        for unit, off in sums.items():
            if off:
                raise InvariantBroken(f"{self.command.name}: transfer off zero by {off} {unit}")

    def open(self, lot: Lot) -> None:
        """Add a lot with its issue and its funding."""
        self._add(lot)
        self.post(chart.issue(self.owner, lot.unit, lot.issuer, lot.amount))
        self.post(chart.fund(lot.issuer, lot.funder, lot.cost_rial))

    def take(self, lot: Lot, amount: int, what: What) -> Row:
        """Take amount from a lot's remainder with its share of the cost; no legs."""
        return self.take_at(lot, amount, what, lots.cost_of(lot, amount))

    def take_at(
        self, lot: Lot, amount: int, what: What, cost: int, *, claim: int = 0, fee: int = 0
    ) -> Row:
        """As take, with the money leg of a redemption."""
        self.set(replace(lot, remaining=lot.remaining - amount, cost_left=lot.cost_left - cost))
        row = Row(
            len(self.rows), lot.lot, lot.unit, what, amount, cost, lot.issuer, self.acceptor,
            self.merchant, claim, fee,
        )  # fmt: skip
        self.rows.append(row)
        return row

    def give_back(self, original: Row, sequence: int, *, part: Row, grace: datetime) -> None:
        """Restore part (amount, cost, claim, fee) of a row that took from a lot; no legs.

        A lot past its date stays closed: a child with the grace date is opened instead.
        """
        lot = self.lots[original.lot]
        if part.amount:
            if lots.in_date(lot, self.now):
                remaining, cost = lot.remaining + part.amount, lot.cost_left + part.cost_rial
                self.set(replace(lot, remaining=remaining, cost_left=cost))
            else:
                lot = self._child(lot, part, grace)
        self.rows.append(
            replace(
                part,
                ordinal=len(self.rows),
                lot=lot.lot,
                original_sequence=sequence,
                original_ordinal=original.ordinal,
            )
        )

    def set(self, lot: Lot) -> None:
        """Put down a lot's new state. Raises InvariantBroken below zero."""
        if lot.remaining < 0 or lot.cost_left < 0 or lot.lapsed < 0:
            raise InvariantBroken(f"lot {lot.lot} below zero")
        self.lots[lot.lot] = lot
        if lot.lot not in self.opened:
            self.changed[lot.lot] = None

    def settle_debts(self) -> None:
        """Repay debts from available lots of the issuer each is owed to (architecture 5)."""
        for (unit, issuer), debt in list(self.debts.items()):
            plan = lots.plan_consumption(self.of(unit, issuer), -debt, now=self.now)
            for lot, amount in plan.takes:
                self.take(lot, amount, What.REPAID)
            repaid = -debt - plan.short
            self.post(chart.repay(self.owner, unit, issuer, repaid))
            self.owe(unit, issuer, -repaid)

    def owe(self, unit: Unit, issuer: int, amount: int) -> None:
        """Add to what the member owes an issuer; a negative amount lowers it."""
        left = self.debts.get((unit, issuer), 0) - amount
        if left > 0:
            raise InvariantBroken(f"debt of account {self.owner} above zero")
        if left:
            self.debts[unit, issuer] = left
        else:
            self.debts.pop((unit, issuer), None)

    def of(self, unit: Unit, issuer: int | None = None) -> Iterable[Lot]:
        """The member's lots of a unit, of one issuer where given."""
        return [
            lot
            for lot in self.lots.values()
            if lot.unit is unit and (issuer is None or lot.issuer == issuer)
        ]

    def _add(self, lot: Lot) -> None:
        if len(self.opened) >= LOTS_PER_COMMAND_MAX or lot.lot in self.lots:
            raise InvariantBroken(f"lot number {lot.lot} cannot be given")
        self.opened[lot.lot] = None
        self.lots[lot.lot] = lot

    def _child(self, parent: Lot, part: Row, grace: datetime) -> Lot:
        child = replace(
            parent,
            lot=lot_number(self.sequence, len(self.opened)),
            amount=part.amount,
            cost_rial=part.cost_rial,
            available_from=self.now,
            expires_at=grace,
            origin=Origin.CHILD,
            parent=parent.lot,
            remaining=part.amount,
            cost_left=part.cost_rial,
            lapsed=0,
        )
        self._add(child)
        return child
