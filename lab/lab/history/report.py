"""The report of a replay: what must hold of its figures, and a page to read."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from lab.history import value
from lab.observe import requests

SHOWN_MAX: Final = 20
LINES_SHOWN_MAX: Final = 8


def faults(figures: Mapping[str, Any]) -> Iterator[str]:
    """What does not hold, in plain words; nothing when all is well."""
    yield from requests.faults(figures)
    for unit, of_unit in figures["value"].items():
        left = value.remainder(of_unit)
        if left != of_unit["outstanding"]:
            yield f"{unit}: what happened leaves {left}, the lots hold {of_unit['outstanding']}"


def show(
    console: Console, figures: Mapping[str, Any], sentences: Sequence[str], target: Path
) -> None:
    """Print the report for a person. said: sentences besides the figures. target: its file."""
    requests.show(console, figures)
    _show_value(console, figures["value"])
    _show_rows(console, figures["rows"])
    _show_problems(console, figures["problems"], target.with_name("problems.csv"))
    console.print()
    for sentence in sentences:
        console.print(f"  {sentence}", highlight=False, markup=False)
    wrong = list(faults(figures))
    for fault in wrong:
        console.print(f"[red]does not hold[/]: {fault}", highlight=False)
    if not wrong:
        console.print("[green]everything that must hold, holds[/]; make audit recomputes the book")
    console.print(f"  figures       {target}", highlight=False, soft_wrap=True)


def _show_rows(console: Console, rows: Mapping[str, int]) -> None:
    table = Table(title="The file", title_justify="left", show_header=False, box=None)
    for fa, en, words in (
        ("سطر", "rows read", ("read",)),
        ("فرستاده", "rows sent", ("sent",)),
        ("نادرست", "bad rows", ("bad",)),
        ("صفر", "rows of zero Rial", ("zero",)),
        ("تکراری", "rows there twice", ("repeated",)),
        ("کنار گذاشته", "good rows of transactions left out", ("left_out", "refused")),
        ("تراکنش", "transactions", ("transactions",)),
        (
            "تراکنش‌های کنار گذاشته",
            "transactions left out",
            ("transactions_left_out", "transactions_refused"),
        ),
    ):
        table.add_row(f"{en} · {fa}", f"{sum(rows[word] for word in words):,}")
    console.print(table)


def _show_problems(console: Console, problems: Mapping[str, Any], file: Path) -> None:
    total = sum(problems["counts"].values())
    if not total:
        return
    console.print(f"\n[bold]Left out[/] (all {total:,} in {file})", highlight=False)
    for one in problems["listed"][:SHOWN_MAX]:
        lines = " ".join(map(str, one["lines"][:LINES_SHOWN_MAX]))
        more = " …" if one["lines_count"] > LINES_SHOWN_MAX else ""
        named = f" {one['merchant']}/{one['transaction']}" if one["transaction"] else ""
        text = f"  line {lines}{more}{named}: {one['fa']} · {one['detail']} ({one['code']})"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if total > SHOWN_MAX:
        counts = ", ".join(f"{code} {n:,}" for code, n in problems["counts"].items())
        console.print(f"  … by code: {counts}", markup=False, highlight=False)


def _show_value(console: Console, of_all: value.Value) -> None:
    table = Table(title="Value of the whole platform", title_justify="left", box=box.SIMPLE)
    for heading in ("", *of_all):
        table.add_column(heading, justify="right" if heading else "left")
    for word in value.WORDS:
        cells = (f"{of_unit[word]:,}" for of_unit in of_all.values())
        table.add_row(word.replace("_", " "), *cells)
    console.print(table)
