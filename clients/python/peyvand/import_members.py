"""`python -m peyvand.import_members FILE`: many members from a file, through the public API."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import peyvand
from peyvand import member_import
from peyvand.administration import BadLine, ImportedLine, ImportReport
from peyvand.files import csv_rows
from peyvand.files import text as files_in
from peyvand.files.csv_rows import Broken, Header
from peyvand.member_import import Numbered

SHOWN_MAX: Final = 20
COLUMNS: Final = ("mobile", "name", "receipts", "external")
NEEDED: Final = ("mobile",)
REPORT: Final = Path("import-members.json")
_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_YES: Final = frozenset({"1", "true", "yes", "y", "بله"})
_NO: Final = frozenset({"", "0", "false", "no", "n", "خیر", "نه"})
DONE, FAILED, LEFT_OUT, USAGE, BAD_FILE, NO_FILE = 0, 1, 3, 64, 65, 66
EXITS: Final = """\
exit status: 0 every row is a member now; 1 the platform failed, or no key; 3 some rows were bad,
each is in the report; 64 no FILE or no such PARTY; 65 the file cannot be read as a whole, 66 there
is none: no row was sent"""


class _Bad(Exception):
    """A row that cannot be sent: why, in Persian and English."""

    def __init__(self, fa: str, en: str) -> None:
        super().__init__(en)
        self.fa = fa


class _Flat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of NDJSON: the columns by name, or consents as an enrolment has them."""

    mobile: str
    name: str = ""
    receipts: bool | str | None = None
    external: str | None = None
    consents: dict[str, bool] | None = None


_flat: Final = msgspec.json.Decoder(_Flat)


@dataclass
class Source:
    """A file being read: its rows as the platform takes them, and those it could not read."""

    text: files_in.Text
    party: int = 0  # whose references the file's are; 0: it was not said
    bad: list[BadLine] = field(default_factory=list[BadLine])
    ignored: tuple[str, ...] = ()

    def lines(self) -> Generator[Numbered]:
        """(number in the file, JSON) of every readable row. Raises BadFile on a bad header."""
        first = self.text.line()
        if first is None:
            return
        self.text.put_back([first])
        yield from self._json() if first.text.lstrip().startswith("{") else self._csv()

    def _json(self) -> Iterator[Numbered]:
        for line in self.text.lines():
            if line.text.strip():
                try:
                    yield line.number, self._line(_from_json(line))
                except _Bad as bad:
                    self._set_aside(line.number, bad)

    def _csv(self) -> Iterator[Numbered]:
        header = csv_rows.header(self.text, NEEDED, COLUMNS)
        self.ignored = header.ignored
        for number, row in csv_rows.rows(self.text):
            try:
                yield number, self._line(_from_row(header, row))
            except _Bad as bad:
                self._set_aside(number, bad)

    def _line(self, read: ImportedLine) -> bytes:
        owned = msgspec.structs.replace(read, party=self.party) if read.external else read
        return member_import.line_of(owned)

    def _set_aside(self, number: int, why: _Bad) -> None:
        self.bad.append(BadLine(line=number, code="unreadable-line", detail=str(why), fa=why.fa))


def _from_row(header: Header, row: list[str] | Broken) -> ImportedLine:
    if isinstance(row, Broken):
        raise _Bad("گیومهٔ سطر باز مانده یا نابجاست، یا سطر بسیار بلند است", row.why)
    if len(row) != header.width:
        raise _Bad(
            "شمار خانه‌های سطر با سرستون‌ها نمی‌خواند",
            f"{len(row)} cells under {header.width} columns",
        )
    cells = {name: row[place].strip() for name, place in header.places.items()}
    return _line(cells["mobile"], cells.get("name", ""), cells.get("receipts", ""), cells)


def _from_json(line: files_in.Line) -> ImportedLine:
    if line.cut:
        raise _Bad("سطر بسیار بلند است", f"over {files_in.LINE_LENGTH_MAX} characters")
    raw = line.text.encode("utf-8", "surrogateescape")
    try:
        json.loads(raw, object_pairs_hook=_each_once)
        decoded = _flat.decode(raw)
    except msgspec.ValidationError as error:
        raise _Bad("فیلدی ناشناخته یا نادرست است؛ mobile باید باشد", str(error)) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _Bad("سطر یک شیء JSON نیست", str(error)) from error
    receipts = decoded.consents.get("receipts", False) if decoded.consents else decoded.receipts
    cells = {"external": decoded.external or ""}
    return _line(decoded.mobile, decoded.name, str(receipts or ""), cells)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different: of two values nobody knows which was meant."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _Bad("کلیدی در سطر دو بار آمده است", "a key is there twice")
    return fields


def _line(mobile: str, name: str, receipts: str, cells: dict[str, str]) -> ImportedLine:
    """Enrolment by file is consent to the terms, as the file's owner answers for."""
    word = receipts.strip().lower().translate(_DIGITS)
    if word not in _YES and word not in _NO:
        raise _Bad("receipts بله یا خیر است", f"receipts is yes or no, not {receipts!r}")
    for text in (mobile, name, cells.get("external", "")):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _Bad("سطر UTF-8 نیست", "the row is not UTF-8") from error
    return ImportedLine(
        mobile=mobile,
        name=name,
        consents={"terms": True, "receipts": word in _YES},
        external=cells.get("external", ""),
    )


async def run(path: Path, url: str, key: str, *, console: Console, party: int = 0) -> ImportReport:
    """Import a file; every row of it is counted once, the bad ones by number.

    party: whose references the column `external` holds; a row that has one is bad without it.
    Raises BadFile, and NotFound for a party that nobody registered: nothing was sent.
    """
    with files_in.opened(path) as text, _progress(console) as progress:
        source = Source(text, party)
        task = progress.add_task("وارد کردن اعضا · importing", total=text.size_bytes, lines=0)

        def tell(lines: int) -> None:
            progress.update(task, completed=text.read_bytes(), lines=lines)

        options = peyvand.Options(timeouts=peyvand.Timeouts(request_s=member_import.CHUNK_S))
        async with peyvand.Operator(url, key, options=options) as operator:
            if party:
                await operator.party(party)
            with closing(source.lines()) as lines:
                report = await member_import.import_members(operator, lines, progress=tell)
        tell(report.lines)
    if source.ignored:
        console.print(
            "ستون‌هایی که نگاه نشد · columns that were not looked at:", ", ".join(source.ignored)
        )
    report.lines += len(source.bad)
    report.bad = sorted([*report.bad, *source.bad], key=lambda bad: bad.line)
    return report


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


def _write(report: ImportReport, target: Path) -> None:
    """Whole or not at all: whoever finds a report finds that of a run that ended."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    fresh.replace(target)


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
    """Import a file; the exit status, one of EXITS."""
    options = _parser().parse_args(arguments)
    path = options.path or options.file
    if path is None or str(path) in ("", "."):
        print("make import-members FILE=members.csv [PARTY=4000]", file=sys.stderr)
        return USAGE
    console = Console(stderr=options.json)
    target: Path = options.report
    target.unlink(missing_ok=True)  # a report never outlives its run
    if not options.url or not options.key:
        message = "PEYVAND_URL and PEYVAND_KEY are not set: where the platform is, and whose key"
        return _failed(message, FAILED, console, as_json=options.json)
    called = run(path, options.url, options.key, console=console, party=options.party)
    try:
        report = asyncio.run(called)
    except files_in.BadFile as error:
        status = NO_FILE if isinstance(error, files_in.NoFile) else BAD_FILE
        return _failed(str(error), status, console, as_json=options.json)
    except peyvand.NotFound as error:
        message = f"طرف {options.party} ثبت نشده است · party {options.party}: {error}"
        return _failed(message, USAGE, console, as_json=options.json)
    except peyvand.PeyvandError as error:
        message = f"{error}\nآیا پیوند روشن است؟ · is the platform up? make up"
        return _failed(message, FAILED, console, as_json=options.json)
    _write(report, target)
    if options.json:
        print(target.read_text(), end="")
    else:
        show(report, console)
        console.print(f"→ {target}", markup=False)
    return LEFT_OUT if report.bad else DONE


def _failed(message: str, status: int, console: Console, *, as_json: bool) -> int:
    if as_json:
        document: dict[str, Any] = {"exit": status, "error": message}
        print(msgspec.json.encode(document).decode())
    else:
        console.print(message, style="red", markup=False, soft_wrap=True)
    return status


def _party(text: str) -> int:
    """A party's number; nothing where make was told none."""
    return int(text.translate(_DIGITS) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make import-members",
        description=__doc__,
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--file", type=Path, help="CSV (mobile,name,receipts,external) or NDJSON")
    parser.add_argument(
        "--party", type=_party, default=0, help="whose references the column external holds"
    )
    parser.add_argument("--url", default=os.environ.get("PEYVAND_URL", ""), help="$PEYVAND_URL")
    parser.add_argument("--key", default=os.environ.get("PEYVAND_KEY", ""), help="$PEYVAND_KEY")
    parser.add_argument("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    parser.add_argument("--json", action="store_true", help="the report as JSON on the output")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
