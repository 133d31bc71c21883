"""An exported book: a folder a shard, a file a table, each a binary copy of PostgreSQL."""

import json
import struct
from array import array
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import zstandard

from verifier.books import Book, Unreadable
from verifier.copying import HEADER_SIZE, TRAILER, BadRows
from verifier.tables import ALL, LEAVES, Table

FORM = 2  # 1 had neither lot_dates nor sends
MANIFEST = "book.json"
_BLOCK = 256 * 1024
_CHUNK_HEAD = struct.Struct(">h iq iq ih ih i32s i")  # a row of leaves up to its packed bytes


class Folder:
    """A book in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises Unreadable where there is none."""
        self.folder = folder
        self._places: dict[int, tuple[array[int], array[int]]] = {}
        try:
            self.manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
            self.rows: dict[str, dict[str, int]] = self.manifest["rows"]
            if self.manifest["form"] != FORM:
                raise Unreadable(f"{folder}: a book of form {self.manifest['form']}, not {FORM}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{folder}: no exported book: {error}") from error

    async def blocks(self, table: Table, shard: int) -> AsyncIterator[bytes]:
        """As Book.blocks."""
        path = file_of(self.folder, table, shard)
        try:
            with path.open("rb") as raw:
                source: Any = raw
                if path.suffix == ".zst":
                    source = zstandard.ZstdDecompressor().stream_reader(raw)
                while block := source.read(_BLOCK):
                    yield block
        except OSError as error:
            raise BadRows(f"{table.name}: {path.name} cannot be read: {error}") from error
        except zstandard.ZstdError as error:
            raise BadRows(f"{table.name}: {path.name} cannot be unpacked: {error}") from error

    async def chunks_at(self, shard: int, sequences: Iterable[int]) -> Mapping[int, bytes]:
        """As Book.chunks_at."""
        firsts, places = self._index(shard)
        chunks: dict[int, bytes] = {}
        with file_of(self.folder, LEAVES, shard).open("rb") as source:
            for sequence in sequences:
                at = bisect_right(firsts, sequence) - 1
                if at >= 0 and firsts[at] not in chunks:
                    source.seek(places[at])
                    *_, length = _CHUNK_HEAD.unpack(source.read(_CHUNK_HEAD.size))
                    chunks[firsts[at]] = source.read(length)
        return chunks

    async def counts(self) -> dict[str, dict[int, int]]:
        """As Book.counts."""
        return {
            table: {int(shard): count for shard, count in by_shard.items()}
            for table, by_shard in self.rows.items()
        }

    async def close(self) -> None:
        """As Book.close."""

    def _index(self, shard: int) -> "tuple[array[int], array[int]]":
        """First numbers of a shard's chunks and their places; sixteen bytes a chunk."""
        known = self._places.get(shard)
        if known is not None:
            return known
        firsts, places = array("q"), array("q")
        with file_of(self.folder, LEAVES, shard).open("rb") as source:
            place = HEADER_SIZE
            source.seek(place)
            while len(head := source.read(_CHUNK_HEAD.size)) == _CHUNK_HEAD.size:
                _, _, first, *_, length = _CHUNK_HEAD.unpack(head)
                if head[:2] == TRAILER or length < 0:
                    break
                firsts.append(first)
                places.append(place)
                place += _CHUNK_HEAD.size + length
                source.seek(place)
        self._places[shard] = firsts, places
        return firsts, places


def file_of(folder: Path, table: Table, shard: int) -> Path:
    """The file of a table's rows of a shard; leaves are packed already."""
    ending = "copy" if table is LEAVES else "copy.zst"
    return folder / f"shard-{shard}" / f"{table.name}.{ending}"


async def export(book: Book, folder: Path) -> dict[str, Any]:
    """Write a book to an empty folder, block by block; gives its manifest."""
    if _holds_something(folder):
        raise Unreadable(f"{folder} is not empty")
    counts = await book.counts()
    shards = sorted({shard for by_shard in counts.values() for shard in by_shard})
    for shard in shards:
        for table in ALL:
            path = file_of(folder, table, shard)
            path.parent.mkdir(parents=True, exist_ok=True)
            await _write(book, table, shard, path)
    manifest = {
        "form": FORM,
        "tables": {table.name: list(table.names) for table in ALL},
        "rows": {
            name: {str(s): n for s, n in by_shard.items()} for name, by_shard in counts.items()
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    return manifest


def _holds_something(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())


async def _write(book: Book, table: Table, shard: int, path: Path) -> None:
    with path.open("wb") as raw:
        if path.suffix != ".zst":
            async for block in book.blocks(table, shard):
                raw.write(block)
            return
        packer = zstandard.ZstdCompressor(level=3, write_checksum=True)
        with packer.stream_writer(raw, closefd=False) as packed:
            async for block in book.blocks(table, shard):
                packed.write(block)
