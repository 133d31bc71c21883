"""`python -m house.import_members FILE`: many members from a file, through the public door."""

import argparse
import asyncio
import csv
import gzip
import io
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import peyvand
from house import paths, plan
from peyvand import member_import
from peyvand.administration import BadLine, ImportedLine, ImportReport
from peyvand.member_import import Numbered

SHOWN_MAX: Final = 20
COLUMNS: Final = ("mobile", "name", "receipts", "external")
_YES: Final = frozenset({"1", "true", "yes", "y", "بله"})
_NO: Final = frozenset({"", "0", "false", "no", "n", "خیر", "نه"})
USAGE, FAILED, DONE = 64, 1, 0


class NotAFile(Exception):
    """The file is missing, or not of a kind that can be imported."""


class _Flat(msgspec.Struct, frozen=True):
    """A line of NDJSON: the columns by name, or consents as an enrolment has them."""

    mobile: str
    name: str = ""
    receipts: bool | str | None = None
    external: str | None = None
    consents: dict[str, bool] | None = None


@dataclass
class Source:
    """A file being read: its lines as the house takes them, and those it could not read."""

    raw: BinaryIO
    name: str
    bad: list[BadLine] = field(default_factory=list[BadLine])

    def lines(self) -> Generator[Numbered]:
        """(number in the file, JSON) of every readable line. Raises NotAFile on a bad header."""
        plain: Any = gzip.GzipFile(fileobj=self.raw) if self.name.endswith(".gz") else self.raw
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            first = text.readline()
            if first.lstrip().startswith("{"):
                yield from self._json(first, text)
            else:
                yield from self._csv(first, text)
        except (gzip.BadGzipFile, EOFError) as error:
            raise NotAFile(f"the compressed file is damaged: {error}") from error
        except csv.Error as error:
            raise NotAFile(f"the file is not CSV, a quote may be open: {error}") from error
        finally:
            text.detach()  # the file is not ours to close

    def _json(self, first: str, text: io.TextIOWrapper) -> Iterator[Numbered]:
        number, line = 1, first
        while line:
            if line.strip():
                try:
                    yield number, member_import.line_of(_from_json(line))
                except (ValueError, msgspec.MsgspecError) as error:
                    self._set_aside(number, str(error))
            number, line = number + 1, text.readline()

    def _csv(self, first: str, text: io.TextIOWrapper) -> Iterator[Numbered]:
        names: list[str] = next(csv.reader([first]), list[str]())
        header = [name.strip().lower() for name in names]
        if "mobile" not in header:
            raise NotAFile(f"the first line names the columns, mobile at least: {COLUMNS}")
        reader = csv.reader(text)
        number = 2
        for row in reader:
            if any(cell.strip() for cell in row):
                try:
                    yield number, member_import.line_of(_from_row(header, row))
                except ValueError as error:
                    self._set_aside(number, str(error))
            number = reader.line_num + 2

    def _set_aside(self, number: int, why: str) -> None:
        fa = "این سطر خوانده نشد"
        self.bad.append(BadLine(line=number, code="unreadable-line", detail=why, fa=fa))


def _from_row(header: Sequence[str], row: Sequence[str]) -> ImportedLine:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} cells under {len(header)} columns")
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    return _line(cells["mobile"], cells.get("name", ""), cells.get("receipts", ""), cells)


def _from_json(line: str) -> ImportedLine:
    found = msgspec.json.decode(line.encode("utf-8", "surrogateescape"), type=_Flat)
    receipts = found.consents.get("receipts", False) if found.consents else found.receipts
    cells = {"external": found.external or ""}
    return _line(found.mobile, found.name, str(receipts or ""), cells)


def _line(mobile: str, name: str, receipts: str, cells: dict[str, str]) -> ImportedLine:
    """Enrolment by file is consent to the terms, as the file's owner answers for."""
    word = receipts.strip().lower()
    if word not in _YES and word not in _NO:
        raise ValueError(f"receipts is yes or no, not {receipts!r}")
    for text in (mobile, name, cells.get("external", "")):
        text.encode()  # raises on bytes that are not UTF-8
    return ImportedLine(
        mobile=mobile,
        name=name,
        consents={"terms": True, "receipts": word in _YES},
        external=cells.get("external", ""),
    )


async def run(path: Path, url: str, key: str, *, console: Console) -> ImportReport:
    """Import a file; the report's bad lines are by their number in it. Raises NotAFile."""
    with _opened(path) as raw, _progress(console) as progress:
        source = Source(raw, path.name)
        total = os.fstat(raw.fileno()).st_size
        task = progress.add_task("وارد کردن اعضا · importing", total=total, lines=0)

        def tell(lines: int) -> None:
            progress.update(task, completed=raw.tell(), lines=lines)

        options = peyvand.Options(timeouts=peyvand.Timeouts(request_s=member_import.CHUNK_S))
        async with peyvand.Operator(url, key, options=options) as operator:
            with closing(source.lines()) as lines:
                report = await member_import.import_members(operator, lines, progress=tell)
        tell(report.lines)
    report.lines += len(source.bad)
    report.bad = sorted([*report.bad, *source.bad], key=lambda bad: bad.line)
    return report


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise NotAFile(f"{path}: {error.strerror}") from error


def show(report: ImportReport, console: Console) -> None:
    """The counts, and the first bad lines by number."""
    table = Table(show_header=False, box=None)
    for fa, en, count in (
        ("سطر", "lines", report.lines),
        ("عضو تازه", "enrolled", report.enrolled),
        ("از پیش عضو", "known already", report.known),
        ("سطر نادرست", "bad lines", len(report.bad)),
    ):
        table.add_row(f"{fa} · {en}", f"{count:,}")
    console.print(table)
    for bad in report.bad[:SHOWN_MAX]:
        console.print(f"  {bad.line}: {bad.fa} · {bad.detail} ({bad.code})", markup=False)
    if len(report.bad) > SHOWN_MAX:
        console.print(f"  … {len(report.bad) - SHOWN_MAX:,} more in the report")


def _write(report: ImportReport, folder: Path) -> Path:
    target = folder / "import-members.json"
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    return target


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[lines]:,} سطر · lines"),
        TimeElapsedColumn(),
        console=console,
    )


def main(arguments: Sequence[str]) -> int:
    """0 when every line was looked at; 1 when the file or the house failed; 64 on bad usage."""
    parser = argparse.ArgumentParser(prog="make import-members", description=__doc__)
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--file", type=Path, help="CSV (mobile,name,receipts,external) or NDJSON")
    options = parser.parse_args(arguments)
    path = options.path or options.file
    if path is None or str(path) in ("", "."):
        print("make import-members FILE=members.csv", file=sys.stderr)
        return USAGE
    console = Console()
    home = plan.house(paths.house_folder())
    key = home.credentials.operator_key("operator")
    try:
        report = asyncio.run(run(path, home.url("gateway"), key, console=console))
    except NotAFile as error:
        console.print(str(error), style="red", markup=False)
        return FAILED
    except peyvand.PeyvandError as error:
        console.print(f"{error}", style="red", markup=False)
        console.print("آیا خانه روشن است؟ · is the house up? make up", style="red")
        return FAILED
    show(report, console)
    console.print(f"→ {_write(report, home.folder)}", markup=False)
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
