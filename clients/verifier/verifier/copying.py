"""Rows from PostgreSQL's binary COPY format, block by block, with their shape checked."""

import struct
from collections.abc import AsyncIterator
from typing import Any

from verifier.tables import WIDTHS, Table

Row = tuple[Any, ...]

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = SIGNATURE + bytes(8)  # flags and the length of an extension, both zero
HEADER_SIZE = len(HEADER)
TRAILER = b"\xff\xff"
EMPTY = HEADER + TRAILER  # a copy without rows
NULL = b"\xff\xff\xff\xff"
_EPOCH_GAP = 946_684_800_000_000  # its times count from 2000
_LETTERS = {"small": "h", "int": "i", "big": "q", "time": "q", "bool": "?"}
_ARRAYS = {"bigs": "q", "ints": "i"}
_NUMBER_BYTES = 8  # of numbers that may be null
_INT = struct.Struct(">i")
_COUNT = struct.Struct(">h")


class BadRows(Exception):
    """The bytes are not rows of the expected table."""


class _Half(Exception):
    """A row continues in the next block."""


class Reader:
    """Reads the rows of one COPY from its blocks; a row may lie across blocks."""

    def __init__(self, table: Table) -> None:
        self.table = table
        fixed = [c for c in table.columns if c.kind in WIDTHS and not c.optional]
        self._rest = table.columns[len(fixed) :]
        self._lengths = tuple(WIDTHS[column.kind] for column in fixed)
        letters = "".join(f"i{_LETTERS[column.kind]}" for column in fixed)
        self._layout = struct.Struct(f">h{letters}")
        self._width = len(table.columns)
        skipping = "".join(f"4x{_LETTERS[column.kind]}" for column in fixed)
        self._values = struct.Struct(f">2x{skipping}")
        self._times = [i for i, column in enumerate(fixed) if column.kind == "time"]
        self._left = b""
        self._begun = False
        self._ended = False

    def rows(self, block: bytes) -> list[Row]:
        """The rows that end in this block. Raises BadRows."""
        raw = self._left + block if self._left else bytes(block)
        place = 0
        if not self._begun:
            if len(raw) < HEADER_SIZE:
                self._left = raw
                return []
            if raw[:HEADER_SIZE] != HEADER:
                raise BadRows(f"{self.table.name}: not a binary copy")
            place, self._begun = HEADER_SIZE, True
        try:
            rows, place = self._all(raw, place)
        except (struct.error, UnicodeDecodeError) as error:
            raise BadRows(f"{self.table.name}: {error}") from error
        self._left = raw[place:]
        return rows

    def finish(self) -> None:
        """No block follows. Raises BadRows when something is missing."""
        if self._left or not self._ended:
            raise BadRows(f"{self.table.name}: the copy breaks off")

    def _all(self, raw: bytes, place: int) -> tuple[list[Row], int]:
        rows: list[Row] = []
        end, size, width = len(raw), self._layout.size, self._width
        is_variable = bool(self._rest or self._times)
        if not is_variable:
            rows, place = self._all_fixed(raw, place)
        unpack, lengths = self._layout.unpack_from, self._lengths
        while place < end:
            if raw[place : place + 2] == TRAILER:
                self._ended = True
                place += 2
                break
            if place + size > end:
                break
            values = unpack(raw, place)
            if values[0] != width or values[1::2] != lengths:
                raise BadRows(f"{self.table.name}: a row has nulls or widths it cannot have")
            row, stop = values[2::2], place + size
            if is_variable:
                try:
                    row, stop = self._variable_columns(raw, stop, [*row])
                except _Half:
                    break
            place = stop
            rows.append(row)
        if self._ended and place != end:
            raise BadRows(f"{self.table.name}: bytes follow the end")
        return rows, place

    def _all_fixed(self, raw: bytes, place: int) -> tuple[list[Row], int]:
        """Whole rows of fixed width, as many as there are."""
        size = self._layout.size
        whole = raw[place : place + (len(raw) - place) // size * size]
        count = len(whole) // size
        head, offset = self._width.to_bytes(2, "big"), 2
        alike = whole[::size] == head[:1] * count and whole[1::size] == head[1:] * count
        for length in self._lengths:
            alike = alike and whole[offset + 3 :: size] == bytes([length]) * count
            offset += 4 + length
        if not alike:
            return [], place
        return list(self._values.iter_unpack(whole)), place + len(whole)

    def _variable_columns(self, raw: bytes, place: int, values: list[Any]) -> tuple[Row, int]:
        """The columns that are null or of any length."""
        end = len(raw)
        for column in self._rest:
            start = place + 4
            if start > end:
                raise _Half
            (length,) = _INT.unpack_from(raw, place)
            place = start
            if length < 0:
                if not column.optional:
                    raise BadRows(f"{self.table.name}: {column.name} is null")
                values.append(None)
                continue
            place = start + length
            if place > end:
                raise _Half
            kind, value = column.kind, raw[start:place]
            if kind == "text":
                values.append(value.decode())
            elif kind == "bytes":
                values.append(value)
            elif kind == "time":
                values.append(_whole(value) + _EPOCH_GAP)
            else:
                values.append(_numbers(value, _ARRAYS[kind]) if kind in _ARRAYS else _whole(value))
        for i in self._times:
            values[i] += _EPOCH_GAP
        return tuple(values), place


def _whole(raw: bytes) -> int:
    if len(raw) != _NUMBER_BYTES:
        raise BadRows("a number of a width that it cannot have")
    return int.from_bytes(raw, "big", signed=True)


def _numbers(raw: bytes, letter: str) -> tuple[int, ...]:
    """An array of numbers of one dimension, without nulls."""
    dimensions, nulls, _ = struct.unpack_from(">iii", raw)
    if dimensions == 0:
        return ()
    if dimensions != 1 or nulls:
        raise BadRows("an array has nulls or more than one dimension")
    (count,) = _INT.unpack_from(raw, 12)
    return struct.unpack_from(">" + f"i{letter}" * count, raw, 20)[1::2]


async def rows_of(table: Table, blocks: AsyncIterator[bytes]) -> AsyncIterator[list[Row]]:
    """Rows of a table from the blocks of its copy, many at a time."""
    reader = Reader(table)
    async for block in blocks:
        rows = reader.rows(block)
        if rows:
            yield rows
    reader.finish()
