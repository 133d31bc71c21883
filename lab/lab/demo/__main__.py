"""`python -m lab.demo`: weeks of real shopping through a sandbox cluster, then the report."""

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

from cluster import lifecycle, paths, plan, readiness, reporting
from lab.demo import figures, opening, purchases, story
from lab.demo.plan import draw
from lab.demo.purchases import Visit
from lab.demo.story import StoryContext
from lab.observe import audit, driver

SEED: Final = 20261121
HOUSEHOLDS, WEEKS, BRANCHES = 225, 10, 6
FOLDER: Final = paths.PROJECT / "var" / "demo"

console = Console()


def main() -> int:
    """Run the demo; 0 when everything that must hold does."""
    options = _parser().parse_args()
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, reporting.leave)  # the cluster is stopped then, too
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    began = time.monotonic()
    try:
        return _run(options)
    except (readiness.NotReady, TimeoutError, OSError, ValueError) as trouble:
        console.print(f"[red]the demo failed[/]: {trouble}", highlight=False)
        return 1
    finally:
        if not options.keep:
            lifecycle.down(FOLDER / "cluster", step=reporting.show_step)
        console.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]")


def _run(options: argparse.Namespace) -> int:
    console.print("[bold]Peyvand · پیوند[/]: real purchases (84.51 Complete Journey, demo data)")
    with reporting.show_step("purchases are read") as tell:
        visits = purchases.load(
            households=options.households, weeks=options.weeks, branches=BRANCHES
        )
        tell(f"{len(visits):,} visits of {options.households} households in {options.weeks} weeks")
    cluster = driver.raise_sandbox(
        FOLDER / "cluster", visits[0].at - opening.BACK, step=reporting.show_step
    )
    results, wrong = asyncio.run(_shop(cluster, visits))
    report = FOLDER / "report.json"
    report.write_bytes(driver.as_json(results) + b"\n")
    figures.show(console, results)
    console.print("\n[bold]the outside auditor reads the whole book[/]")
    if audit.audit(cluster, audit.REPORT):
        wrong.append("the audit of the book (make audit says more)")
    _conclude(wrong, report, cluster, keep=options.keep)
    return 1 if wrong else 0


async def _shop(cluster: plan.Cluster, visits: list[Visit]) -> tuple[dict[str, Any], list[str]]:
    acts = draw(visits, SEED)
    with _bars() as bars:
        context = StoryContext(
            cluster=cluster,
            acts=acts,
            bars=bars,
            driver=await driver.Driver.open(cluster.servers.bootstrap),
        )
        try:
            results = await driver.while_all_run(cluster, story.tell(context, visits))
        finally:
            await context.close()
    return results, list(figures.faults(results))


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )


def _conclude(wrong: list[str], report: Path, cluster: plan.Cluster, *, keep: bool) -> None:
    console.print()
    for fault in wrong:
        console.print(f"[red]does not hold[/]: {fault}", highlight=False)
    if not wrong:
        console.print("[green]everything that must hold, holds[/]")
    console.print(f"  figures       {report.relative_to(paths.PROJECT)}", highlight=False)
    if keep:
        reporting.print_addresses(cluster)
        console.print(
            f"  stop it with  make down CLUSTER={cluster.folder.relative_to(paths.PROJECT)}"
        )
    else:
        console.print("  keep the cluster running to look around: make demo KEEP=1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster running")
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
