"""What must come of a workload: a plain model, one command after another, no code of the ledger."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lab.bench.ledger.workloads import (
    DAY_MS,
    HOLD_S,
    START_MS,
    Command,
    Kind,
    Size,
    Workload,
    earned,
    lots_before,
)

_NEVER: Final = 2**62
_HOLD_MS: Final = HOLD_S * 1000


@dataclass(slots=True)
class Hold:
    """An open hold."""

    member: int
    amount: int
    due_ms: int


@dataclass(slots=True)
class Model:
    """Members' points, holds and what became of commands.

    lots: (expiry in ms, points) of each member as a heap. A member's due holds are released by its
    next command; lots past their date are spendable no more and leave with the next tick's sweep.
    """

    workload: Workload
    lots: dict[int, list[tuple[int, int]]]
    holds: dict[str, Hold] = field(default_factory=dict[str, Hold])
    of_member: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    seen: dict[str, int] = field(default_factory=dict[str, int])  # id -> amount: the payload
    posted: int = 0
    refused: int = 0
    repeated: int = 0
    conflicting: int = 0
    swept: int = 0
    captured: int = 0
    voided: int = 0
    fell_due: int = 0

    @classmethod
    def of(cls, workload: Workload, size: Size) -> "Model":
        """Before the first command."""
        lots: dict[int, list[tuple[int, int]]] = {}
        for member, born in lots_before(workload, size):
            rows = [(_expiry(START_MS, lot.days), lot.points) for lot in born]
            heapq.heapify(rows)
            lots[member] = rows
        return cls(workload, lots)

    def apply(self, commands: Iterable[Command]) -> None:
        """Hear commands in order."""
        for command in commands:
            known = self.seen.get(command.id)
            if known is None:
                self.seen[command.id] = command.amount
                self._fresh(command)
            elif known == command.amount:
                self.repeated += 1
            else:
                self.conflicting += 1

    @property
    def fresh(self) -> int:
        """Commands that got a sequence number."""
        return self.posted + self.refused

    def balances(self) -> dict[int, int]:
        """Points of every member, held ones and those past their date but unswept included."""
        return {member: sum(points for _, points in rows) for member, rows in self.lots.items()}

    def held(self) -> dict[int, int]:
        """Points that are booked as held, of members who have any."""
        by_member: dict[int, int] = {}
        for hold in self.holds.values():
            by_member[hold.member] = by_member.get(hold.member, 0) + hold.amount
        return by_member

    def _fresh(self, command: Command) -> None:
        taken = self._take(command)
        self.posted += taken
        self.refused += not taken

    def _take(self, command: Command) -> bool:
        match command.kind:
            case Kind.EARN:
                self._release_due(command.credit, command.at)
                days = earned(command).days if self.workload is Workload.W7 else None
                lot = (_expiry(command.at, days), command.amount)
                heapq.heappush(self.lots[command.credit], lot)
                return True
            case Kind.SPEND:
                self._release_due(command.debit, command.at)
                return self._spend(command.debit, command.amount, command.at)
            case Kind.HOLD:
                return self._hold(command)
            case Kind.CAPTURE | Kind.VOID:
                return self._resolve(command)
            case Kind.TICK:
                self._sweep(command.at)
                return True

    def _spend(self, member: int, amount: int, at: int) -> bool:
        rows = self.lots[member]
        if sum(points for expiry, points in rows if expiry > at) - self._held(member) < amount:
            return False
        past = [row for row in rows if row[0] <= at]
        rows = [row for row in rows if row[0] > at]
        heapq.heapify(rows)
        while amount:
            expiry, points = heapq.heappop(rows)
            if points > amount:
                heapq.heappush(rows, (expiry, points - amount))
            amount -= min(points, amount)
        for row in past:
            heapq.heappush(rows, row)
        self.lots[member] = rows
        return True

    def _hold(self, command: Command) -> bool:
        self._release_due(command.debit, command.at)
        points = sum(n for expiry, n in self.lots[command.debit] if expiry > command.at)
        if points - self._held(command.debit) < command.amount:
            return False
        due_ms = command.at + _HOLD_MS
        self.holds[command.id] = Hold(command.debit, command.amount, due_ms)
        self.of_member.setdefault(command.debit, set()).add(command.id)
        return True

    def _resolve(self, command: Command) -> bool:
        self._release_due(command.debit, command.at)
        hold = self.holds.get(command.hold)
        if hold is None or command.amount > hold.amount:
            return False
        self._forget(command.hold)
        if command.kind is Kind.VOID:
            self.voided += 1
            return True
        self.captured += 1
        return self._spend(hold.member, command.amount, command.at)

    def _held(self, member: int) -> int:
        return sum(self.holds[name].amount for name in self.of_member.get(member, ()))

    def _release_due(self, member: int, at: int) -> None:
        for name in list(self.of_member.get(member, ())):
            if self.holds[name].due_ms <= at:
                self._forget(name)
                self.fell_due += 1

    def _forget(self, name: str) -> None:
        self.of_member[self.holds.pop(name).member].discard(name)

    def _sweep(self, at: int) -> None:
        for rows in self.lots.values():
            while rows and rows[0][0] <= at:
                heapq.heappop(rows)
                self.swept += 1


def _expiry(at: int, days: int | None) -> int:
    return _NEVER if days is None else at + days * DAY_MS
