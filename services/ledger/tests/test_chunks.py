"""Leaves packed and unpacked; leaves written and read."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard

from contracts import envelope as envelopes
from ledger.log.domain import chunks, leaves, records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState

from . import generators, sealing


def told(seed, count):
    """Leaves of a story."""
    book, rows = BatchState(), sealing.Rows()
    heard = [
        records.command_from(3, envelopes.encode(e)) for e in generators.Story(seed).batch(count)
    ]
    made = [r.decision for r in commands.decide(book, heard) if r.decision]
    return [rows.leaf(decision) for decision in made]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_written_is_read_again(seed):
    for leaf in told(seed, 80):
        again = leaves.decode(leaves.encode(leaf))
        assert leaves.encode(again) == leaves.encode(leaf)
        assert again.command == leaf.command
        assert list(again.entries) == list(leaf.entries)
        assert list(again.lots) == list(leaf.lots)
        assert (again.decided_at, again.names) == (leaf.decided_at, leaf.names)


@pytest.mark.parametrize("count", [1, 7, chunks.LEAVES_MAX])
def test_a_chunk_holds_its_leaves_whole(count):
    raw = [b"leaf %d" % n * (n % 7) for n in range(count)]
    packed = chunks.pack(41, raw)
    assert (packed.first, packed.leaves) == (41, count)
    assert chunks.unpack(packed.packed) == raw


def test_threads_pack_and_unpack_side_by_side():
    """Readings unpack in threads while the writer packs: shared state would end the process."""
    rng = random.Random(5)
    books = [
        [rng.randbytes(20).hex().encode() * rng.randrange(1, 60) for _ in range(chunks.LEAVES_MAX)]
        for _ in range(40)
    ]

    def there_and_back(place):
        return chunks.unpack(chunks.pack(1, books[place % 40]).packed) == books[place % 40]

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(there_and_back, range(2000)))


def test_spoilt_bytes_are_no_chunk():
    chunk = chunks.pack(1, [b"leaf" * 50, b"another" * 9])
    for place in range(4):
        spoilt = bytearray(chunk.packed)
        spoilt[place] ^= 0x80
        with pytest.raises(ValueError, match="chunk"):
            chunks.unpack(bytes(spoilt))
    with pytest.raises(ValueError, match="chunk"):
        chunks.unpack(zstandard.compress(b"\x00\x00\x00\x09four"))


def test_a_leaf_of_another_version_or_with_a_section_unknown_is_refused():
    raw = leaves.encode(told(1, 5)[0])
    with pytest.raises(ValueError, match="version"):
        leaves.decode(b"\x02" + raw[1:])
    with pytest.raises(ValueError, match="section"):
        leaves.decode(raw + b"\xfe\x00\x00\x00\x01")
