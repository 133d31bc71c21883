"""One outcome and its present state, for the gateway."""

from datetime import datetime
from typing import Any

from msgspec import Raw

from contracts.values import public_id
from kit.base import errors
from kit.base.db import Tx
from ledger.book import lots
from ledger.book.facts import PriorPosting, Progress
from ledger.log import store as log_store
from ledger.log.domain import prior_postings
from ledger.log.usecases import log_read
from ledger.tables import lots as lots_table
from ledger.tables import originals


async def outcome_of(tx: Tx, shard: int, name: str, *, now: datetime) -> dict[str, Any]:
    """The first answer, byte for byte, and the name's present state. Raises NotFound."""
    await log_store.begin_snapshot(tx)
    rows = await log_store.find_outcomes(tx, [(shard, name)])
    if not rows:
        raise errors.NotFound("no outcome under this name", code="unknown-outcome")
    sequence: int = rows[0]["sequence"]
    leaf = (await log_read.read_leaves(tx, {(shard, sequence)}))[shard, sequence]
    original = prior_postings.original_in(leaf, name, ())
    answer, current = leaf.marked, {"status": "reversed_before_arrival"}
    if original.arrived:
        now = max(now, await log_store.get_decided_at(tx, shard))
        answer, current = leaf.answer, await _current(tx, shard, original, now=now)
    first_answer = Raw(answer or b"null")
    return {"id": public_id(shard, name), "first_answer": first_answer, "current": current}


async def _current(tx: Tx, shard: int, original: PriorPosting, *, now: datetime) -> dict[str, Any]:
    states = await originals.find_originals(tx, [(shard, original.name)])
    progress = originals.progress_of(states[0]) if states else original.progress
    lot_keys = [(shard, number) for number in sorted({grant.lot for grant in original.grants})]
    own_lots = [
        lots_table.lot_of(record[2:], original.account)
        for record in (await lots_table.list_named_lots(tx, lot_keys) if lot_keys else [])
    ]
    return {
        "status": _status(original, progress, now=now),
        "points_pending": lots.balance(own_lots, now=now).pending_points,
        "refunded_rial": sum(progress.refunded),
    }


def _status(original: PriorPosting, progress: Progress, *, now: datetime) -> str:
    if progress.reversed:
        return "reversed"
    if progress.full:
        return "refunded"
    if progress.verdict:
        return progress.verdict
    if original.held_until is not None and original.held_until <= now:
        return "released"  # no reviewer decided in time: the due date releases
    return original.status.value
