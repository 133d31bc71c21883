"""A table's rows compared with those that the leaves require: missing, too many, altered."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from verifier.books import Book
from verifier.copying import HEADER, BadRows, Reader
from verifier.findings import Findings, Spot, display
from verifier.tables import Table

Row = tuple[Any, ...]


class Stream:
    """A table's rows of one shard in order, taken as far as needed.

    As long as they equal the expected bytes, they are not even decoded.
    """

    def __init__(self, book: Book, table: Table, shard: int, findings: Findings) -> None:
        self.table = table
        self.findings = findings
        self._blocks = book.blocks(table, shard)
        self._passed = HEADER  # what follows next; nothing once rows are read
        self._raw = bytearray()
        self._reader: Reader | None = None
        self._error: BadRows | None = None
        self._waiting: list[Row] = []
        self._ended = False

    async def agrees(self, expected: bytes | None) -> bool:
        """Skip the next rows if they are these bytes of a copy; otherwise skip nothing."""
        if self._reader is not None or expected is None:
            return False
        expected, raw = self._passed + expected, self._raw
        try:
            while len(raw) < len(expected):
                block = await self._block()
                if not block:
                    return False
                raw += block
        except BadRows:
            return False  # noted where rows are read
        if not raw.startswith(expected):
            return False
        del raw[: len(expected)]
        self._passed = b""
        return True

    async def take(self, limit: int | None) -> list[Row]:
        """Rows whose first column is at most limit; None: all that are left."""
        rows: list[Row] = []
        while True:
            waiting = self._waiting
            if limit is not None and waiting and waiting[-1][0] > limit:
                cut = bisect_right(waiting, limit, key=_first)
                rows += waiting[:cut]
                self._waiting = waiting[cut:]
                break
            rows += waiting
            self._waiting = []
            if not await self._more():
                break
        return rows

    async def block(self) -> list[Row]:
        """Some of the rows that are left; none at the end."""
        if not self._waiting and not await self._more():
            return []
        rows, self._waiting = self._waiting, []
        return rows

    async def _more(self) -> bool:
        """Read more; False at the end."""
        reader = self._reader
        try:
            if reader is None:  # all that was not skipped
                reader = self._reader = Reader(self.table)
                self._waiting = reader.rows(HEADER[len(self._passed) :] + bytes(self._raw))
            while not self._waiting and not self._ended:
                block = await self._block()
                if block:
                    self._waiting = reader.rows(block)
                else:
                    self._ended = True
                    reader.finish()
        except BadRows as error:
            self._ended = True
            spot = Spot(check_of(self.table), table=self.table.name)
            self.findings.add(spot, f"{error}; rows from there on were not read")
        return bool(self._waiting)

    async def _block(self) -> bytes:
        """More of the copy; nothing at the end. Raises BadRows at every call once it is broken."""
        if self._error is not None:
            raise self._error
        try:
            return await anext(self._blocks, b"")
        except BadRows as error:
            self._error = error
            raise


def _first(row: Row) -> Any:
    return row[0]


_CHECKS = {
    "shards": "leaves", "nodes": "leaves", "entries": "entries", "accounts": "accounts",
    "lots": "lots", "consumptions": "lots", "outcomes": "outcomes", "originals": "originals",
    "holds": "holds", "lot_dates": "lots", "sends": "transit",
    "standings": "registry", "terms": "registry", "cards": "registry",
    "windows": "windows", "positions": "windows", "settlements": "windows",
}  # fmt: skip


def check_of(table: Table) -> str:
    """The pass that a table belongs to."""
    return _CHECKS.get(table.name, table.name)


class Comparison:
    """Rows of one table against those expected. keys: number of leading columns that name a row."""

    def __init__(self, table: Table, keys: Sequence[str], findings: Findings) -> None:
        self.table = table
        self.findings = findings
        self._places = [table.place(key) for key in keys]
        self._keys = tuple(keys)

    def check(self, recorded: list[Row], expected: list[Row]) -> None:
        """Compare rows in the same order; equal ones cost next to nothing."""
        if recorded != expected:
            self._differ(sorted(recorded, key=self._key), sorted(expected, key=self._key))

    async def check_all(self, stream: Stream, expected: Iterable[Row]) -> None:
        """Compare all rows of a stream with the expected ones, block by block."""
        waiting = iter(expected)
        ahead = next(waiting, None)
        while recorded := await stream.block():
            last = self._key(recorded[-1])
            part: list[Row] = []
            while ahead is not None and self._key(ahead) <= last:
                part.append(ahead)
                ahead = next(waiting, None)
            self.check(recorded, part)
        if ahead is not None:
            self.check([], [ahead, *waiting])

    def _key(self, row: Row) -> Row:
        return tuple([row[place] for place in self._places])

    def _differ(self, recorded: list[Row], expected: list[Row]) -> None:
        i = j = 0
        while i < len(recorded) or j < len(expected):
            recorded_key = self._key(recorded[i]) if i < len(recorded) else None
            expected_key = self._key(expected[j]) if j < len(expected) else None
            if expected_key is None or (recorded_key is not None and recorded_key < expected_key):
                self._extra(recorded[i])
                i += 1
            elif recorded_key is None or expected_key < recorded_key:
                self._missing(expected[j])
                j += 1
            else:
                self._columns(recorded[i], expected[j])
                i, j = i + 1, j + 1

    def _columns(self, recorded: Row, expected: Row) -> None:
        if recorded == expected:
            return
        for column, value, expected_value in zip(self.table.names, recorded, expected, strict=True):
            if value != expected_value:
                self.findings.wrong(
                    Spot(
                        check_of(self.table),
                        self.table.name,
                        self._sequence(expected),
                        row=self.row(expected),
                    ),
                    column,
                    value,
                    expected_value,
                )

    def _extra(self, row: Row) -> None:
        self.findings.add(
            Spot(
                check_of(self.table),
                table=self.table.name,
                sequence=self._sequence(row),
                row=self.row(row),
            ),
            f"{self.table.name}: a row too many, which no leaf has: {self._whole(row)}",
        )

    def _missing(self, row: Row) -> None:
        self.findings.add(
            Spot(
                check_of(self.table),
                table=self.table.name,
                sequence=self._sequence(row),
                row=self.row(row),
            ),
            f"{self.table.name}: a row is missing, which should be: {self._whole(row)}",
        )

    def row(self, row: Row) -> str:
        """The text of a row's key."""
        return ", ".join(
            f"{name} {row[place]}" for name, place in zip(self._keys, self._places, strict=True)
        )

    def _whole(self, row: Row) -> str:
        return ", ".join(
            f"{name} {display(value)}" for name, value in zip(self.table.names, row, strict=True)
        )

    def _sequence(self, row: Row) -> int | None:
        return row[self.table.place("sequence")] if "sequence" in self.table.names else None
