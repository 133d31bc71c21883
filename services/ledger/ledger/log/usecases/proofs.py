"""Proofs that anyone can check: a leaf is in the log, the log only grew; the heads to be signed."""

import asyncio
from base64 import b64encode
from typing import Any, NamedTuple

from kit.base import errors
from kit.base.db import Tx
from ledger.book.errors import InvariantBroken
from ledger.log import store
from ledger.log.clients import Archive
from ledger.log.domain import as_of, checkpoints, merkle
from ledger.log.usecases import log_read


class Head(NamedTuple):
    """A shard's log as it is now, for a checkpoint. root None: its stored peaks are damaged."""

    shard: int
    size: int
    root: bytes | None


async def list_heads(tx: Tx) -> list[Head]:
    """Heads of all logs that have begun, in one snapshot."""
    await store.begin_snapshot(tx)
    return [
        _head(row["shard"], row["last_sequence"], row["peaks"])
        for row in await store.list_shards(tx)
        if row["last_sequence"]
    ]


async def continues(tx: Tx, head: Head, *, size: int, root: bytes) -> bool:
    """Whether a head only continues the log that had this size and root.

    It is judged by the leaves and nodes stored now. A head that does not follow from them does not
    continue it either.
    """
    if head.root is None or size > head.size:
        return False
    try:
        path = merkle.consistency_subtrees(size, head.size)
        node = await log_read.node_of(
            tx, head.shard, head.size, [*path, *merkle.subtrees(0, head.size)]
        )
        proof = merkle.consistency_proof(size, head.size, node)
        stored = merkle.root_at(head.size, node)
    except (InvariantBroken, ValueError):
        return False
    return stored == head.root and merkle.verify_consistency(
        root, head.root, old_size=size, new_size=head.size, proof=proof
    )


async def inclusion(
    tx: Tx, archive: Archive | None, shard: int, sequence: int, *, size: int | None
) -> dict[str, Any]:
    """Proof that a sequence number's leaf is in the log of a size.

    size None: that of the latest checkpoint which covers it, else the log's present one. Raises
    NotFound, Invalid `not-yet-reached`.
    """
    await store.begin_snapshot(tx)
    return await inclusion_at(tx, archive, shard, sequence, size=size)


async def inclusion_at(
    tx: Tx, archive: Archive | None, shard: int, sequence: int, *, size: int | None
) -> dict[str, Any]:
    """As inclusion, within a snapshot that has begun."""
    last = await _last(tx, shard)
    as_of.check_reached(shard, max(sequence, size or 0), last)
    if size is None:
        size = await _signed_size(archive, shard)
        if not sequence <= size <= last:
            size = last
    if not 1 <= sequence <= size:
        raise errors.Invalid(
            f"sequence numbers begin with 1, and a log of {size} leaves ends with {size}",
            code="not-in-the-log",
            fa="این شماره در دفتری به این اندازه نیست.",
        )
    path = merkle.inclusion_subtrees(sequence - 1, size)
    node = await log_read.node_of(tx, shard, last, [*path, *merkle.subtrees(0, size)])
    leaf = await log_read.raw_leaf(tx, shard, sequence)
    return {
        "shard": shard,
        "sequence": sequence,
        "index": sequence - 1,
        "size": size,
        "leaf": _text(leaf),
        "leaf_hash": _text(merkle.leaf_hash(leaf)),
        "proof": [_text(step) for step in merkle.inclusion_proof(sequence - 1, size, node)],
        "root": _text(merkle.root_at(size, node)),
        "checkpoint": await _signed(archive, shard, size),
    }


async def consistency(
    tx: Tx, archive: Archive | None, shard: int, *, old_size: int, new_size: int | None
) -> dict[str, Any]:
    """Proof that the log of new_size begins with that of old_size. Raises as inclusion does."""
    await store.begin_snapshot(tx)
    last = await _last(tx, shard)
    if new_size is None:
        new_size = last
    as_of.check_reached(shard, max(old_size, new_size), last)
    if old_size > new_size:
        raise errors.Invalid(
            "a log does not shrink: give the smaller size first",
            code="sizes-out-of-order",
            fa="اندازهٔ کوچک‌تر را نخست بدهید.",
        )
    path = merkle.consistency_subtrees(old_size, new_size)
    ends = [*merkle.subtrees(0, old_size), *merkle.subtrees(0, new_size)]
    node = await log_read.node_of(tx, shard, last, [*path, *ends])
    return {
        "shard": shard,
        "old_size": old_size,
        "old_root": _text(merkle.root_at(old_size, node)),
        "new_size": new_size,
        "new_root": _text(merkle.root_at(new_size, node)),
        "proof": [_text(step) for step in merkle.consistency_proof(old_size, new_size, node)],
        "old_checkpoint": await _signed(archive, shard, old_size),
        "new_checkpoint": await _signed(archive, shard, new_size),
    }


async def list_checkpoints(archive: Archive | None, *, after: int, limit: int) -> dict[str, Any]:
    """The latest checkpoint of each shard that has one, by shard; the keys that verify them."""
    published = _required(archive)
    shards = [shard for shard in await asyncio.to_thread(published.shards) if shard > after][:limit]
    items: list[dict[str, Any]] = []
    for shard in shards:
        text = await asyncio.to_thread(published.last, shard)
        if text is not None:
            checkpoint = checkpoints.parse(text).checkpoint
            items.append(
                {"shard": shard, "size": checkpoint.size, "at": checkpoint.at, "checkpoint": text}
            )
    following = shards[-1] if len(shards) == limit else None
    return {"items": items, "next": following, "keys": await asyncio.to_thread(published.keys)}


async def find_checkpoint(archive: Archive | None, shard: int, *, size: int | None) -> str:
    """A shard's checkpoint, the latest or that of a size, as it was signed. Raises NotFound."""
    published = _required(archive)
    text = await (
        asyncio.to_thread(published.last, shard)
        if size is None
        else asyncio.to_thread(published.find, shard, size)
    )
    if text is None:
        raise errors.NotFound(
            f"no checkpoint of shard {shard} with this size was published", code="no-checkpoint"
        )
    return text


async def _last(tx: Tx, shard: int) -> int:
    row = await store.find_shard(tx, shard)
    if row is None:
        raise errors.NotFound(f"there is no shard {shard}", code="unknown-shard")
    last: int = row["last_sequence"]
    return last


async def _signed(archive: Archive | None, shard: int, size: int) -> str | None:
    return None if archive is None else await asyncio.to_thread(archive.find, shard, size)


async def _signed_size(archive: Archive | None, shard: int) -> int:
    text = None if archive is None else await asyncio.to_thread(archive.last, shard)
    return 0 if text is None else checkpoints.parse(text).checkpoint.size


def _required(archive: Archive | None) -> Archive:
    if archive is None:
        raise errors.NotFound("this ledger publishes no checkpoints", code="no-checkpoint")
    return archive


def _head(shard: int, size: int, peaks: bytes) -> Head:
    try:
        return Head(shard, size, merkle.root(merkle.frontier(size, peaks)))
    except ValueError:
        return Head(shard, size, None)


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
