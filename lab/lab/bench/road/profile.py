"""One room under cProfile while the road is flooded; where its time goes."""

import pstats
from pathlib import Path
from typing import Final

from cluster import children, plan, processes
from lab.bench.report import console
from lab.bench.road.control import Generator
from lab.bench.road.figures import REAL
from lab.bench.road.load import Step
from lab.bench.road.run import IN_FLIGHT_MAX, OVERLOAD_PER_S, SEED, Bench, Plan

PROFILED: Final = Plan(members=5_000)
SECONDS: Final = 15.0
LINES: Final = 60


def run(cluster: plan.Cluster, room: str, folder: Path) -> int:
    """Open a small network, flood the road with the room profiled, print its top costs."""
    path = folder / f"{room}.profile"
    with Generator.start(cluster) as generator:
        bench = Bench(cluster, PROFILED, generator)
        bench.open()
        processes.stop(cluster, room)
        ordinary = plan.launch_of(cluster, room)
        python, *rest = ordinary.command
        children.launch(
            children.Launch(
                folder=ordinary.folder,
                name=ordinary.name,
                command=(python, "-m", "cProfile", "-o", str(path), *rest),
                environment=ordinary.environment,
                log=ordinary.log,
                working_folder=ordinary.working_folder,
            )
        )
        processes.wait_ready(cluster, [room])
        outcome = generator.run(Step(REAL, OVERLOAD_PER_S, SECONDS, IN_FLIGHT_MAX, SEED))
        processes.stop(cluster, room)
    console.print(f"{outcome.completed} transactions, {outcome.completed_per_s:.0f}/s")
    stats = pstats.Stats(str(path))
    stats.sort_stats("tottime").print_stats(LINES)
    stats.sort_stats("cumtime").print_stats(LINES)
    return 0
