"""The sequence number that answered a name: sorted runs on disk, sixteen bytes a name."""

import mmap
import struct
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

RECENT_MAX = 250_000  # names kept in memory before they are sorted and written
BUCKETS = 256
_RECORD = struct.Struct("<QQ")


def key_of(name: str) -> int:
    """Eight bytes of a name's hash; equal ones are only candidates."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


class Names:
    """Names of one shard in the order of their leaves, for look-ups."""

    def __init__(self, folder: Path, shard: int) -> None:
        self.folder = folder
        self.shard = shard
        self._recent: dict[int, int] = {}
        self._again: list[tuple[int, int]] = []  # keys that were there already
        self._runs: list[memoryview] = []

    def add(self, answered: Iterable[tuple[str, int]]) -> None:
        """Note which sequence numbers answered these names."""
        recent, number = self._recent, int.from_bytes
        for name, sequence in answered:
            key = number(blake2b(name.encode(), digest_size=8).digest(), "little")
            if recent.setdefault(key, sequence) != sequence:
                self._again.append((key, sequence))
        if len(recent) >= RECENT_MAX:
            self.put_down()

    def find(self, name: str) -> list[int]:
        """Sequence numbers that may have answered a name; their leaves decide."""
        key = key_of(name)
        sequences = [sequence for again, sequence in self._again if again == key]
        if key in self._recent:
            sequences.append(self._recent[key])
        for run in self._runs:
            low, high = 0, len(run) // 2
            while low < high:
                middle = (low + high) // 2
                if run[2 * middle] < key:
                    low = middle + 1
                else:
                    high = middle
            while 2 * low < len(run) and run[2 * low] == key:
                sequences.append(run[2 * low + 1])
                low += 1
        return sorted(sequences)

    def put_down(self) -> None:
        """Write the names in memory as one more run."""
        if not self._recent:
            return
        path = self.folder / f"names-{self.shard}-{len(self._runs)}"
        pack = _RECORD.pack
        with path.open("w+b") as run:
            for key, sequence in sorted([*self._recent.items(), *self._again]):
                run.write(pack(key, sequence))
            run.flush()
            self._runs.append(memoryview(mmap.mmap(run.fileno(), 0)).cast("Q"))
        self._recent.clear()
        self._again.clear()


def twins(folder: Path) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Keys that occur more than once over all shards, with (shard, sequence) of each."""
    runs: list[tuple[int, memoryview]] = []
    for path in sorted(folder.glob("names-*")):
        shard = int(path.name.split("-")[1])
        with path.open("rb") as run:
            mapped = mmap.mmap(run.fileno(), 0, access=mmap.ACCESS_READ)
            runs.append((shard, memoryview(mapped).cast("Q")))
    starts = [0] * len(runs)
    for bucket in range(BUCKETS):
        limit = (bucket + 1) << 56
        triples: list[tuple[int, int, int]] = []
        for place, (shard, run) in enumerate(runs):
            at, end = starts[place], len(run) // 2
            while at < end and run[2 * at] < limit:
                triples.append((run[2 * at], shard, run[2 * at + 1]))
                at += 1
            starts[place] = at
        triples.sort()
        yield from _equal(triples)


def _equal(triples: list[tuple[int, int, int]]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    start = 0
    for place in range(1, len(triples) + 1):
        if place < len(triples) and triples[place][0] == triples[start][0]:
            continue
        if place - start > 1:
            yield (
                triples[start][0],
                [(shard, sequence) for _, shard, sequence in triples[start:place]],
            )
        start = place
