"""Leaves of a shard's log: from rows to bytes and back, in the layout of decision 0011.

Every row is written alike: its numbers and times, then the lengths of its texts and byte strings,
then these themselves. A section is a list of such rows.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

VERSION = 1
_NULL_NUMBER = -(1 << 63)
_NULL_LENGTH = (1 << 32) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = tuple[Any, ...]  # values in the order of the section's columns; times in microseconds


class LeafRefused(Exception):
    """Bytes are not those of a leaf; the text has the place of the fault."""


@dataclass(frozen=True)
class Section:
    """One kind of row: its tag, its numbers, then its texts; optional ones may be None."""

    tag: int
    name: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    raw: frozenset[str] = frozenset()  # byte strings among the texts
    layout: struct.Struct = field(init=False)

    def __post_init__(self) -> None:
        layout = struct.Struct(f">{len(self.numbers)}q{len(self.texts)}I")
        object.__setattr__(self, "layout", layout)


HEAD = Section(
    0,
    "head",
    ("shard", "sequence", "decided_at"),
    ("status", "code", "command", "answer", "marked"),
    frozenset({"marked"}),
    frozenset({"command", "answer", "marked"}),
)
SECTIONS = (
    Section(
        1, "names", (), ("name", "fingerprint"), frozenset({"fingerprint"}),
        frozenset({"fingerprint"}),
    ),
    Section(2, "accounts", ("account_id", "owner", "counterparty"), ("role", "unit")),
    Section(3, "entries", ("line", "account_id", "account_sequence", "amount", "balance"), ()),
    Section(
        4,
        "consumptions",
        (
            "ordinal", "lot", "amount", "cost_rial", "claim_rial", "fee_rial",
            "original_sequence", "original_ordinal", "issuer", "acceptor", "merchant",
        ),
        ("what",),
    ),
    Section(
        5,
        "lots",
        (
            "lot", "account_id", "amount", "cost_rial", "available_from", "expires_at", "born_at",
            "parent", "issuer", "funder", "merchant", "rule_version",
        ),
        ("unit", "rule", "origin"),
        frozenset({"available_from", "expires_at", "parent"}),
    ),
    Section(6, "holds", ("ordinal", "hold", "lot", "amount"), ("what",)),
    Section(
        7, "dates", ("lot", "available_from", "expires_at"), (),
        frozenset({"available_from", "expires_at"}),
    ),
    Section(8, "refused_awards", ("award",), ("code",)),
)  # fmt: skip


class Leaf(NamedTuple):
    """The rows that one sequence number put into the book; head in HEAD's order."""

    head: Row
    rows: dict[str, list[Row]]  # by section; an empty section is left out


def micros(at: datetime) -> int:
    """Microseconds since 1970 of a time with its zone."""
    return (at - _EPOCH) // timedelta(microseconds=1)


# ----------------------------------------------------------------------------------------- writing


def to_bytes(leaf: Leaf) -> bytes:
    """The leaf's canonical bytes. Raises LeafRefused on an impossible null or section."""
    unknown = leaf.rows.keys() - {section.name for section in SECTIONS}
    if unknown:
        raise LeafRefused(f"no such section: {', '.join(sorted(unknown))}")
    out = bytearray((VERSION,))
    _write_row(out, HEAD, leaf.head)
    for section in SECTIONS:
        rows = leaf.rows.get(section.name)
        if rows:
            out.append(section.tag)
            out += len(rows).to_bytes(4, "big")
            for row in rows:
                _write_row(out, section, row)
    return bytes(out)


def _write_row(out: bytearray, section: Section, row: Row) -> None:
    count = len(section.numbers)
    try:
        if not section.texts and not section.optional:
            out += section.layout.pack(*row)
            return
        numbers, texts = row[:count], [_bytes_of(text) for text in row[count:]]
        if section.optional:
            _check_nulls(section, row)
            numbers = [_NULL_NUMBER if number is None else number for number in numbers]
        lengths = [_NULL_LENGTH if text is None else len(text) for text in texts]
        out += section.layout.pack(*numbers, *lengths)
    except (struct.error, TypeError, AttributeError) as error:
        raise LeafRefused(f"a row of {section.name} cannot be written: {error}") from error
    for text in texts:
        if text:
            out += text


def _bytes_of(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


def _check_nulls(section: Section, row: Row) -> None:
    if None in row:
        columns = (*section.numbers, *section.texts)
        for column, value in zip(columns, row, strict=True):
            if value is None and column not in section.optional:
                raise LeafRefused(f"{section.name}: {column} is null")


# ----------------------------------------------------------------------------------------- reading


def from_bytes(raw: bytes) -> Leaf:
    """A leaf back from its canonical bytes. Raises LeafRefused: no other bytes are accepted."""
    try:
        return _swiftly(raw)
    except (struct.error, ValueError):
        return _carefully(raw)


def _swiftly(raw: bytes) -> Leaf:
    """Reads well-formed bytes. Other bytes raise some error, and _carefully finds the reason."""
    version, shard, sequence, at, first, second, third, fourth, fifth = _TOP.unpack_from(raw)
    if version != VERSION:
        raise ValueError
    status_end = _TOP.size + first
    code_end = status_end + second
    command_end = code_end + third
    place = command_end + fourth
    marked = None
    texts = (
        raw[_TOP.size : status_end].decode(),
        raw[status_end:code_end].decode(),
        raw[code_end:command_end],
        raw[command_end:place],
    )
    if fifth != _NULL_LENGTH:
        marked = raw[place : place + fifth]
        place += fifth
    rows: dict[str, list[Row]] = {}
    end, last = len(raw), 0
    tag: int
    count: int
    while place < end:
        tag, count = _SECTION_HEAD.unpack_from(raw, place)
        if not last < tag <= len(_READERS) or not count:
            raise ValueError
        name, read = _READERS[tag - 1]
        rows[name], place = read(raw, place + 5, count)
        last = tag
    if place != end:
        raise ValueError
    return Leaf((shard, sequence, at, *texts, marked), rows)


def _carefully(raw: bytes) -> Leaf:
    if not raw or raw[0] != VERSION:
        raise LeafRefused(f"a leaf begins with its version, {VERSION}")
    head, place = _read_row(raw, 1, HEAD)
    rows: dict[str, list[Row]] = {}
    known = {section.tag: section for section in SECTIONS}
    last = 0
    while place < len(raw):
        tag = raw[place]
        section = known.get(tag)
        if section is None or tag <= last:
            raise LeafRefused(f"byte {place}: section {tag} cannot stand after section {last}")
        count = int.from_bytes(_cut(raw, place + 1, 4), "big")
        if count == 0:
            raise LeafRefused(f"byte {place}: an empty section is left out")
        place += 5
        rows_of_section: list[Row] = []
        for _ in range(count):
            row, place = _read_row(raw, place, section)
            rows_of_section.append(row)
        rows[section.name] = rows_of_section
        last = tag
    return Leaf(head, rows)


def _read_row(raw: bytes, place: int, section: Section) -> tuple[Row, int]:
    fixed = section.layout.unpack(_cut(raw, place, section.layout.size))
    place += section.layout.size
    count = len(section.numbers)
    values: list[Any] = [
        None if number == _NULL_NUMBER and column in section.optional else number
        for column, number in zip(section.numbers, fixed[:count], strict=True)
    ]
    for column, length in zip(section.texts, fixed[count:], strict=True):
        if length == _NULL_LENGTH and column in section.optional:
            values.append(None)
            continue
        values.append(_text_of(section, column, _cut(raw, place, length)))
        place += length
    return tuple(values), place


def _text_of(section: Section, column: str, raw: bytes) -> str | bytes:
    if column in section.raw:
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise LeafRefused(f"{section.name}: {column} is not UTF-8") from error


def _cut(raw: bytes, place: int, length: int) -> bytes:
    part = raw[place : place + length]
    if len(part) != length:
        raise LeafRefused(f"byte {place}: {length} bytes are missing their end")
    return part


_TOP = struct.Struct(">B3q5I")
_SECTION_HEAD = struct.Struct(">BI")
_Read = Callable[[bytes, int, int], tuple[list[Row], int]]


def _reader(section: Section) -> _Read:
    """A function that reads many rows of a section in few steps."""
    layout, size, count = section.layout, section.layout.size, len(section.numbers)
    nullable = [i for i, name in enumerate(section.numbers) if name in section.optional]
    texts = [
        (count + i, name in section.raw, name in section.optional)
        for i, name in enumerate(section.texts)
    ]

    def read_numbers(raw: bytes, place: int, rows: int) -> tuple[list[Row], int]:
        stop = place + rows * size
        if stop > len(raw):
            raise ValueError
        return list(layout.iter_unpack(raw[place:stop])), stop

    def read(raw: bytes, place: int, rows: int) -> tuple[list[Row], int]:
        decoded: list[Row] = []
        for _ in range(rows):
            values: list[Any] = [*layout.unpack_from(raw, place)]
            place += size
            for i in nullable:
                if values[i] == _NULL_NUMBER:
                    values[i] = None
            for i, is_raw, is_optional in texts:
                length = values[i]
                if is_optional and length == _NULL_LENGTH:
                    values[i] = None
                    continue
                text = raw[place : place + length]
                values[i] = text if is_raw else text.decode()
                place += length
            decoded.append(tuple(values))
        return decoded, place

    return read if texts or nullable else read_numbers


_NAME = SECTIONS[0].layout
_CONSUMPTION = SECTIONS[3].layout
_LOT = SECTIONS[4].layout


def _names(raw: bytes, place: int, rows: int) -> tuple[list[Row], int]:
    decoded: list[Row] = []
    for _ in range(rows):
        length, more = _NAME.unpack_from(raw, place)
        start = place + 8
        place = start + length
        name = raw[start:place].decode()
        if more == _NULL_LENGTH:
            decoded.append((name, None))
        else:
            decoded.append((name, raw[place : place + more]))
            place += more
    return decoded, place


def _consumptions(raw: bytes, place: int, rows: int) -> tuple[list[Row], int]:
    decoded: list[Row] = []
    for _ in range(rows):
        values = _CONSUMPTION.unpack_from(raw, place)
        start = place + _CONSUMPTION.size
        place = start + values[11]
        decoded.append((*values[:11], raw[start:place].decode()))
    return decoded, place


def _lots(raw: bytes, place: int, rows: int) -> tuple[list[Row], int]:
    decoded: list[Row] = []
    for _ in range(rows):
        values = _LOT.unpack_from(raw, place)
        start = place + _LOT.size
        middle = start + values[12]
        last = middle + values[13]
        place = last + values[14]
        starts, until, parent = values[4], values[5], values[7]
        decoded.append(
            (
                *values[:4],
                None if starts == _NULL_NUMBER else starts,
                None if until == _NULL_NUMBER else until,
                values[6],
                None if parent == _NULL_NUMBER else parent,
                *values[8:12],
                raw[start:middle].decode(),
                raw[middle:last].decode(),
                raw[last:place].decode(),
            )
        )
    return decoded, place


_SPECIAL: dict[str, _Read] = {"names": _names, "consumptions": _consumptions, "lots": _lots}
_READERS: list[tuple[str, _Read]] = [
    (section.name, _SPECIAL.get(section.name) or _reader(section)) for section in SECTIONS
]

# ---------------------------------------------------------------------------------------- in words


def differences(recorded: Leaf, expected: Leaf) -> Iterable[str]:
    """The differences between two leaves of one sequence number, column by column, as sentences."""
    yield from _row_differences(HEAD, "", recorded.head, expected.head)
    for section in SECTIONS:
        recorded_rows, expected_rows = (
            recorded.rows.get(section.name, []),
            expected.rows.get(section.name, []),
        )
        if len(recorded_rows) != len(expected_rows):
            yield f"{section.name}: {len(recorded_rows)} rows, not {len(expected_rows)}"
        for number, (left, right) in enumerate(zip(recorded_rows, expected_rows, strict=False)):
            yield from _row_differences(section, f" row {number}", left, right)


def _row_differences(section: Section, where: str, left: Row, right: Row) -> Iterable[str]:
    columns = (*section.numbers, *section.texts)
    for column, recorded, expected in zip(columns, left, right, strict=True):
        if recorded != expected:
            yield f"{section.name}{where}: {column} is {recorded!r}, not {expected!r}"
