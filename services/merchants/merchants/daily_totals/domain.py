"""The totals that the ledger's outcomes add to the days of merchants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Final

from contracts import values
from contracts.ledger import Outcome, leaps
from contracts.values import SALES, UNDOS, Status, Unit
from kit.base import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyTotals:
    """A merchant's day in Tehran: sales and points, not debts. Sums may be beyond 2^63.

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
class RecordedOutcome:
    """An outcome with its shard, when the sale happened and when the gateway accepted it."""

    shard: int
    occurred_at: datetime
    accepted_at: datetime
    outcome: Outcome


DATED_BACK_MAX: Final = timedelta(hours=72)  # of refunds and reversals, as fraud bounds sales
COUNTED: Final = tuple(f.name for f in fields(DailyTotals) if f.name not in ("merchant", "day"))


def last_sequences(outcomes: Iterable[RecordedOutcome]) -> dict[int, int]:
    """Highest sequence of each shard in a batch."""
    last: dict[int, int] = {}
    for one in outcomes:
        last[one.shard] = max(last.get(one.shard, 0), one.outcome.sequence)
    return last


def totals_of(outcomes: Sequence[RecordedOutcome], counted: dict[int, int]) -> list[DailyTotals]:
    """The totals that a batch adds to the days of merchants, in key order.

    counted: sequence up to which each shard was counted; an outcome that is not above it, or is
    twice in the batch, adds nothing. Raises Invalid for a sequence far beyond the last of its
    shard: counted up to there, every outcome after it would add nothing.
    """
    reached = dict(counted)
    sums: dict[tuple[int, date], DailyTotals] = {}
    for one in outcomes:
        last = reached.get(one.shard, 0)
        if one.outcome.sequence <= last:
            continue
        if leaps(last, one.outcome.sequence):
            raise errors.Invalid(f"shard {one.shard}: {one.outcome.sequence} after {last}")
        reached[one.shard] = one.outcome.sequence
        part = _outcome_totals(one)
        if part is None:
            continue
        key = (part.merchant, part.day)
        sums[key] = add_totals(sums[key], part) if key in sums else part
    return [sums[key] for key in sorted(sums)]


def add_totals(left: DailyTotals, right: DailyTotals) -> DailyTotals:
    """The sum of two days' totals, under the merchant and day of the left."""
    return replace(left, **{n: getattr(left, n) + getattr(right, n) for n in COUNTED})


def _outcome_totals(one: RecordedOutcome) -> DailyTotals | None:
    outcome = one.outcome
    if outcome.merchant == 0 or outcome.status not in (Status.COMPLETED, Status.UNDER_REVIEW):
        return None
    sale = outcome.kind in SALES
    # a reversal that found nothing to undo, or freed what was reserved, took no goods back
    back = outcome.kind in UNDOS and outcome.amount_rial > 0 and not outcome.is_of_wallet
    return DailyTotals(
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


def _counts_at(one: RecordedOutcome) -> datetime:
    """When a refund or reversal counts: as dated, or when accepted if it is dated far back.

    A reversal may be of any age; dated by its sender alone, it could leave every day's report.
    """
    return (
        one.accepted_at if one.accepted_at - one.occurred_at > DATED_BACK_MAX else one.occurred_at
    )


def _moved(outcome: Outcome, *movements: str) -> int:
    return sum(
        move.amount
        for move in outcome.moves
        if move.movement in movements and move.unit is Unit.NETWORK_POINTS
    )
