"""What the ledger's outcomes add to the days of merchants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Final

from contracts import values
from contracts.ledger import Outcome, leaps
from contracts.values import Kind, Status, Unit
from kit.base import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A merchant's day in Tehran; what happened, not what is owed. Sums may be beyond 2^63.

    transactions_count, amount_rial: purchases and redemptions. refunds_count, refunded_rial:
    refunds and reversals. Points are network points.
    """

    merchant: int
    day: date
    transactions_count: int = 0
    amount_rial: int = 0
    refunds_count: int = 0
    refunded_rial: int = 0
    earned_points: int = 0
    redeemed_points: int = 0
    returned_points: int = 0
    restored_points: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """One outcome as it was heard: its shard, when it happened and when the gateway took it in."""

    shard: int
    occurred_at: datetime
    accepted_at: datetime
    outcome: Outcome


DATED_BACK_MAX: Final = timedelta(hours=72)  # of undos, as fraud bounds sales and refunds
COUNTED: Final = tuple(f.name for f in fields(Tally) if f.name not in ("merchant", "day"))


def last_sequences(heard: Iterable[Heard]) -> dict[int, int]:
    """Highest sequence of each shard in a batch."""
    last: dict[int, int] = {}
    for one in heard:
        last[one.shard] = max(last.get(one.shard, 0), one.outcome.sequence)
    return last


def tally(heard: Sequence[Heard], counted: dict[int, int]) -> list[Tally]:
    """What a batch adds to the days of merchants, in key order.

    counted: sequence up to which each shard was counted; what is not above it, or comes twice in
    the batch, adds nothing. Raises Invalid for a sequence far beyond the last of its shard: counted
    up to there, every outcome after it would add nothing.
    """
    reached = dict(counted)
    sums: dict[tuple[int, date], Tally] = {}
    for one in heard:
        last = reached.get(one.shard, 0)
        if one.outcome.sequence <= last:
            continue
        if leaps(last, one.outcome.sequence):
            raise errors.Invalid(f"shard {one.shard}: {one.outcome.sequence} after {last}")
        reached[one.shard] = one.outcome.sequence
        part = _tally_of(one)
        if part is None:
            continue
        key = (part.merchant, part.day)
        sums[key] = add_tallies(sums[key], part) if key in sums else part
    return [sums[key] for key in sorted(sums)]


def add_tallies(left: Tally, right: Tally) -> Tally:
    """The sum of two tallies, under the merchant and day of the left."""
    return replace(left, **{n: getattr(left, n) + getattr(right, n) for n in COUNTED})


def _tally_of(one: Heard) -> Tally | None:
    outcome = one.outcome
    if outcome.merchant == 0 or outcome.status not in (Status.COMPLETED, Status.HELD):
        return None
    sale = outcome.kind in (Kind.PURCHASE, Kind.REDEMPTION)
    back = outcome.kind in (Kind.REFUND, Kind.REVERSAL)
    return Tally(
        merchant=outcome.merchant,
        day=values.tehran_day(_counts_at(one) if back else one.occurred_at),
        transactions_count=int(sale),
        amount_rial=outcome.amount_rial if sale else 0,
        refunds_count=int(back),
        refunded_rial=outcome.amount_rial if back else 0,
        earned_points=sum(
            lot.amount
            for lot in outcome.lots
            if lot.unit is Unit.NETWORK_POINTS and lot.parent == 0
        ),
        redeemed_points=_moved(outcome, "redeemed"),
        returned_points=_moved(outcome, "clawed-back", "cancelled"),
        restored_points=_moved(outcome, "restored"),
    )


def _counts_at(one: Heard) -> datetime:
    """When an undo counts: as dated, but on the day it came in where it is dated far back.

    A reversal may be of any age; dated by its sender alone, it could leave every day's report.
    """
    return (
        one.accepted_at if one.accepted_at - one.occurred_at > DATED_BACK_MAX else one.occurred_at
    )


def _moved(outcome: Outcome, *what: str) -> int:
    return sum(
        move.amount
        for move in outcome.moves
        if move.what in what and move.unit is Unit.NETWORK_POINTS
    )
