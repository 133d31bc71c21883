"""From what was measured to the report: medians, ratios, what was to be reached. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lab.bench.meter import median

YARDSTICK: Final = "yardstick"
RATIO_MIN: Final = {100: 0.45, 1_000: 0.40}  # of W1 to the yardstick, by batch
HOT_MIN: Final = 0.95  # W2 to W1
REPEATS_MIN: Final = 0.85  # W5 to W1
LOADED_MIN: Final = 0.85  # W1 on a full book to W1 on an empty one
LATENCY_MAX: Final = 2.0  # times plain Kafka and the yardstick at batch 1
BYTES_MAX: Final = 1_400  # a command
AUDIT_MIN: Final = 100_000  # entries a second
_OF_W1: Final = ("W2", "W3", "W4", "W5", "W7")

Row = Mapping[str, Any]


def ratios(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Of each batch size: W1 to the yardstick, the others to W1, each within its round.

    by_cpu: the same ratio, not of speeds but of CPU a command.
    """
    table: list[dict[str, Any]] = []
    for batch in sorted({row["batch"] for row in rows}):
        for over, under in (("W1", YARDSTICK), *((name, "W1") for name in _OF_W1)):
            pairs = _pairs(rows, batch, over, under)
            if pairs:
                table.append(
                    {
                        "batch": batch,
                        "of": over,
                        "to": under,
                        "per_s": round(median([a for a, _ in pairs])),
                        "to_per_s": round(median([b for _, b in pairs])),
                        "ratio": round(median([a / b for a, b in pairs]), 3),
                        "lowest": round(min(a / b for a, b in pairs), 3),
                        "highest": round(max(a / b for a, b in pairs), 3),
                        "by_cpu": round(
                            _cpu_us(rows, batch, under) / _cpu_us(rows, batch, over), 3
                        ),
                        "pairs": len(pairs),
                    }
                )
    return table


def _pairs(rows: Sequence[Row], batch: int, over: str, under: str) -> list[tuple[int, int]]:
    """Rates of two workloads in the same round; a run that failed its check has none."""
    of: dict[str, dict[int, int]] = {over: {}, under: {}}
    for row in rows:
        if row["batch"] == batch and row["workload"] in of and row["per_s"]:
            of[row["workload"]][row["round"]] = row["per_s"]
    return [(rate, of[under][n]) for n, rate in of[over].items() if n in of[under]]


def _cpu_us(rows: Sequence[Row], batch: int, name: str) -> float:
    """CPU a command, client and server together: a busy machine hardly moves it."""
    parts = ("client", "backend", "server")
    spent = [
        sum(row[f"{part}_cpu_s_per_million"] for part in parts)
        for row in rows
        if (row["batch"], row["workload"]) == (batch, name)
    ]
    return max(median(spent), 0.1)


def cpu(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """CPU seconds a million commands, medians of the rounds."""
    table: list[dict[str, Any]] = []
    for batch, name in dict.fromkeys((row["batch"], row["workload"]) for row in rows):
        same = [row for row in rows if (row["batch"], row["workload"]) == (batch, name)]
        parts = {
            part: round(median([row[f"{part}_cpu_s_per_million"] for row in same]), 1)
            for part in ("client", "backend", "server")
        }
        entry = {"batch": batch, "workload": name, **parts}
        table.append(entry | {"generator": round(median([r["generator_us"] for r in same]), 1)})
    return table


def features(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """W7's table: what each feature costs, as rates and as ratios to W1 with everything on.

    The log cannot be switched off: what it costs is its share of the profile's CPU.
    """
    batch = min((row["batch"] for row in results["ratios"]), default=0)
    of = {row["of"]: row for row in results["ratios"] if row["batch"] == batch}
    if "W1" not in of:
        return []
    base = of["W1"]["per_s"]
    rows = [_feature("bare double entry (yardstick)", of["W1"]["to_per_s"], base)]
    profile = results.get("profile")
    if profile:
        spent_us = sum(profile[part] for part in ("client_us", "backend_us", "server_us"))
        share = log_us(profile) / spent_us
        rows.append(_feature("without the log (its share of CPU)", round(base / (1 - share)), base))
    rows.append(_feature("one lot a member: W1, everything on", base, base))
    if "W7" in of:
        rows.append(_feature("lots that expire, days that pass: W7", of["W7"]["per_s"], base))
    if "W4" in of:
        rows.append(_feature("holds and their resolutions: W4", of["W4"]["per_s"], base))
    if results.get("kafka"):
        rows.append(_feature("Kafka in: W1 from a full topic", results["kafka"]["per_s"], base))
    return rows


def log_us(profile: Mapping[str, Any]) -> float:
    """Microseconds a command that the log takes: its client CPU, its statements' server CPU."""
    client = sum(row["us"] for row in profile["client"] if row["group"].startswith("log"))
    names = ("append_log", "leaves", "nodes")
    server = sum(
        row["backend_us"]
        for row in profile["statements"]
        if any(name in row["statement"] for name in names)
    )
    return client + server


def _feature(name: str, per_s: int, base: int) -> dict[str, Any]:
    return {"with": name, "per_s": per_s, "to_w1": round(per_s / base, 3) if base else 0.0}


def missed(results: Mapping[str, Any]) -> list[str]:
    """What the ledger was to reach and did not, in words."""
    misses: list[str] = []
    for row in results["ratios"]:
        least = {
            ("W1", YARDSTICK): RATIO_MIN.get(row["batch"], 0.0),
            ("W2", "W1"): HOT_MIN,
            ("W5", "W1"): REPEATS_MIN,
        }.get((row["of"], row["to"]), 0.0)
        if row["ratio"] < least:
            misses.append(
                f"{row['of']} to {row['to']} at batch {row['batch']}: {row['ratio']:.2f},"
                f" wanted at least {least:.2f}"
            )
    misses += [
        f"{row['workload']} failed: {row['wrong']}" for row in results["runs"] if row["wrong"]
    ]
    if "road_failed" in results:
        misses.append(f"with Kafka in: {results['road_failed']}")
    return misses + _missed_bytes(results) + _missed_latency(results) + _missed_rest(results)


def _missed_bytes(results: Mapping[str, Any]) -> list[str]:
    sizes = [row["bytes"]["per_command"] for row in results["runs"] if row["workload"] == "W1"]
    if sizes and max(sizes) > BYTES_MAX:
        return [f"{max(sizes)} bytes a command, wanted at most {BYTES_MAX}"]
    return []


def _missed_latency(results: Mapping[str, Any]) -> list[str]:
    singles = results.get("singles")
    if singles and singles["times"] > LATENCY_MAX:
        return [
            f"one at a time p50 {singles['p50_ms']} ms is {singles['times']:.2f} times plain Kafka"
            f" and the yardstick, wanted at most {LATENCY_MAX:.0f}"
        ]
    return []


def _missed_rest(results: Mapping[str, Any]) -> list[str]:
    misses: list[str] = []
    rates = [row["audit"]["entries_per_s"] for row in results["runs"] if row.get("audit")]
    if rates and median(rates) < AUDIT_MIN:
        misses.append(f"audit {median(rates):.0f} entries/s, wanted at least {AUDIT_MIN}")
    loaded = results.get("loaded")
    if loaded and loaded["ratio"] < LOADED_MIN:
        misses.append(f"full book to empty {loaded['ratio']:.2f}, wanted at least {LOADED_MIN}")
    return misses
