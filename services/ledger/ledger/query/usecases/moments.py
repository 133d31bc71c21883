"""The moment of a reading: now, a time, a sequence number or a vector, found in the log."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from kit.base.db import Record, Tx
from ledger.book.facts import BEGINNING
from ledger.log import store as log_store
from ledger.log.domain import as_of
from ledger.log.usecases import log_read

_TICK = timedelta(microseconds=1)


class AsOf(Struct, frozen=True, kw_only=True):
    """The requested moment: at most one of the three; none: now, by the clock. Raises Invalid.

    shard: the part of a member's account, where it has value on more than one.
    """

    now: datetime
    at: datetime | None = None
    sequence: int | None = None
    vector: Mapping[int, int] | None = None
    shard: int | None = None

    def __post_init__(self) -> None:
        as_of.at_most_one(at=self.at, sequence=self.sequence, vector=self.vector)


class Moment(Struct, frozen=True, kw_only=True):
    """A moment of one shard. sequence: the last that counts. at: the time to compare dates with.

    present: nothing came later on this shard. final: nothing still to be booked can belong to it.
    now: the request named no moment.
    """

    shard: int
    sequence: int
    at: datetime
    present: bool
    final: bool
    now: bool = False


class Cut(Struct, frozen=True, kw_only=True):
    """A moment of all shards. vector: {shard: last sequence that counts}; at None: of a vector."""

    vector: dict[int, int]
    at: datetime | None
    present: bool
    final: bool

    def as_json(self) -> dict[str, object]:
        """The moment as every answer over shards states it."""
        vector = {str(shard): sequence for shard, sequence in self.vector.items()}
        return {"vector": vector, "as_of": self.at, "final": self.final}


async def moment_of(tx: Tx, row: Record, requested: AsOf) -> Moment:
    """The moment of a shard. row: of it, with shard, last_sequence, decided_at.

    At a time, commands decided by then count. At a sequence number, dates are compared with its
    decision time. Raises Invalid `not-yet-reached`.
    """
    shard, last, decided_at = row["shard"], row["last_sequence"], row["decided_at"]
    now = max(requested.now, decided_at)
    if requested.sequence is not None:
        as_of.check_reached(shard, requested.sequence, last)
        at = BEGINNING
        if requested.sequence:
            place = (shard, requested.sequence)
            at = (await log_read.leaves_at(tx, {place}))[place].decided_at
        present = requested.sequence == last
        return Moment(shard=shard, sequence=requested.sequence, at=at, present=present, final=True)
    if requested.at is None:
        return Moment(shard=shard, sequence=last, at=now, present=True, final=False, now=True)
    as_of.check_past(requested.at, now)
    sequence = (await log_read.sequences_at(tx, [row], requested.at))[shard]
    return Moment(
        shard=shard,
        sequence=sequence,
        at=requested.at,
        present=sequence == last,
        final=decided_at > requested.at,
    )


async def cut_of(tx: Tx, requested: AsOf) -> Cut:
    """The moment of all shards. Raises Invalid as moment_of, and on a vector that is not whole."""
    rows = await log_store.list_shards(tx)
    present = {row["shard"]: row["last_sequence"] for row in rows}
    if requested.vector is not None:
        as_of.check_vector(requested.vector, present)
        vector = {shard: requested.vector[shard] for shard in present}
        return Cut(vector=vector, at=None, present=vector == present, final=True)
    now = max([requested.now, *(row["decided_at"] for row in rows)])
    if requested.at is None:
        return Cut(vector=present, at=now, present=True, final=False)
    as_of.check_past(requested.at, now)
    sequences = await log_read.sequences_at(tx, rows, requested.at)
    vector = {shard: sequences[shard] for shard in present}
    final = all(row["decided_at"] > requested.at for row in rows)
    return Cut(vector=vector, at=requested.at, present=vector == present, final=final)


async def sequence_before(tx: Tx, row: Record, at: datetime) -> int:
    """The last sequence number of a shard decided before a time."""
    sequence: int = (await log_read.sequences_at(tx, [row], at - _TICK))[row["shard"]]
    return sequence
