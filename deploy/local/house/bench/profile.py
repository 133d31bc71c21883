"""One room under cProfile while the road is flooded; where its time goes."""

import pstats
from pathlib import Path
from typing import Final

from house import children, plan, processes
from house.bench.control import Generator
from house.bench.figures import REAL
from house.bench.load import Step
from house.bench.run import IN_FLIGHT_MAX, OVERLOAD_PER_S, SEED, Bench, Plan, console

PROFILED: Final = Plan(members=5_000)
SECONDS: Final = 15.0
LINES: Final = 60


def run(home: plan.House, room: str, folder: Path) -> int:
    """Open a small town, flood the road with the room profiled, print its top costs."""
    path = folder / f"{room}.profile"
    with Generator.start(home) as generator:
        bench = Bench(home, PROFILED, generator)
        bench.open()
        processes.stop(home, room)
        ordinary = plan.launch_of(home, room)
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
        processes.wait_ready(home, [room])
        outcome = generator.run(Step(REAL, OVERLOAD_PER_S, SECONDS, IN_FLIGHT_MAX, SEED))
        processes.stop(home, room)
    console.print(f"{outcome.completed} transactions, {outcome.completed_per_s:.0f}/s")
    stats = pstats.Stats(str(path))
    stats.sort_stats("tottime").print_stats(LINES)
    stats.sort_stats("cumtime").print_stats(LINES)
    return 0
