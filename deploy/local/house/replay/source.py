"""The file itself: opened, unpacked, its header read, its lines one by one with their numbers."""

import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from house.replay.problems import Code

REQUIRED: Final = ("transaction", "member", "merchant", "occurred_at", "amount_rial")
OPTIONAL: Final = ("terminal", "line", "sku", "category", "quantity")
LINE_LENGTH_MAX: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_NOT_UTF8: Final = (b"\xff\xfe", b"\xfe\xff")


class BadFile(Exception):
    """The file as a whole cannot be read; nothing was sent."""


class NoFile(BadFile):
    """There is no such file, or it may not be opened."""


class BadQuotes(Exception):
    """A line whose quotes do not match."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no row. cells: as commas alone part it, to tell whose basket it hurts."""

    code: Code
    why: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Header:
    """Which cell holds which column. ignored: columns that nobody asked for."""

    width: int
    places: dict[str, int]
    ignored: tuple[str, ...]


Line = tuple[int, list[str] | Broken]  # number from 1, and its cells


@dataclass(slots=True)
class Source:
    """An open file. read_bytes: how far it was read, as it lies on the disk."""

    header: Header
    size_bytes: int
    _raw: BinaryIO
    _text: io.TextIOWrapper

    def read_bytes(self) -> int:
        """How far the file was read, for a progress bar."""
        return self._raw.tell()

    def lines(self) -> Iterator[Line]:
        """Every line below the header that is not blank. Raises BadFile on damaged compression.

        A line is a row: no column of a history holds a line break, and a quote that somebody
        forgot to close spoils its own line only.
        """
        number = 1
        with _readable():
            while line := self._text.readline(LINE_LENGTH_MAX + 1):
                number += 1
                if len(line) > LINE_LENGTH_MAX:
                    self._skip_rest(line)
                    why = f"over {LINE_LENGTH_MAX} characters"
                    yield number, Broken(Code.LINE_TOO_LONG, why, line.split(","))
                elif plain := line.strip():
                    yield number, _cells(plain)

    def _skip_rest(self, line: str) -> None:
        while line and not line.endswith("\n"):
            line = self._text.readline(LINE_LENGTH_MAX)


@contextmanager
def opened(path: Path) -> Generator[Source]:
    """A history, plain or gzip. Raises NoFile, or BadFile saying what is wrong with it."""
    try:
        raw = path.open("rb")
        size = path.stat().st_size
    except OSError as error:
        raise NoFile(f"{path}: {error.strerror}") from error
    with raw:
        start = raw.read(2)
        raw.seek(0)
        if not start:
            raise BadFile(f"{path.name} is empty")
        if start in _NOT_UTF8:
            raise BadFile(f"{path.name} is UTF-16: save it as CSV in UTF-8")
        text = io.TextIOWrapper(
            _unpacked(path, raw, start),
            encoding="utf-8-sig",
            errors="surrogateescape",
            newline=None,
        )
        try:
            with _readable():
                first = text.readline(LINE_LENGTH_MAX)
            yield Source(header_of(first), size, raw, text)
        finally:
            text.detach()


def header_of(line: str) -> Header:
    """The columns of the first line, in any order and case. Raises BadFile."""
    try:
        names = [name.strip().lower() for name in _parsed(line.strip())]
    except BadQuotes as error:
        raise BadFile(f"the first line is no header: {error}") from error
    wanted = (*REQUIRED, *OPTIONAL)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise BadFile(
            f"the first line must name the columns {','.join(REQUIRED)}; missing:"
            f" {', '.join(missing)} (separated by commas, in UTF-8)"
        )
    twice = sorted({name for name in names if name in wanted and names.count(name) > 1})
    if twice:
        raise BadFile(f"the first line names a column twice: {', '.join(twice)}")
    ignored = tuple(name for name in names if name not in wanted)
    places = {name: names.index(name) for name in wanted if name in names}
    return Header(len(names), places, ignored)


def _unpacked(path: Path, raw: BinaryIO, start: bytes) -> BinaryIO:
    """The bytes of the text. Raises BadFile on a name that promises gzip over something else."""
    if start == _GZIP:
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if path.suffix.lower() == ".gz":
        raise BadFile(f"{path.name} is not gzip, though its name ends so")
    return raw


@contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadFile(f"the compressed file is damaged or cut off: {error}") from error


def _cells(line: str) -> list[str] | Broken:
    try:
        return _parsed(line)
    except BadQuotes as error:
        return Broken(Code.BAD_QUOTES, f"quotes: {error}", line.replace('"', "").split(","))


def _parsed(line: str) -> list[str]:
    """The cells of one line. Raises BadQuotes."""
    if '"' not in line:
        return line.split(",")
    try:
        rows: Sequence[list[str]] = list(csv.reader([line], strict=True))
    except csv.Error as error:
        raise BadQuotes(str(error)) from error
    return rows[0]
