"""Balances for reading, brought forward by the ledger's outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.ledger import Outcome, leaps
from contracts.values import SALES, Status
from kit.base import errors


@dataclass(frozen=True, slots=True)
class Balance:
    """An account as of an outcome: points and credit, pending ones too. The ledger has the truth.

    transactions_count: purchases and redemptions; last_transaction_at: of the latest of them.
    """

    account: int
    shard: int
    sequence: int
    points: int = 0
    credit_rial: int = 0
    transactions_count: int = 0
    last_transaction_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """An outcome with its shard and the time of the transaction."""

    shard: int
    occurred_at: datetime
    outcome: Outcome


_DONE: Final = (Status.COMPLETED, Status.UNDER_REVIEW)


def latest_sequences(
    outcomes: Sequence[RecordedOutcome], known: Mapping[int, int]
) -> dict[int, int]:
    """The last sequence of each shard after a batch. known: the last one before it.

    Raises Invalid for one far beyond the last of its shard: an account that took its balance over
    would keep it until the shard came so far.
    """
    last = dict(known)
    for one in outcomes:
        before, sequence = last.get(one.shard, 0), one.outcome.sequence
        if leaps(before, sequence):
            raise errors.Invalid(f"shard {one.shard}: {sequence} after {before}")
        last[one.shard] = max(before, sequence)
    return last


def updated_balances(
    outcomes: Sequence[RecordedOutcome], kept: Mapping[int, Balance]
) -> list[Balance]:
    """Balances that a batch changes, as they are after it, in account order.

    kept: the balances of its accounts. An outcome at or below the sequence that is kept changes
    nothing, nor does one of another shard, which counts for itself; a refusal or decline has no
    balance.
    """
    now = dict(kept)
    changed: set[int] = set()
    for one in outcomes:
        outcome = one.outcome
        if outcome.account == 0 or outcome.status not in _DONE:
            continue
        before = now.get(outcome.account, Balance(outcome.account, one.shard, 0))
        if one.shard != before.shard or outcome.sequence <= before.sequence:
            continue
        now[outcome.account] = _after(before, one)
        changed.add(outcome.account)
    return [now[account] for account in sorted(changed)]


def _after(before: Balance, one: RecordedOutcome) -> Balance:
    outcome = one.outcome
    sale = outcome.kind in SALES
    last = before.last_transaction_at
    if sale and (last is None or one.occurred_at > last):
        last = one.occurred_at
    return Balance(
        account=before.account,
        shard=before.shard,
        sequence=outcome.sequence,
        points=outcome.balance_points,
        credit_rial=outcome.balance_credit_rial,
        transactions_count=before.transactions_count + int(sale),
        last_transaction_at=last,
    )
