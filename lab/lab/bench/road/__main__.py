"""`python -m lab.bench.road`: how fast the road is, against a bare road in the same run."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from cluster import kafka_server, lifecycle, plan, readiness, reporting
from lab.bench import report
from lab.bench.report import FOLDER, console
from lab.bench.road import figures, million, profile
from lab.bench.road.bare import words
from lab.bench.road.control import Generator, GeneratorEnded
from lab.bench.road.run import FLOODS, FULL, QUICK, Bench, Plan

MILLION: Final = 1_000_000
TROUBLES: Final = (readiness.NotReady, GeneratorEnded, TimeoutError, OSError, RuntimeError)


def main() -> int:
    """Run the bench; 0 when its figures count, whatever they are."""
    given = _parser().parse_args()
    os.environ[kafka_server.FULL_COMPILER] = "1"
    folder = FOLDER / "cluster"
    lifecycle.clean(folder)

    def close() -> None:
        if not given.keep:
            lifecycle.down(folder, step=reporting.show_step)

    return report.ended(lambda: _run(given, folder), TROUBLES, close)


def _run(given: argparse.Namespace, folder: Path) -> int:
    cluster = lifecycle.up(folder, sandbox=False, step=reporting.show_step)
    if given.profile:
        return profile.run(cluster, given.profile, FOLDER)
    if given.members:
        alone = million.measure(cluster, given.members)
        report.write({"members": alone}, "members.json")
        _show_members(alone)
        return 0
    before = report.conditions()
    found = before | _roads(cluster, FULL if given.full else QUICK)
    if given.full:
        found["members"] = million.measure(cluster, MILLION)
    report.write(found, "report.json")
    _show(found)
    if given.full:
        _show_members(found["members"])
    return 1 if found["invalid"] else 0


def _roads(cluster: plan.Cluster, how: Plan) -> dict[str, Any]:
    with Generator.start(cluster) as generator:
        bench = Bench(cluster, how, generator)
        bench.open()
        bench.measure()
    return figures.report(bench.steps, words.GATEWAY)


def _show(found: Mapping[str, Any]) -> None:
    console.print()
    console.print(
        f"[bold]at saturation[/] {found['road_per_s']:.0f}/s, the bare road"
        f" {found['bare_per_s']:.0f}/s: [bold]ratio {found['ratio']:.2f}[/]",
        highlight=False,
    )
    console.print(
        f"[bold]idle p50[/] {found['idle_p50_ms']:.1f} ms, the bare road"
        f" {found['bare_idle_p50_ms']:.1f} ms: [bold]{found['idle_times']:.1f} times[/]",
        highlight=False,
    )
    console.print(_rates(found["at_rate"]))
    console.print(_cpu(found["cpu_us"], found["bare_cpu_us"]))
    console.print(
        "[dim]saturation: arrivals come faster than any road carries; at most"
        f" {' or '.join(str(n) for n in FLOODS)} are unanswered at a time, the rest wait;"
        " the better of the two, in answers a second[/]"
    )
    for note in report.notes(found, missed=figures.missed(found), invalid=found["invalid"]):
        console.print(note, highlight=False)


def _show_members(found: Mapping[str, Any]) -> None:
    until_then = "unready" if found["unready_until_caught_up"] else "[red]ready too early[/]"
    added_mb = (found["anonymous_full_bytes"] - found["anonymous_empty_bytes"]) / 2**20
    console.print(
        f"[bold]the gateway with {found['members']:,} members[/]: warm start"
        f" {found['warm_start_s']:.1f} s; {added_mb:.0f} MB of anonymous memory more than empty"
        f" after {found['look_ups']:,} look-ups; from empty tables {found['from_empty_s']:.1f} s,"
        f" {until_then} until then",
        highlight=False,
    )


def _rates(rows: list[dict[str, Any]]) -> Table:
    table = Table("offered/s", title="latency from the scheduled send, ms", title_justify="left")
    for heading in ("p50", "p95", "p99", "bare p50", "bare p95", "bare p99"):
        table.add_column(heading, justify="right")
    for row in rows:
        cells = [f"{row['rate_per_s']:.0f}"]
        for world in (figures.REAL, figures.BARE):
            seen = row[world]
            cells += [f"{seen[q]:.1f}" if seen else "-" for q in ("p50_ms", "p95_ms", "p99_ms")]
        table.add_row(*cells)
    return table


def _cpu(road: Mapping[str, float], bare: Mapping[str, float]) -> Table:
    table = Table("process", title="CPU at saturation, µs a transaction", title_justify="left")
    table.add_column("road", justify="right")
    table.add_column("bare", justify="right")
    for name in dict.fromkeys((*road, *bare)):
        cells = (f"{side[name]:.0f}" if name in side else "" for side in (road, bare))
        table.add_row(name, *cells)
    table.add_section()
    table.add_row("in all", f"{sum(road.values()):.0f}", f"{sum(bare.values()):.0f}")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.bench.road", description=__doc__)
    parser.add_argument("--full", action="store_true", help="longer, and a million members")
    parser.add_argument("--members", type=int, default=0, help="only the gateway with so many")
    parser.add_argument("--profile", choices=(*plan.WITH_DATABASE, plan.GATEWAY), help="one room")
    parser.add_argument(
        "--keep",
        action="store_true",
        default=bool(os.environ.get("KEEP")),
        help="leave the cluster running",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
