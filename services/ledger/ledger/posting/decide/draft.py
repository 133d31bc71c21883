"""One command's effects while a rule builds them: lots, debts, rows and legs of one account."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from contracts.pos import Balance
from contracts.value import ReceiveBudget, ReceiveValue, ReturnValue
from contracts.values import Unit
from ledger.book import chart, lots
from ledger.book.commands import Command
from ledger.book.errors import InvariantBroken, Unread
from ledger.book.facts import (
    LOTS_PER_COMMAND_MAX,
    AccountState,
    Held,
    Hold,
    Leg,
    Lot,
    LotMovement,
    LotMovementKind,
    Origin,
    Rest,
    lot_number,
    value_key,
)
from ledger.book.lots import Plan
from ledger.log.domain.leaves import DateRow, HoldRow
from ledger.posting.domain.shard_registry import Change, ShardRegistry

Sent = ReceiveValue | ReturnValue | ReceiveBudget  # commands that follow from a command
_NO_CAPTURE: Final[Mapping[int, int]] = {}


class AccountDraft:
    """A working copy of one account's value. A decline throws it away."""

    __slots__ = (
        "acceptor", "change", "changed", "command", "dated", "debts", "hold_rows", "holds",
        "legs", "lots", "merchant", "now", "opened", "owner", "registry", "rest", "rows", "sends",
        "sequence",
    )  # fmt: skip

    def __init__(
        self,
        command: Command,
        owner: int,
        member: AccountState,
        *,
        sequence: int,
        now: datetime,
        registry: ShardRegistry | None = None,
    ) -> None:
        self.command = command
        self.owner = owner
        self.sequence = sequence
        self.now = now
        self.acceptor = command.facts.acceptor
        self.merchant = command.facts.merchant
        self.lots = member.lots.copy()
        self.debts = member.debts.copy()
        self.holds = member.holds.copy()
        self.rest = member.rest  # read only
        self.opened: dict[int, None] = {}  # in order
        self.changed: dict[int, None] = {}
        self.dated: dict[int, None] = {}
        self.hold_rows: list[HoldRow] = []
        self.rows: list[LotMovement] = []
        self.legs: list[Leg] = []
        self.registry = registry or ShardRegistry()  # read only: its change is `change`
        self.change: Change | None = None
        self.sends: list[tuple[int, Sent]] = []

    def post(self, transfer: chart.Transfer) -> None:
        """Book one transfer without its zero legs. Raises InvariantBroken if it is off zero."""
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
        """Add a lot, with the legs of its issue and its funding."""
        self._add(lot)
        self.post(chart.issue(self.owner, lot.unit, lot.issuer, lot.amount))
        self.post(chart.fund(lot.issuer, lot.funder, lot.cost_rial))

    def add(self, lot: Lot) -> None:
        """Add a lot whose legs the caller books."""
        self._add(lot)

    def fill(self, lot: Lot) -> None:
        """Add the child of a lot elsewhere, and the row that fills it; no legs."""
        self._add(lot)
        self.rows.append(
            LotMovement(
                len(self.rows), lot.lot, lot.unit, LotMovementKind.ARRIVED, lot.amount,
                lot.cost_rial, lot.issuer, 0, 0,
            )
        )  # fmt: skip

    def take(self, lot: Lot, amount: int, kind: LotMovementKind) -> LotMovement:
        """Take an amount of a lot's remainder, with its share of the cost; no legs."""
        return self.take_at(lot, amount, kind, lots.cost_of(lot, amount))

    def take_at(
        self,
        lot: Lot,
        amount: int,
        kind: LotMovementKind,
        cost: int,
        *,
        claim: int = 0,
        fee: int = 0,
    ) -> LotMovement:
        """As take, at a given cost and with the money leg of a redemption."""
        self.set(replace(lot, remaining=lot.remaining - amount, cost_left=lot.cost_left - cost))
        row = LotMovement(
            len(self.rows), lot.lot, lot.unit, kind, amount, cost, lot.issuer, self.acceptor,
            self.merchant, claim, fee,
        )  # fmt: skip
        self.rows.append(row)
        return row

    def unissue(self, lot: Lot, kind: LotMovementKind) -> int:
        """Take what is left of a lot and not held, reversing its issue and funding.

        Gives its cost in Rial.
        """
        row = self.take(lot, lot.remaining - lot.held, kind)
        self.post(chart.issue(self.owner, lot.unit, lot.issuer, -row.amount))
        self.post(chart.fund(lot.issuer, lot.funder, -row.cost_rial))
        return row.cost_rial

    def lapse(self, numbers: Iterable[int]) -> None:
        """Book the expiry of those of these lots that are past their date.

        A rule that takes from lots without regard to dates calls this first. Its effects are then
        the same whether the sweep came before or not.
        """
        for number in numbers:
            lot = self.lots[number]
            past = lot.remaining - lot.held
            if past and not lots.in_date(lot, self.now):
                self.take(lot, past, LotMovementKind.EXPIRED)
                self.set(replace(self.lots[number], lapsed=lot.lapsed + past))
                self.post(chart.expire(self.owner, lot.unit, lot.issuer, past))

    def give_back(
        self, original: LotMovement, sequence: int, *, part: LotMovement, grace: datetime
    ) -> None:
        """Restore part (amount, cost, claim, fee) of a row that took from a lot; no legs.

        A lot past its date stays closed: a child with the grace date opens instead. Grace is given
        once, so a child's own child keeps its date and is past it at once.
        """
        lot = self.lots[original.lot]
        if part.amount:
            if lots.in_date(lot, self.now):
                remaining, cost = lot.remaining + part.amount, lot.cost_left + part.cost_rial
                self.set(replace(lot, remaining=remaining, cost_left=cost))
            else:
                until = lot.expires_at if lots.graced(lot) else grace
                lot = self._child(lot, part, until)
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
        """Set a lot's new state. Raises InvariantBroken below zero."""
        if lot.remaining < 0 or lot.cost_left < 0 or lot.lapsed < 0:
            raise InvariantBroken(f"lot {lot.lot} below zero")
        if not 0 <= lot.held <= lot.remaining:
            raise InvariantBroken(f"lot {lot.lot} holds {lot.held} of {lot.remaining}")
        self.lots[lot.lot] = lot
        if lot.lot not in self.opened:
            self.changed[lot.lot] = None

    def settle_debts(self) -> None:
        """Repay debts from available lots of the issuer that each is owed to (architecture 5)."""
        for (unit, issuer), debt in sorted(
            self.debts.items()
        ):  # the order of reading must not matter
            plan = self.plan(unit, issuer, -debt)
            for lot, amount in plan.takes:
                self.take(lot, amount, LotMovementKind.REPAID)
            repaid = -debt - plan.short
            self.post(chart.repay(self.owner, unit, issuer, repaid))
            self.owe(unit, issuer, -repaid)

    def redate(
        self, lot: Lot, *, available_from: datetime | None, expires_at: datetime | None
    ) -> None:
        """Give a lot other dates; nothing changes where they are the same."""
        if (available_from, expires_at) != (lot.available_from, lot.expires_at):
            self.set(replace(lot, available_from=available_from, expires_at=expires_at))
            self.dated[lot.lot] = None

    def dates(self) -> tuple[DateRow, ...]:
        """Lots whose dates changed, by number."""
        redated = [self.lots[number] for number in sorted(self.dated)]
        return tuple((lot.lot, lot.available_from, lot.expires_at) for lot in redated)

    def reserve(self, hold: Hold) -> None:
        """Hold amounts of lots; no legs."""
        self.holds[hold.hold] = hold
        for number, amount in hold.parts:
            lot = self.lots[number]
            self.set(replace(lot, held=lot.held + amount))
            self._add_hold_row(hold, number, amount, Held.HELD)

    def release(self, hold: Hold, rest: Held, *, captured: Mapping[int, int] = _NO_CAPTURE) -> None:
        """End a hold: its reserved amounts are free again, and the caller takes the captured ones.

        rest: the event of what is not captured. captured: amounts by lot.
        """
        del self.holds[hold.hold]
        for number, amount in hold.parts:
            lot = self.lots[number]
            self.set(replace(lot, held=lot.held - amount))
            part = captured.get(number, 0)
            if part:
                self._add_hold_row(hold, number, part, Held.CAPTURED)
            if amount > part:
                self._add_hold_row(hold, number, amount - part, rest)

    def settle_due(self) -> None:
        """Release holds that fell due, and book the expiry of their lots past date."""
        due = [hold for hold in self.holds.values() if hold.due_at <= self.now]
        for hold in sorted(due, key=lambda hold: hold.hold):
            self.release(hold, Held.DUE)
            self.lapse([number for number, _ in hold.parts])

    def owe(self, unit: Unit, issuer: int, amount: int) -> None:
        """Add to what the account owes an issuer; a negative amount lowers it."""
        left = self.debts.get((unit, issuer), 0) - amount
        if left > 0:
            raise InvariantBroken(f"debt of account {self.owner} above zero")
        if left:
            self.debts[unit, issuer] = left
        else:
            self.debts.pop((unit, issuer), None)

    def plan(self, unit: Unit, issuer: int | None, demand: int) -> Plan:
        """Lots that pay a debit of a unit, of one issuer where that is named. Raises Unread."""
        plan = lots.plan_consumption(self.of(unit, issuer), demand, now=self.now)
        if self.rest and demand:
            self._check_read(unit, issuer, plan)
        return plan

    def plan_all(self, unit: Unit, issuer: int | None, demand: int) -> Plan:
        """As plan, but with no lots where the sums show that too little is there. Raises Unread."""
        rest = self._rest_of(unit, issuer)
        if rest is not None and (issuer is None or unit is Unit.MERCHANT_POINTS):
            free = [x for x in self.of(unit, issuer) if lots.available(x, self.now)]
            have = rest.usable + sum(lot.remaining - lot.held for lot in free)
            if have < demand:
                return Plan([], demand - have)
        return self.plan(unit, issuer, demand)

    def balance(self) -> Balance:
        """The balance that the account's holder sees now. Raises Unread."""
        effective = lots.effective(self.lots, self.holds, self.now)
        balance = lots.balance(effective, self.rest, now=self.now)
        return lots.with_debts(balance, self.debts) if self.debts else balance

    def children_of(self, parent: Lot) -> list[int]:
        """Children that refunds opened of a lot past its date, while not empty. Raises Unread."""
        if self._rest_of(parent.unit, parent.issuer) is not None:
            raise Unread
        return [
            number
            for number, lot in sorted(self.lots.items())
            if lot.parent == parent.lot and lot.origin is Origin.CHILD and lot.remaining
        ]

    def is_empty(self) -> bool:
        """Whether no lot has value, lots that only wait for their expiry's booking left out."""
        return not any(x.usable or x.pending for x in self.rest.values()) and not self.live()

    def of(self, unit: Unit, issuer: int | None = None) -> Iterable[Lot]:
        """The account's lots of a unit, of one issuer where that is named."""
        return [
            lot
            for lot in self.lots.values()
            if lot.unit is unit and (issuer is None or lot.issuer == issuer)
        ]

    def live(self) -> list[Lot]:
        """Lots that have value, by number, without those that only wait for expiry's booking."""
        by_number = [self.lots[number] for number in sorted(self.lots)]
        return [
            lot for lot in by_number if lot.held or (lot.remaining and lots.in_date(lot, self.now))
        ]

    def _rest_of(self, unit: Unit, issuer: int | None) -> Rest | None:
        if not self.rest:
            return None
        return self.rest.get((unit, value_key(self.owner, unit, issuer or 0).counterparty))

    def _check_read(self, unit: Unit, issuer: int | None, plan: Plan) -> None:
        """Raise Unread unless these lots are the ones that the whole account would give."""
        rest = self._rest_of(unit, issuer)
        if rest is None or not rest.usable:
            return
        reached = rest.frontier if issuer is None else rest.issuers.get(issuer, rest.frontier)
        if reached is None:
            return
        if plan.short or lots.turn(plan.takes[-1][0]) > reached:
            raise Unread

    def _add_hold_row(self, hold: Hold, lot: int, amount: int, event: Held) -> None:
        self.hold_rows.append((len(self.hold_rows), hold.hold, lot, amount, event))

    def _add(self, lot: Lot) -> None:
        if len(self.opened) >= LOTS_PER_COMMAND_MAX or lot.lot in self.lots:
            raise InvariantBroken(f"lot number {lot.lot} cannot be given")
        self.opened[lot.lot] = None
        self.lots[lot.lot] = lot

    def _child(self, parent: Lot, part: LotMovement, until: datetime | None) -> Lot:
        child = replace(
            parent,
            lot=lot_number(self.sequence, len(self.opened)),
            amount=part.amount,
            cost_rial=part.cost_rial,
            available_from=self.now,
            expires_at=until,
            origin=Origin.CHILD,
            parent=parent.lot,
            remaining=part.amount,
            cost_left=part.cost_rial,
            lapsed=0,
            held=0,
            sliding_days=0,  # a grace date is the last
        )
        self._add(child)
        return child
