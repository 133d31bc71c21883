"""The run: bare, real, bare, real; each idle, at rising rates, and at saturation."""

import asyncio
import os
import time
from collections import abc
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cluster import connections, lifecycle, plan, processes, reporting
from lab.bench import meter
from lab.bench.report import console
from lab.bench.road import opening
from lab.bench.road.bare import road as bare
from lab.bench.road.bare import words
from lab.bench.road.control import Generator
from lab.bench.road.figures import BARE, REAL, Measured, Stage, kept_up
from lab.bench.road.load import Open, Outcome, Step, Till
from lab.observe import driver

OVERLOAD_PER_S: Final = 8_000.0  # more than any road here carries
IN_FLIGHT_MAX: Final = 384
FLOODS: Final = (128, IN_FLIGHT_MAX)  # a slow machine answers 384 at a time too late
WARM_S, WARM_PER_S, WARM_IN_FLIGHT = 3.0, 100.0, 48
DRAIN_S: Final = 300.0
SEED: Final = 8451


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how much. members: as many as keep the fraud rules quiet for the whole run."""

    rounds: int = 2
    idle_per_s: float = 20.0
    idle_s: float = 8.0
    rates_per_s: tuple[float, ...] = (100.0, 200.0, 400.0, 800.0)
    rate_s: float = 6.0
    saturation_s: float = 8.0  # for each of FLOODS
    members: int = 20_000


QUICK: Final = Plan()
FULL: Final = Plan(
    rounds=3,
    idle_s=20.0,
    rates_per_s=(50.0, 100.0, 200.0, 400.0, 600.0, 800.0, 1_200.0, 1_600.0),
    rate_s=15.0,
    saturation_s=40.0,
    members=60_000,
)


@dataclass(slots=True)
class Bench:
    """A cluster, a generator, and what was measured so far."""

    cluster: plan.Cluster
    sizes: Plan
    generator: Generator
    steps: list[Measured] = field(default_factory=list[Measured])

    def open(self) -> None:
        """Open the network, import the members, tell the generator of both roads, and warm up."""
        with reporting.show_step("merchants, tills, programmes and rules"):
            tills = asyncio.run(opening.open_town(self.cluster))
        with show_bar("members are imported", self.sizes.members) as tell:
            asyncio.run(opening.enrol(self.cluster, self.sizes.members, tick=tell))
        with reporting.show_step("tables are fed"):
            self._drain()
        with reporting.show_step("the bare road is laid out"):
            bare.prepare(self.cluster)
        strangers = [Till(terminal=t.terminal, epoch=1, key="pvt_bare") for t in tills]
        members = self.sizes.members
        road_url = self.cluster.url(plan.GATEWAY)
        self.generator.open(Open(REAL, road_url, tills, members, SEED))
        self.generator.open(Open(BARE, bare.url(self.cluster), strangers, members, SEED))
        # everybody's first purchase, with its credit and its SMS, is behind us when we measure
        outcome = self._load(
            Step(REAL, OVERLOAD_PER_S, 0, WARM_IN_FLIGHT, SEED, mixed=False, count=members),
            "everybody buys once",
        )
        if outcome.completed + outcome.waiting < members * 0.8:
            raise RuntimeError(f"the road does not carry purchases: {outcome}")
        with reporting.show_step("first purchases' credits and messages are out"):
            self._drain()

    def measure(self) -> None:
        """All rounds, the two roads in turn."""
        for number in range(self.sizes.rounds):
            processes.stop(self.cluster, *reversed(plan.PROGRAMS))
            bare.start(self.cluster)
            self._measure_road(number, BARE)
            bare.stop(self.cluster)
            lifecycle.up(self.cluster.folder)
            self._measure_road(number, REAL)

    def _measure_road(self, number: int, world: str) -> None:
        seed = SEED + 100 * number
        self._load(Step(world, WARM_PER_S, WARM_S, IN_FLIGHT_MAX, seed), f"{world} warms up")
        idle = Step(world, self.sizes.idle_per_s, self.sizes.idle_s, IN_FLIGHT_MAX, seed + 1)
        self._step(number, Stage.IDLE, idle)
        for index, rate_per_s in enumerate(self.sizes.rates_per_s):
            step = Step(world, rate_per_s, self.sizes.rate_s, IN_FLIGHT_MAX, seed + 2 + index)
            if not kept_up(self._step(number, Stage.RATE, step)):
                break
        for in_flight in FLOODS:
            flood = Step(
                world, OVERLOAD_PER_S, self.sizes.saturation_s, in_flight, seed + in_flight
            )
            self._step(number, Stage.SATURATION, flood)

    def _step(self, number: int, stage: Stage, step: Step) -> Outcome:
        names = plan.PROGRAMS if step.world == REAL else words.PROCESSES
        before = meter.spent(self.cluster, names)
        text = f"{step.world} {stage.value}"
        if stage is Stage.RATE:
            text += f" {step.rate_per_s:.0f}/s"
        if stage is Stage.SATURATION:
            text += f" {step.in_flight_max}"
        outcome = self._load(step, text)
        load_average = os.getloadavg()[0]
        began = time.monotonic()
        if step.world == REAL:
            self._drain()
        spent = meter.between(before, meter.spent(self.cluster, names))
        self.steps.append(
            Measured(
                round=number,
                stage=stage,
                outcome=outcome,
                in_flight_max=step.in_flight_max,
                cpu_s=spent.by_process,
                database_cpu_s=spent.by_database,
                drained_s=max(0.0, time.monotonic() - began - driver.QUIET_S),
                load_average=load_average,
            )
        )
        console.print(_line(number, text, self.steps[-1]), highlight=False)
        return outcome

    def _load(self, step: Step, text: str) -> Outcome:
        total = step.count or int(step.rate_per_s * step.seconds)
        with show_bar(text, total) as tell:
            return self.generator.run(step, tell)

    def _drain(self) -> None:
        """Wait until every room has heard everything and the SMS lane is empty."""

        async def drain() -> None:
            await driver.drained(self.cluster, wait_s=DRAIN_S)
            await driver.until_none(lambda: _sms_waiting(self.cluster), wait_s=DRAIN_S)

        asyncio.run(drain())


async def _sms_waiting(cluster: plan.Cluster) -> int:
    """Messages that were not yet handed to the provider."""
    database = await connections.connect(cluster.servers.dsn("notify", "notify_owner"))
    try:
        return int(
            await database.fetchval(
                "select count(*) from messages where state in ('waiting', 'queued', 'sending')"
            )
        )
    finally:
        await database.close()


def _line(number: int, text: str, step: Measured) -> str:
    outcome = step.outcome
    line = (
        f"[dim]{number + 1}[/] {text:<20} {outcome.completed_per_s:>6.0f}/s"
        f"   p50 {outcome.p50_ms:>7.1f}  p95 {outcome.p95_ms:>7.1f}  p99 {outcome.p99_ms:>7.1f} ms"
        f"   [dim]load {step.load_average:.1f}[/]"
    )
    if outcome.waiting or outcome.failed:
        line += f"   [yellow]202: {outcome.waiting}, failed: {outcome.failed}[/]"
    return line


@contextmanager
def show_bar(text: str, total: int) -> abc.Generator[Callable[[int], None]]:
    """A progress bar that is gone when its work is done; what it gets is how far the work is."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(text, total=total)
        yield lambda done: bars.update(task, completed=done)
