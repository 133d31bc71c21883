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
    options = _parser().parse_args()
    os.environ[kafka_server.FULL_COMPILER] = "1"
    folder = FOLDER / "cluster"
    lifecycle.clean(folder)

    def close() -> None:
        if not options.keep:
            lifecycle.down(folder, step=reporting.show_step)

    return report.ended(lambda: _run(options, folder), TROUBLES, close)


def _run(options: argparse.Namespace, folder: Path) -> int:
    cluster = lifecycle.up(folder, sandbox=False, step=reporting.show_step)
    if options.profile:
        return profile.run(cluster, options.profile, FOLDER)
    if options.members:
        alone = million.measure(cluster, options.members)
        report.write({"members": alone}, "members.json")
        _show_members(alone)
        return 0
    before = report.conditions()
    results = before | _roads(cluster, FULL if options.full else QUICK)
    if options.full:
        results["members"] = million.measure(cluster, MILLION)
    report.write(results, "report.json")
    _show(results)
    if options.full:
        _show_members(results["members"])
    return 1 if results["invalid"] else 0


def _roads(cluster: plan.Cluster, how: Plan) -> dict[str, Any]:
    with Generator.start(cluster) as generator:
        bench = Bench(cluster, how, generator)
        bench.open()
        bench.measure()
    return figures.report(bench.steps, words.GATEWAY)


def _show(results: Mapping[str, Any]) -> None:
    console.print()
    console.print(
        f"[bold]at saturation[/] {results['road_per_s']:.0f}/s, the bare road"
        f" {results['bare_per_s']:.0f}/s: [bold]ratio {results['ratio']:.2f}[/]",
        highlight=False,
    )
    console.print(
        f"[bold]idle p50[/] {results['idle_p50_ms']:.1f} ms, the bare road"
        f" {results['bare_idle_p50_ms']:.1f} ms: [bold]{results['idle_times']:.1f} times[/]",
        highlight=False,
    )
    console.print(_rates(results["at_rate"]))
    console.print(_cpu(results["cpu_us"], results["bare_cpu_us"]))
    console.print(
        "[dim]saturation: arrivals come faster than any road carries; at most"
        f" {' or '.join(str(n) for n in FLOODS)} are unanswered at a time, the rest wait;"
        " the better of the two, in answers a second[/]"
    )
    for note in report.notes(results, missed=figures.missed(results), invalid=results["invalid"]):
        console.print(note, highlight=False)


def _show_members(results: Mapping[str, Any]) -> None:
    until_then = "unready" if results["unready_until_caught_up"] else "[red]ready too early[/]"
    added_mb = (results["anonymous_full_bytes"] - results["anonymous_empty_bytes"]) / 2**20
    console.print(
        f"[bold]the gateway with {results['members']:,} members[/]: warm start"
        f" {results['warm_start_s']:.1f} s; {added_mb:.0f} MB of anonymous memory more than empty"
        f" after {results['look_ups']:,} look-ups; from empty tables"
        f" {results['from_empty_s']:.1f} s, {until_then} until then",
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
