"""From what was measured to the report: medians, ratios, validity. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lab.bench.meter import median
from lab.bench.road.load import Outcome

CPU_US_MAX: Final = 250.0  # of the bare gateway and of the generator, a transaction
RATIO_MIN: Final = 0.5
IDLE_TIMES_MAX: Final = 2.0
REAL, BARE = "road", "bare"
GENERATOR: Final = "generator"
KEPT_UP: Final = 0.95  # of the offered rate


class Stage(StrEnum):
    """What a step was for."""

    IDLE = "idle"
    RATE = "rate"
    SATURATION = "saturation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One step. cpu_s: by process, until its effects were drained, which took drained_s more."""

    round: int
    stage: Stage
    outcome: Outcome
    in_flight_max: int = 0
    cpu_s: Mapping[str, float]
    database_cpu_s: Mapping[str, float] = field(default_factory=dict[str, float])
    drained_s: float = 0.0
    load_average: float = 0.0

    @property
    def world(self) -> str:
        """REAL or BARE."""
        return self.outcome.world


def kept_up(outcome: Outcome) -> bool:
    """Whether nearly all that was offered was answered in time; a higher rate makes sense."""
    offered = outcome.completed + outcome.waiting + outcome.unsent + sum(outcome.failed.values())
    return outcome.completed >= KEPT_UP * offered


def report(steps: Sequence[Measured], bare_gateway: str) -> dict[str, Any]:
    """The figures of a run. bare_gateway: its process's name in the CPU of bare steps."""
    road_per_s, bare_per_s = _saturation(steps, REAL), _saturation(steps, BARE)
    idle, bare_idle = _idle(steps, REAL), _idle(steps, BARE)
    cpu_us, bare_cpu_us = _cpu_us(steps, REAL), _cpu_us(steps, BARE)
    return {
        "road_per_s": round(road_per_s, 1),
        "bare_per_s": round(bare_per_s, 1),
        "ratio": round(road_per_s / bare_per_s, 3) if bare_per_s else 0.0,
        "idle_p50_ms": round(idle, 2),
        "bare_idle_p50_ms": round(bare_idle, 2),
        "idle_times": round(idle / bare_idle, 2) if bare_idle else 0.0,
        "at_rate": _at_rate(steps),
        "cpu_us": cpu_us,
        "bare_cpu_us": bare_cpu_us,
        "database_cpu_us": _per_transaction(steps, REAL, lambda step: step.database_cpu_s),
        "saturation": [_saturation_row(step) for step in _of(steps, Stage.SATURATION)],
        "answers": _sums(step.outcome.answers for step in steps if step.world == REAL),
        "failed": _sums(step.outcome.failed for step in steps if step.world == REAL),
        "load_average": [round(step.load_average, 1) for step in steps],
        "invalid": invalid(bare_cpu_us, bare_gateway),
    }


def invalid(bare_cpu_us: Mapping[str, float], bare_gateway: str) -> list[str]:
    """Why the yardstick does not count; empty when it does."""
    return [
        f"{name} spent {bare_cpu_us.get(name, 0.0):.0f} µs of CPU a transaction on the bare road,"
        f" more than {CPU_US_MAX:.0f}"
        if name in bare_cpu_us
        else f"{name} was not measured on the bare road"
        for name in (bare_gateway, GENERATOR)
        if bare_cpu_us.get(name, CPU_US_MAX + 1) > CPU_US_MAX
    ]


def missed(results: Mapping[str, Any]) -> list[str]:
    """What the road was to reach and did not."""
    misses: list[str] = []
    if results["ratio"] < RATIO_MIN:
        misses.append(f"ratio at saturation {results['ratio']:.2f}, wanted at least {RATIO_MIN}")
    if results["idle_times"] > IDLE_TIMES_MAX or not results["idle_p50_ms"]:
        misses.append(
            f"idle p50 {results['idle_times']:.1f} times the bare road's,"
            f" wanted at most {IDLE_TIMES_MAX:.0f}"
        )
    return misses


def _of(steps: Iterable[Measured], stage: Stage, world: str = "") -> list[Measured]:
    return [s for s in steps if s.stage is stage and world in ("", s.world)]


def _saturation(steps: Sequence[Measured], world: str) -> float:
    """Highest completed rate of each round; the median of the rounds."""
    best: dict[int, float] = {}
    for step in steps:
        if step.world == world:
            best[step.round] = max(best.get(step.round, 0.0), step.outcome.completed_per_s)
    return median(list(best.values()))


def _idle(steps: Sequence[Measured], world: str) -> float:
    return median([step.outcome.p50_ms for step in _of(steps, Stage.IDLE, world)])


def _at_rate(steps: Sequence[Measured]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for rate in sorted({step.outcome.rate_per_s for step in _of(steps, Stage.RATE)}):
        row: dict[str, Any] = {"rate_per_s": rate}
        for world in (REAL, BARE):
            same = [
                s.outcome for s in _of(steps, Stage.RATE, world) if s.outcome.rate_per_s == rate
            ]
            row[world] = _latency_row(same) if same else None
        rows.append(row)
    return rows


def _latency_row(same: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "completed_per_s": round(median([o.completed_per_s for o in same]), 1),
        "p50_ms": round(median([o.p50_ms for o in same]), 2),
        "p95_ms": round(median([o.p95_ms for o in same]), 2),
        "p99_ms": round(median([o.p99_ms for o in same]), 2),
        "waiting": sum(o.waiting for o in same),
        "unsent": sum(o.unsent for o in same),
        "failed": sum(sum(o.failed.values()) for o in same),
        "kept_up": all(kept_up(o) for o in same),
    }


def _saturation_row(step: Measured) -> dict[str, Any]:
    return {
        "round": step.round,
        "world": step.world,
        "in_flight_max": step.in_flight_max,
        "completed_per_s": round(step.outcome.completed_per_s, 1),
        "p50_ms": round(step.outcome.p50_ms, 1),
        "p99_ms": round(step.outcome.p99_ms, 1),
        "waiting": step.outcome.waiting,
        "drained_s": round(step.drained_s, 1),
        "load_average": round(step.load_average, 1),
    }


def _cpu_us(steps: Sequence[Measured], world: str) -> dict[str, float]:
    by_process = _per_transaction(steps, world, lambda step: step.cpu_s)
    of_generator = [
        step.outcome.cpu_s / step.outcome.carried * 1e6
        for step in _of(steps, Stage.SATURATION, world)
        if step.outcome.carried
    ]
    if of_generator:
        by_process[GENERATOR] = round(median(of_generator), 1)
    return by_process


def _per_transaction(
    steps: Sequence[Measured], world: str, spent: Callable[[Measured], Mapping[str, float]]
) -> dict[str, float]:
    """CPU µs a transaction carried at saturation, median over steps and rounds."""
    values: dict[str, list[float]] = {}
    for step in _of(steps, Stage.SATURATION, world):
        for name, seconds in spent(step).items():
            if step.outcome.carried:
                values.setdefault(name, []).append(seconds / step.outcome.carried * 1e6)
    return {name: round(median(those), 1) for name, those in sorted(values.items())}


def _sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for some in counts:
        for name, count in some.items():
            totals[name] = totals.get(name, 0) + count
    return totals
