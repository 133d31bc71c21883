"""A text file that somebody brings: opened, unpacked, its lines numbered and bounded."""

import gzip
import io
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

LINE_LENGTH_MAX: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_NOT_UTF8: Final = (b"\xff\xfe", b"\xfe\xff")


class BadFile(Exception):
    """The file as a whole cannot be read; nothing was sent. The text: Persian, then English."""


class NoFile(BadFile):
    """There is no such file, or it may not be opened."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. number: from 1. cut: it went on beyond LINE_LENGTH_MAX."""

    number: int
    text: str
    cut: bool = False


@dataclass(slots=True)
class Text:
    """An open file. Lines that were looked at and not used are put back."""

    name: str
    size_bytes: int
    _raw: BinaryIO
    _text: io.TextIOWrapper
    _number: int = 0
    _back: deque[Line] = field(default_factory=deque[Line])

    def read_bytes(self) -> int:
        """How far the file was read, as it lies on the disk, for a progress bar."""
        return self._raw.tell()

    def line(self) -> Line | None:
        """The next line; None at the end. Raises BadFile on damaged compression."""
        if self._back:
            return self._back.popleft()
        with _readable():
            text = self._text.readline(LINE_LENGTH_MAX + 1)
            cut = len(text) > LINE_LENGTH_MAX
            rest = text
            while cut and rest and not rest.endswith("\n"):
                rest = self._text.readline(LINE_LENGTH_MAX)
        if not text:
            return None
        self._number += 1
        return Line(self._number, text.removesuffix("\n"), cut)

    def lines(self) -> Iterator[Line]:
        """All that is left."""
        while (line := self.line()) is not None:
            yield line

    def put_back(self, lines: list[Line]) -> None:
        """Let these be the next lines again."""
        self._back.extendleft(reversed(lines))


@contextmanager
def opened(path: Path) -> Generator[Text]:
    """A file in UTF-8, plain or gzip, with or without a mark of byte order.

    Bytes that are no UTF-8 come as lone surrogates, so that they spoil their own row only.
    Raises NoFile, or BadFile saying what is wrong with it.
    """
    try:
        raw = path.open("rb")
        size = path.stat().st_size
    except OSError as error:
        raise NoFile(f"پرونده باز نشد · {path}: {error.strerror}") from error
    with raw:
        start = raw.read(2)
        raw.seek(0)
        if not start:
            raise BadFile(f"پرونده تهی است · {path.name} is empty")
        if start in _NOT_UTF8:
            raise BadFile(
                "پرونده UTF-16 است؛ آن را به صورت CSV با UTF-8 ذخیره کنید"
                f" · {path.name} is UTF-16: save it as CSV in UTF-8"
            )
        text = io.TextIOWrapper(
            _unpacked(path, raw, start),
            encoding="utf-8-sig",
            errors="surrogateescape",
            newline=None,
        )
        try:
            yield Text(path.name, size, raw, text)
        finally:
            text.detach()


def _unpacked(path: Path, raw: BinaryIO, start: bytes) -> BinaryIO:
    """The bytes of the text. Raises BadFile on a name that promises gzip over something else."""
    if start == _GZIP:
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if path.suffix.lower() == ".gz":
        raise BadFile(
            f"نام پرونده gz دارد ولی فشرده نیست · {path.name} is not gzip, though its name ends so"
        )
    return raw


@contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadFile(
            f"پروندهٔ فشرده آسیب دیده یا ناتمام است · the compressed file is damaged or cut off:"
            f" {error}"
        ) from error
