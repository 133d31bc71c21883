"""Leaves as they are stored: some dozens of one shard packed into a row (decision 0012)."""

import threading
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import zstandard

LEAVES_MAX: Final = 64  # one leaf of a chunk costs the unpacking of all
_LENGTH_BYTES: Final = 4
_UNPACKED_MAX: Final = 256 * 1024 * 1024


class _Codec(threading.local):
    """A compressor and a decompressor for each thread.

    zstandard works without the GIL on shared state. Two threads at once would write into freed
    memory, and end the process.
    """

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=1).compress
        self.unpack = zstandard.ZstdDecompressor().decompress


_codec: Final = _Codec()


class Chunk(NamedTuple):
    """Consecutive leaves of a shard from number first on. digest: SHA-256 of packed, bit by bit."""

    first: int
    leaves: int
    digest: bytes
    packed: bytes


def pack(first: int, leaves: Sequence[bytes]) -> Chunk:
    """At most LEAVES_MAX consecutive leaves, the first of them with sequence number first.

    The batch decides where chunks begin; it is no part of the book.
    """
    parts: list[bytes] = []
    for leaf in leaves:
        parts.append(len(leaf).to_bytes(_LENGTH_BYTES, "big"))
        parts.append(leaf)
    packed = _codec.pack(b"".join(parts))
    return Chunk(first, len(leaves), sha256(packed).digest(), packed)


def unpack(packed: bytes) -> list[bytes]:
    """The leaves of a chunk. Raises ValueError on bytes that are no chunk."""
    try:
        raw = _codec.unpack(packed, max_output_size=_UNPACKED_MAX)
    except zstandard.ZstdError as error:
        raise ValueError(f"not a chunk of leaves: {error}") from error
    leaves: list[bytes] = []
    place = 0
    while place < len(raw):
        length = int.from_bytes(raw[place : place + _LENGTH_BYTES], "big")
        place += _LENGTH_BYTES
        leaves.append(raw[place : place + length])
        place += length
    if place != len(raw):
        raise ValueError("a chunk of leaves ends within a leaf")
    return leaves
