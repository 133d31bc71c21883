"""What the gateway reads of the book: one outcome, and what has become of it."""

from datetime import datetime
from typing import Any

from msgspec import Raw

from contracts.values import public_id
from kit import errors
from kit.db import Tx
from ledger import read
from ledger.domain import lots
from ledger.domain.book import Original, Progress
from ledger.store import posting, reading


async def outcome_of(tx: Tx, shard: int, name: str, *, now: datetime) -> dict[str, Any]:
    """First answer, byte for byte, and what has become of the name since. Raises NotFound."""
    await reading.begin_snapshot(tx)
    rows = await posting.find_outcomes(tx, [(shard, name)])
    if not rows:
        raise errors.NotFound("no outcome under this name", code="unknown-outcome")
    sequence: int = rows[0]["sequence"]
    leaf = (await read.read_leaves(tx, {(shard, sequence)}))[shard, sequence]
    original = read.original_in(leaf, name, ())
    answer, current = leaf.marked, {"status": "reversed_before_arrival"}
    if original.arrived:
        now = max(now, await reading.get_decided_at(tx, shard))
        answer, current = leaf.answer, await _current(tx, shard, original, now=now)
    told = Raw(answer or b"null")
    return {"id": public_id(shard, name), "first_answer": told, "current": current}


async def _current(tx: Tx, shard: int, original: Original, *, now: datetime) -> dict[str, Any]:
    states = await posting.find_originals(tx, [(shard, original.name)])
    progress = posting.progress_of(states[0]) if states else original.progress
    wanted = [(shard, number) for number in sorted({grant.lot for grant in original.grants})]
    mine = [
        posting.lot_of(record[2:], original.account)
        for record in (await posting.list_named_lots(tx, wanted) if wanted else [])
    ]
    return {
        "status": _status(original, progress, now=now),
        "points_pending": lots.balance(mine, now=now).pending_points,
        "refunded_rial": sum(progress.refunded),
    }


def _status(original: Original, progress: Progress, *, now: datetime) -> str:
    if progress.reversed:
        return "reversed"
    if progress.full:
        return "refunded"
    if progress.verdict:
        return progress.verdict
    if original.held_until is not None and original.held_until <= now:
        return "released"  # nobody decided in time: dates alone decide
    return original.status.value
