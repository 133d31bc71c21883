"""What the bench prints."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table

from lab.bench.report import notes


def profile(figures: Mapping[str, Any]) -> Group:
    """Where the microseconds of a command go."""
    head = (
        f"[bold]{figures['per_s']}/s at batch {figures['batch']}[/]: {figures['us']} µs a command;"
        f" CPU: client {figures['client_us']}, its backend {figures['backend_us']},"
        f" the server's others {figures['server_us']} µs"
    )
    statements = Table("statement", title="µs a command, by statement", title_justify="left")
    for heading in ("a batch", "time", "server CPU"):
        statements.add_column(heading, justify="right")
    for row in figures["statements"]:
        cells = (row["calls_a_batch"], row["us"], row["backend_us"])
        statements.add_row(row["statement"], *(f"{cell:.1f}" for cell in cells))
    statements.add_section()
    statements.add_row("between statements", "", f"{figures['outside_statements_us']:.1f}", "")
    return Group(
        head,
        statements,
        _costs("client CPU by group, µs a command (cProfile, scaled)", "group", figures["client"]),
        _costs("client CPU by function", "function", figures["functions"]),
    )


def _costs(title: str, key: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(key, title=title, title_justify="left")
    counted = any("calls" in row for row in rows)
    if counted:
        table.add_column("calls a command", justify="right")
    table.add_column("µs", justify="right")
    for row in rows:
        calls = (f"{row['calls']:.2f}",) if counted else ()
        table.add_row(row[key], *calls, f"{row['us']:.1f}")
    return table


def report(results: Mapping[str, Any]) -> Group:
    """All figures of a run, and what was missed."""
    parts: list[Any] = ["", _ratios(results["ratios"]), _cpu(results["cpu_s_per_million"])]
    w1 = next((row for row in results["runs"] if row["workload"] == "W1"), None)
    if w1 is not None:
        parts.append(_bytes(w1["bytes"]))
    if results["features"]:
        parts.append(_features(results["features"]))
    if "singles" in results:
        parts += [_singles(results["singles"]), *_latency(results["singles"])]
    audits = [row["audit"] for row in results["runs"] if row.get("audit")]
    if audits:
        rates = sorted(audit["entries_per_s"] for audit in audits)
        parts.append(f"audit: {rates[len(rates) // 2]:,} entries/s, nothing is wrong")
    if "profile" in results:
        parts.append(profile(results["profile"]))
    return Group(*parts, *notes(results, missed=results["missed"]))


def _ratios(rows: list[dict[str, Any]]) -> Table:
    table = Table(
        "workload", title="commands a second, medians of the rounds", title_justify="left"
    )
    for heading in ("batch", "per s", "to", "per s", "ratio", "lowest", "highest", "by CPU"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["of"], str(row["batch"]), f"{row['per_s']:,}", row["to"], f"{row['to_per_s']:,}",
            *(f"{row[name]:.2f}" for name in ("ratio", "lowest", "highest", "by_cpu")),
        )  # fmt: skip
    return table


def _cpu(rows: list[dict[str, Any]]) -> Table:
    table = Table("workload", title="CPU seconds a million commands", title_justify="left")
    for heading in ("batch", "client", "its backend", "server's others", "generator, apart"):
        table.add_column(heading, justify="right")
    for row in rows:
        parts = (row[name] for name in ("client", "backend", "server", "generator"))
        table.add_row(row["workload"], str(row["batch"]), *(f"{part:.1f}" for part in parts))
    return table


def _bytes(sizes: dict[str, Any]) -> Table:
    title = f"W1: {sizes['per_command']} bytes a command"
    table = Table("table", "bytes", "index", "bytes", title=title, title_justify="left")
    left, right = list(sizes["tables"].items()), list(sizes["indexes"].items())
    for number in range(max(len(left), len(right))):
        cells: list[str] = []
        for side in (left, right):
            name, size = side[number] if number < len(side) else ("", "")
            cells += [name, str(size)]
        table.add_row(*cells)
    return table


def _features(rows: list[dict[str, Any]]) -> Table:
    table = Table("with", title="what each feature costs", title_justify="left")
    table.add_column("per s", justify="right")
    table.add_column("to W1", justify="right")
    for row in rows:
        table.add_row(row["with"], f"{row['per_s']:,}", f"{row['to_w1']:.2f}")
    return table


def _singles(latency: Mapping[str, Any]) -> str:
    return (
        f"[bold]one at a time[/] p50 {latency['p50_ms']} ms from produced to reply consumed; plain"
        f" Kafka {latency['plain_p50_ms']} + yardstick {latency['yardstick']['p50_ms']} ms:"
        f" [bold]{latency['times']:.2f} times[/]"
    )


def _latency(latency: Mapping[str, Any]) -> list[Table]:
    table = Table("W6", title="latency in ms, Kafka in", title_justify="left")
    for heading in ("per s", "p50", "p99", "p99.9"):
        table.add_column(heading, justify="right")
    rows = [(f"{row['callers']} callers", row) for row in latency["closed_loop"]]
    rows += [(f"offered {row['offered_per_s']:.0f}/s", row) for row in latency["open_loop"]]
    for name, row in rows:
        cells = (row[key] for key in ("per_s", "p50_ms", "p99_ms", "p99_9_ms"))
        table.add_row(name, *(f"{cell:.1f}" for cell in cells))
    return [table]


def many_lots(medians: Mapping[str, Any]) -> Table:
    """What a till pays for an account full of small lots."""
    headings = list(next(iter(medians.values())))
    table = Table("CPU ms a command, alone in its poll", *headings)
    for kind, row in medians.items():
        table.add_row(kind, *(f"{row[heading]:.2f}" for heading in headings))
    return table
