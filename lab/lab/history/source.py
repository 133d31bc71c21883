"""The file of a history: opened, its header read, its rows one by one with their numbers."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peyvand.files import csv_rows
from peyvand.files import text as files_in
from peyvand.files.csv_rows import Header, Row

REQUIRED: Final = ("transaction", "member", "merchant", "occurred_at", "amount_rial")
OPTIONAL: Final = ("terminal", "line", "sku", "category", "quantity")


@dataclass(frozen=True, slots=True)
class Source:
    """An open history."""

    header: Header
    text: files_in.Text

    def rows(self) -> Iterator[Row]:
        """Every row below the header. Raises BadFile on damaged compression."""
        return csv_rows.rows(self.text)


@contextmanager
def opened(path: Path) -> Generator[Source]:
    """A history, plain or gzip. Raises NoFile, or BadFile saying what is wrong with it."""
    with files_in.opened(path) as text:
        yield Source(csv_rows.header(text, REQUIRED, (*REQUIRED, *OPTIONAL)), text)
