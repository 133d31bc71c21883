"""`python -m lab.history --file F [--enrol]`: a purchase history on the road, and what came."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import peyvand
from lab.history import report
from lab.history.baskets import Baskets
from lab.history.problems import Problems
from lab.history.run import PATIENT, Replay
from lab.history.sending import PlatformGone
from peyvand.files.text import BadFile, NoFile

DONE = 0
FAILED = 1  # the platform, or a figure that does not hold
LEFT_OUT = 3  # all that must hold, holds; some rows were left out, each is named
USAGE = 64
BAD_FILE = 65
NO_FILE = 66
INTERRUPTED = 130
REPORTS: Final = Path("var/replay")
LEFT_OUT_WORDS: Final = ("bad", "left_out", "refused")

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a file; the exit status."""
    options = _parser().parse_args(arguments)
    console.stderr = options.json  # the output is the report's alone
    if options.file is None or str(options.file) in ("", "."):
        console.print("make replay FILE=history.csv [ENROL=1]")
        return USAGE
    try:
        return _run(options)
    except NoFile as error:
        return _failed(error, NO_FILE)
    except BadFile as error:
        return _failed(error, BAD_FILE)
    except PlatformGone as gone:
        console.print(f"[red]the platform does not answer any more[/]: {gone}", highlight=False)
        console.print("what was sent stands; the same command again goes on where this ended")
        return FAILED
    except (peyvand.PeyvandError, OSError, ValueError) as error:
        return _failed(error, FAILED)
    except KeyboardInterrupt:
        console.print("interrupted: what was sent stands; the same command again goes on")
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    folder: Path = options.report
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "report.json"
    target.unlink(missing_ok=True)  # an older one would speak of another file
    problems = Problems.open(folder / "problems.csv")
    with tempfile.TemporaryDirectory(dir=folder, prefix="rows-") as rows:
        baskets = Baskets.open(Path(rows))
        try:
            replay = Replay(
                file=options.file, enrol=options.enrol, baskets=baskets, problems=problems
            )
            with _bars() as bars:
                replay.read(bars)
            with _bars() as bars:
                figures = asyncio.run(_play(replay, options, bars))
        finally:
            baskets.close()
            problems.close()
    wrong = list(report.faults(figures))
    target.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    if options.json:
        print(target.read_text(), end="")
    else:
        report.show(console, figures, replay.sentences, target)
        console.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]")
    if wrong:
        return FAILED
    return LEFT_OUT if any(figures["rows"][word] for word in LEFT_OUT_WORDS) else DONE


async def _play(replay: Replay, options: argparse.Namespace, bars: Progress) -> dict[str, Any]:
    if not options.url or not options.key:
        raise ValueError("PEYVAND_URL and PEYVAND_KEY are not set: where it is, whose key")
    async with peyvand.Operator(options.url, options.key, options=PATIENT) as operator:
        return await replay.play(operator, bars)


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.history", description=__doc__)
    parser.add_argument("--file", type=Path, help="CSV, plain or gzip")
    parser.add_argument("--enrol", action="store_true", help="take in unknown members, merchants")
    parser.add_argument("--url", default=os.environ.get("PEYVAND_URL", ""), help="$PEYVAND_URL")
    parser.add_argument("--key", default=os.environ.get("PEYVAND_KEY", ""), help="$PEYVAND_KEY")
    parser.add_argument("--json", action="store_true", help="the report as JSON on the output")
    parser.add_argument("--report", type=Path, default=REPORTS, help="folder of the report")
    return parser


if __name__ == "__main__":
    sys.exit(main())
