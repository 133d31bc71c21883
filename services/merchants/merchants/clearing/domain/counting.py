"""What the ledger's outcomes change between parties, counted into windows by sequence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Final, NamedTuple

from contracts.ledger import Outcome, leaps
from contracts.values import Status, Unit
from kit.base import errors
from merchants.clearing.domain import windows

_PAYMENT: Final = "settle-position.v1"


class Pair(NamedTuple):
    """Who owes whom. Alike: what concerns one party alone."""

    debtor: int
    creditor: int


@dataclass(slots=True)
class Change:
    """What one command changed between two parties, in Rial; less than zero: it took back.

    claim_rial: what the debtor came to owe, without fee_rial, the network's. paid_rial: what it
    paid. own_discount_rial: what the acceptor gave beyond every claim. released_rial: cost of the
    debtor's points that the creditor did not claim.
    """

    claim_rial: int = 0
    fee_rial: int = 0
    paid_rial: int = 0
    own_discount_rial: int = 0
    released_rial: int = 0


@dataclass(frozen=True, slots=True)
class PairEntry:
    """A change of a pair with its command: shard, sequence, name and the shard's decision time."""

    window: int
    pair: Pair
    shard: int
    sequence: int
    name: str
    command: str
    decided_at: datetime
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSums:
    """The gross figures of a pair in a window, in Rial: on one shard, or over all of them.

    claims_rial and reversed_rial are never below zero; the rest as in Change.
    """

    entries_count: int = 0
    claims_rial: int = 0
    reversed_rial: int = 0
    fee_rial: int = 0
    paid_rial: int = 0
    own_discount_rial: int = 0
    released_rial: int = 0

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(**{n: getattr(self, n) + getattr(other, n) for n in SUMMED})

    @property
    def due_rial(self) -> int:
        """What the debtor owes the creditor for the window, the network's fee in it."""
        return self.claims_rial - self.reversed_rial + self.fee_rial


SUMMED: Final = tuple(f.name for f in fields(PairSums))


@dataclass(slots=True)
class Progress:
    """How far a shard was counted: its next outcome falls into window, which began at first."""

    shard: int
    window: int = 1
    first: int = 1
    sequence: int = 0
    outcomes_count: int = 0


@dataclass(frozen=True, slots=True)
class Marker:
    """The end of a window on a shard: sequences first to last, and how many were counted."""

    window: int
    shard: int
    first: int
    last: int
    outcomes_count: int
    decided_at: datetime


@dataclass(slots=True)
class Counted:
    """What a batch adds: entries, markers, and each shard's progress after it."""

    progress: dict[int, Progress]
    entries: list[PairEntry] = field(default_factory=list[PairEntry])
    markers: list[Marker] = field(default_factory=list[Marker])

    def sums(self) -> dict[tuple[int, Pair, int], PairSums]:
        """The sums of the entries by window, pair and shard, in key order."""
        sums: dict[tuple[int, Pair, int], PairSums] = {}
        for entry in self.entries:
            key = (entry.window, entry.pair, entry.shard)
            sums[key] = sums.get(key, PairSums()) + sums_of(entry.change)
        return {key: sums[key] for key in sorted(sums)}


def sums_of(change: Change) -> PairSums:
    """The figures of a single change."""
    return PairSums(
        entries_count=1,
        claims_rial=max(change.claim_rial, 0),
        reversed_rial=max(-change.claim_rial, 0),
        fee_rial=change.fee_rial,
        paid_rial=change.paid_rial,
        own_discount_rial=change.own_discount_rial,
        released_rial=change.released_rial,
    )


def count(outcomes: Iterable[tuple[int, Outcome]], progress: Mapping[int, Progress]) -> Counted:
    """Count outcomes, each with its shard, in their order; progress: of every shard among them.

    What is not above a shard's sequence was counted before and adds nothing. Raises Invalid for a
    sequence that cannot follow, entries that do not balance, and a marker of another window.
    """
    counted = Counted({shard: replace(kept) for shard, kept in progress.items()})
    for shard, outcome in outcomes:
        at = counted.progress[shard]
        if outcome.sequence <= at.sequence:
            continue
        if leaps(at.sequence, outcome.sequence):
            raise errors.Invalid(f"shard {shard}: {outcome.sequence} after {at.sequence}")
        at.sequence = outcome.sequence
        at.outcomes_count += 1
        for pair, change in changes_of(outcome).items():
            counted.entries.append(_entry(at, pair, change, outcome))
        if outcome.command == windows.COMMAND and outcome.status is Status.COMPLETED:
            counted.markers += _marked(at, outcome)
    return counted


def _entry(at: Progress, pair: Pair, change: Change, outcome: Outcome) -> PairEntry:
    return PairEntry(
        window=at.window,
        pair=pair,
        shard=at.shard,
        sequence=outcome.sequence,
        name=outcome.name,
        command=outcome.command,
        decided_at=outcome.decided_at,
        change=change,
    )


def _marked(at: Progress, outcome: Outcome) -> list[Marker]:
    """The marker, and the shard's progress moved into the next window.

    None of a window before: a shard that was added later passes through all that there were.
    """
    try:
        window = windows.window_of(outcome.name)
    except ValueError as error:
        raise errors.Invalid(f"shard {at.shard}: {outcome.name}: {error}") from error
    if window > at.window:
        raise errors.Invalid(f"shard {at.shard}: {outcome.name} while window {at.window} counts")
    if window < at.window:
        return []
    marker = Marker(
        at.window, at.shard, at.first, at.sequence, at.outcomes_count, outcome.decided_at
    )
    at.window, at.first, at.outcomes_count = at.window + 1, at.sequence + 1, 0
    return [marker]


def changes_of(outcome: Outcome) -> dict[Pair, Change]:
    """What an outcome changed between parties, by pair; nothing for most outcomes.

    Raises Invalid where what debtors owe is not what creditors may claim. Source: the chart of
    accounts (payable, receivable, fee, discount-given, cost-released).
    """
    changes: dict[Pair, Change] = {}
    owed: dict[Pair, int] = {}
    for entry in outcome.entries:
        if entry.unit is not Unit.RIAL:
            continue
        owner, other, rial = entry.owner, entry.counterparty, entry.amount
        if entry.role == "payable":
            pair = Pair(owner, other)
            owed[pair] = owed.get(pair, 0) - rial
        elif entry.role == "receivable":
            changes.setdefault(Pair(other, owner), Change()).claim_rial += rial
        elif entry.role == "fee":
            changes.setdefault(Pair(other, owner), Change()).fee_rial += rial
        elif entry.role == "discount-given":
            changes.setdefault(Pair(owner, owner), Change()).own_discount_rial += rial
        elif entry.role == "cost-released":
            pair = Pair(owner, outcome.acceptor or owner)
            changes.setdefault(pair, Change()).released_rial += rial
    _check_twins(outcome, owed, changes)
    if outcome.command == _PAYMENT:
        return {pair: Change(paid_rial=-rial) for pair, rial in owed.items()}
    return changes


def _check_twins(
    outcome: Outcome, owed: Mapping[Pair, int], changes: Mapping[Pair, Change]
) -> None:
    for pair in owed.keys() | changes.keys():
        change = changes.get(pair, Change())
        if owed.get(pair, 0) != change.claim_rial + change.fee_rial:
            raise errors.Invalid(
                f"{outcome.name}: {pair.debtor} owes {pair.creditor} {owed.get(pair, 0)} Rial,"
                f" and its twin is {change.claim_rial + change.fee_rial}"
            )
