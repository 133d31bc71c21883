"""CSV read strictly (RFC 4180): quoted text never becomes structure, every row comes once.

A row is a record that is not blank: its cells, or what is broken about it. A record whose quotes
do not match is one broken row, its first line; reading goes on at the line after it, so that a
quote which somebody forgot to close swallows nobody.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from peyvand.files.text import LINE_LENGTH_MAX, BadFile, Line, Text

_QUOTED: Final = re.compile(r'[^"]*(?:""[^"]*)*')
_PLAIN: Final = re.compile(r'[^",]*')
_OTHER_COMMAS: Final = {";": "نقطه‌ویرگول · semicolons", "\t": "جهش · tabs", "؛": "«؛»", "،": "«،»"}


class Fault(Enum):
    """What makes a record no row."""

    QUOTES = "quotes"
    TOO_LONG = "too long"


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that is no row. cells: as commas alone part it, to tell whose basket it hurts."""

    fault: Fault
    why: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Header:
    """Which cell holds which column. ignored: columns that nobody asked for."""

    width: int
    places: dict[str, int]
    ignored: tuple[str, ...]


Row = tuple[int, list[str] | Broken]  # the number of its first line from 1, and its cells


class _BadQuotes(Exception):
    """The quotes of a record do not match."""


@dataclass(slots=True)
class _Record:
    """A record that is being read. open: the parts of a quoted cell that has no end yet."""

    cells: list[str] = field(default_factory=list[str])
    open: list[str] = field(default_factory=list[str])
    length: int = 0


def header(text: Text, needed: Sequence[str], known: Sequence[str]) -> Header:
    """The columns of the first line, in any order and case. known: all that are looked at.

    Raises BadFile: none of the needed, one of the known twice, other marks than commas.
    """
    first = text.line() or Line(1, "")
    try:
        cells = first.text.split(",") if '"' not in first.text else _one_line(first.text)
    except _BadQuotes as error:
        raise BadFile(f"سطر نخست سرستون نیست · the first line is no header: {error}") from error
    names = [name.strip().lower() for name in cells]
    missing = [name for name in needed if name not in names]
    if missing:
        raise BadFile(_missing(first.text, missing, known))
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise BadFile(
            f"سرستونی دو بار آمده است · the first line names a column twice: {', '.join(twice)}"
        )
    ignored = tuple(name for name in names if name not in known)
    return Header(len(names), {n: names.index(n) for n in known if n in names}, ignored)


def rows(text: Text) -> Iterator[Row]:
    """Every row below the header. Raises BadFile on damaged compression."""
    while (first := text.line()) is not None:
        if first.cut:
            why = f"over {LINE_LENGTH_MAX} characters"
            yield first.number, Broken(Fault.TOO_LONG, why, _as_commas_part(first.text))
            continue
        if '"' not in first.text:
            cells: list[str] | Broken = first.text.split(",")
        else:
            cells = _quoted(first, text)
        if isinstance(cells, Broken) or any(cell.strip() for cell in cells):
            yield first.number, cells


def _quoted(first: Line, text: Text) -> list[str] | Broken:
    """The cells of a record with quotes, whose text may go on over the next lines."""
    record, ahead = _Record(), list[Line]()
    try:
        whole = _take(record, first.text)
        while not whole:
            following = text.line()
            if following is None:
                raise _BadQuotes("a quote is open to the end of the file")
            ahead.append(following)
            if following.cut or record.length > LINE_LENGTH_MAX:
                raise _BadQuotes(f"a quote is open for over {LINE_LENGTH_MAX} characters")
            whole = _take(record, following.text)
    except _BadQuotes as error:
        text.put_back(ahead)
        return Broken(Fault.QUOTES, str(error), _as_commas_part(first.text))
    return record.cells


def _one_line(text: str) -> list[str]:
    record = _Record()
    if not _take(record, text):
        raise _BadQuotes("a quote is open")
    return record.cells


def _take(record: _Record, line: str) -> bool:
    """Take one more line into a record; whether it is whole now. Raises _BadQuotes."""
    record.length += len(line) + 1
    at = 0
    if record.open:
        at = _close(record, line, 0)
        if at < 0:
            return False
    while True:
        if at and line[at : at + 1] not in (",", ""):
            raise _BadQuotes("text follows the closing quote of a cell")
        if at == len(line) and record.cells:
            return True
        at += 1 if record.cells else 0  # the comma
        if line[at : at + 1] == '"':
            at = _close(record, line, at + 1)
            if at < 0:
                return False
        else:
            record.cells.append(_run_of(_PLAIN, line, at))
            at += len(record.cells[-1])
            if line[at : at + 1] == '"':
                raise _BadQuotes("a quote stands within a cell that does not begin with one")


def _close(record: _Record, line: str, start: int) -> int:
    """Read a quoted cell up to its closing quote: the place after it, -1 where there is none."""
    part = _run_of(_QUOTED, line, start)
    if start + len(part) == len(line):
        record.open.append(f"{part}\n")
        return -1
    record.cells.append("".join((*record.open, part)).replace('""', '"'))
    record.open.clear()
    return start + len(part) + 1


def _run_of(form: re.Pattern[str], line: str, at: int) -> str:
    match = form.match(line, at)
    return match[0] if match is not None else ""


def _as_commas_part(line: str) -> list[str]:
    return line.replace('"', "").split(",")


def _missing(first: str, missing: Sequence[str], known: Sequence[str]) -> str:
    columns = ",".join(known)
    for mark, called in _OTHER_COMMAS.items():
        if any(name in first.lower().split(mark) for name in missing):
            return (
                f"ستون‌ها با {called} از هم جدا شده‌اند؛ پرونده را به صورت CSV با ویرگول"
                f" و UTF-8 ذخیره کنید: {columns}\n"
                f"the columns are parted by {mark!r}: save the file as CSV in UTF-8, parted by"
                f" commas: {columns}"
            )
    return (
        f"سطر نخست باید ستون‌ها را نام ببرد: {columns}\n"
        f"the first line must name the columns {columns}; missing: {', '.join(missing)}"
        " (parted by commas, in UTF-8)"
    )
