"""`python -m house.demo`: weeks of real shopping through a sandbox house, then the report."""

import argparse
import asyncio
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from house import __main__ as house_main
from house import audit, driver, lifecycle, paths, plan, readiness
from house.demo import figures, opening, purchases, story
from house.demo.plan import draw
from house.demo.purchases import Visit
from house.demo.story import Told

SEED: Final = 20261121
HOUSEHOLDS, WEEKS, BRANCHES = 225, 10, 6
FOLDER: Final = paths.PROJECT / "var" / "demo"

console = Console()


def main() -> int:
    """Run the demo; 0 when everything that must hold does."""
    given = _parser().parse_args()
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, house_main.leave)  # the house is stopped then, too
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    began = time.monotonic()
    try:
        return _run(given)
    except (readiness.NotReady, TimeoutError, OSError, ValueError) as trouble:
        console.print(f"[red]the demo failed[/]: {trouble}", highlight=False)
        return 1
    finally:
        if not given.keep:
            lifecycle.down(FOLDER / "house", step=house_main.show_step)
        console.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]")


def _run(given: argparse.Namespace) -> int:
    console.print("[bold]Peyvand · پیوند[/]: real purchases (84.51 Complete Journey, demo data)")
    with house_main.show_step("purchases are read") as tell:
        visits = purchases.load(households=given.households, weeks=given.weeks, branches=BRANCHES)
        tell(f"{len(visits):,} visits of {given.households} households in {given.weeks} weeks")
    home = driver.raise_house(
        FOLDER / "house", visits[0].at - opening.BACK, step=house_main.show_step
    )
    found, wrong = asyncio.run(_shop(home, visits))
    report = FOLDER / "report.json"
    report.write_bytes(driver.as_json(found) + b"\n")
    figures.show(console, found)
    console.print("\n[bold]the outside auditor reads the whole book[/]")
    if audit.audit(home, audit.REPORT):
        wrong.append("the audit of the book (make audit says more)")
    _conclude(wrong, report, home, keep=given.keep)
    return 1 if wrong else 0


async def _shop(home: plan.House, visits: list[Visit]) -> tuple[dict[str, Any], list[str]]:
    acts = draw(visits, SEED)
    with _bars() as bars:
        told = Told(
            home=home,
            acts=acts,
            bars=bars,
            driver=await driver.Driver.open(home.servers.bootstrap),
        )
        try:
            found = await driver.while_all_run(home, story.tell(told, visits))
        finally:
            await told.close()
    return found, list(figures.faults(found))


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )


def _conclude(wrong: list[str], report: Path, home: plan.House, *, keep: bool) -> None:
    console.print()
    for fault in wrong:
        console.print(f"[red]does not hold[/]: {fault}", highlight=False)
    if not wrong:
        console.print("[green]everything that must hold, holds[/]")
    console.print(f"  figures       {report.relative_to(paths.PROJECT)}", highlight=False)
    if keep:
        house_main.print_addresses(home)
        console.print(f"  stop it with  make down HOUSE={home.folder.relative_to(paths.PROJECT)}")
    else:
        console.print("  keep the house running to look around: make demo KEEP=1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m house.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the house running")
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
