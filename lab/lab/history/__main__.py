"""`python -m lab.history --file F [--enrol]`: a purchase history on the road, and what came."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import peyvand
from cluster import lifecycle, lockfile, paths, plan, processes, readiness, reporting
from cluster.processes import State
from kit.base import errors
from lab.history.baskets import Baskets
from lab.history.problems import Problems
from lab.history.run import Replay
from lab.history.sending import PlatformGone
from lab.observe import driver, figures
from peyvand.files.text import BadFile, NoFile

DONE = 0
FAILED = 1  # the platform, or a figure that does not hold
LEFT_OUT = 3  # all that must hold, holds; some rows were left out, each is named
USAGE = 64
BAD_FILE = 65
NO_FILE = 66
INTERRUPTED = 130
REPORTS: Final = paths.PROJECT / "var" / "replay"
LEFT_OUT_WORDS: Final = ("bad", "left_out", "refused")
SHOWN_MAX: Final = 20
LINES_SHOWN_MAX: Final = 8

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a file; the exit status."""
    given = _parser().parse_args(arguments)
    console.stderr = given.json  # the output is the report's alone
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if given.file is None or str(given.file) in ("", "."):
        console.print("make replay FILE=history.csv [ENROL=1]")
        return USAGE
    try:
        return _run(given)
    except NoFile as error:
        return _failed(error, NO_FILE)
    except BadFile as error:
        return _failed(error, BAD_FILE)
    except PlatformGone as gone:
        console.print(f"[red]the platform does not answer any more[/]: {gone}", highlight=False)
        console.print("what was sent stands; the same command again goes on where this ended")
        return FAILED
    except (peyvand.PeyvandError, errors.Unavailable, TimeoutError, lockfile.Locked) as error:
        return _failed(error, FAILED)
    except (readiness.NotReady, OSError, ValueError) as error:
        return _failed(error, FAILED)
    except KeyboardInterrupt:
        console.print("interrupted: what was sent stands; the same command again goes on")
        return INTERRUPTED


def _run(given: argparse.Namespace) -> int:
    began = time.monotonic()
    folder: Path = given.report
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.json"
    report.unlink(missing_ok=True)  # an older one would speak of another file
    problems = Problems.open(folder / "problems.csv")
    with tempfile.TemporaryDirectory(dir=folder, prefix="rows-") as rows:
        baskets = Baskets.open(Path(rows))
        try:
            replay = Replay(file=given.file, enrol=given.enrol, baskets=baskets, problems=problems)
            with _bars() as bars:
                replay.read(bars)
            cluster = _raised(paths.chosen_folder())
            with _bars() as bars:
                found = asyncio.run(replay.play(cluster, bars))
        finally:
            baskets.close()
            problems.close()
    wrong = list(figures.faults(found))
    report.write_bytes(driver.as_json(found) + b"\n")
    if given.json:
        print(report.read_text(), end="")
    else:
        _show(found, replay.said, wrong, report)
        console.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]")
    if wrong:
        return FAILED
    return LEFT_OUT if any(found["rows"][word] for word in LEFT_OUT_WORDS) else DONE


def _raised(folder: Path) -> plan.Cluster:
    """The platform, running: started where it is not, which is said."""
    if (folder / "cluster.json").exists():
        cluster = plan.cluster_of(folder)
        if cluster.sandbox:
            raise ValueError(f"{folder} holds a sandbox platform, whose time is its driver's")
        if all(seen.state is State.READY for seen in processes.look(cluster)):
            return cluster
    console.print("the platform is not up: it is started, and stays up (make down stops it)")
    return lifecycle.up(folder, sandbox=False, step=reporting.show_step)


def _show(found: dict[str, Any], said: Sequence[str], wrong: Sequence[str], report: Path) -> None:
    figures.show(console, found, {1: "Network"})
    _show_rows(found["rows"])
    _show_problems(found["problems"], report.with_name("problems.csv"))
    console.print()
    for sentence in said:
        console.print(f"  {sentence}", highlight=False, markup=False)
    for fault in wrong:
        console.print(f"[red]does not hold[/]: {fault}", highlight=False)
    if not wrong:
        console.print("[green]everything that must hold, holds[/]")
    console.print(f"  figures       {_short(report)}", highlight=False, soft_wrap=True)


def _show_rows(rows: dict[str, int]) -> None:
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


def _show_problems(problems: dict[str, Any], file: Path) -> None:
    total = sum(problems["counts"].values())
    if not total:
        return
    console.print(f"\n[bold]Left out[/] (all {total:,} in {_short(file)})", highlight=False)
    for one in problems["listed"][:SHOWN_MAX]:
        lines = " ".join(map(str, one["lines"][:LINES_SHOWN_MAX]))
        more = " …" if one["lines_count"] > LINES_SHOWN_MAX else ""
        named = f" {one['merchant']}/{one['transaction']}" if one["transaction"] else ""
        text = f"  line {lines}{more}{named}: {one['fa']} · {one['detail']} ({one['code']})"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if total > SHOWN_MAX:
        counts = ", ".join(f"{code} {n:,}" for code, n in problems["counts"].items())
        console.print(f"  … by code: {counts}", markup=False, highlight=False)


def _failed(error: Exception, status: int) -> int:
    console.print("[red]failed[/]:", end=" ")
    console.print(str(error), markup=False, highlight=False, soft_wrap=True)
    return status


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )


def _short(path: Path) -> str:
    inside = path.is_relative_to(paths.PROJECT)
    return str(path.relative_to(paths.PROJECT)) if inside else str(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.history", description=__doc__)
    parser.add_argument("--file", type=Path, help="CSV, plain or gzip")
    parser.add_argument("--enrol", action="store_true", help="take in unknown members, merchants")
    parser.add_argument("--json", action="store_true", help="the report as JSON on the output")
    parser.add_argument("--report", type=Path, default=REPORTS, help="folder of the report")
    return parser


if __name__ == "__main__":
    sys.exit(main())
