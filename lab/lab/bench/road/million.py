"""The gateway with a whole membership: start, memory, and its tables built from nothing."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any, Final

import psutil

from cluster import children, plan, processes, readiness, reporting
from lab.bench.road import opening
from lab.bench.road.control import Generator
from lab.bench.road.load import Open, Outcome, Step
from lab.bench.road.run import IN_FLIGHT_MAX, OVERLOAD_PER_S, SEED, show_bar

WARM_START_MAX_S: Final = 10.0
ANONYMOUS_MAX_BYTES: Final = 100 * 2**20
LOOK_UPS: Final = 1_000_000
CHECKED: Final = 2_000
BUILD_WAIT_S: Final = 1_800.0
WORLD: Final = "look-ups"
POLL_S: Final = 0.05


def measure(cluster: plan.Cluster, members: int) -> dict[str, Any]:
    """Import members, then measure the gateway alone; the figures."""
    empty_bytes = anonymous_bytes(_gateway(cluster))
    with reporting.show_step("merchants, tills, programmes and rules"):
        tills = asyncio.run(opening.open_town(cluster, first_terminal=opening.FIRST_TERMINAL * 2))
    began = time.monotonic()
    with show_bar(f"{members:,} members are imported", members) as tell:
        asyncio.run(opening.enrol(cluster, members, tick=tell))
    imported_s = time.monotonic() - began
    with Generator.start(cluster) as generator:
        generator.open(Open(WORLD, cluster.url(plan.GATEWAY), tills, members, SEED))
        with reporting.show_step("the gateway starts on full tables"):
            _look_up(generator, CHECKED, until_found=True)
            warm_s, _ = _restart(cluster, wipe=False)
        outcome = _look_up(generator, min(LOOK_UPS, members))
        full_bytes = anonymous_bytes(_gateway(cluster))
        with reporting.show_step("the gateway builds its tables from nothing"):
            empty_s, refused = _restart(cluster, wipe=True)
        checked = _look_up(generator, CHECKED)
    return {
        "members": members,
        "imported_s": round(imported_s, 1),
        "warm_start_s": round(warm_s, 2),
        "warm_start_in_bounds": warm_s <= WARM_START_MAX_S,
        "look_ups": outcome.completed,
        "look_ups_per_s": round(outcome.completed_per_s),
        "look_ups_failed": outcome.failed | checked.failed,
        "anonymous_empty_bytes": empty_bytes,
        "anonymous_full_bytes": full_bytes,
        "anonymous_in_bounds": full_bytes - empty_bytes <= ANONYMOUS_MAX_BYTES,
        "from_empty_s": round(empty_s, 1),
        "unready_until_caught_up": refused > 0 and checked.completed == CHECKED,
    }


def anonymous_bytes(process: psutil.Process) -> int:
    """Memory of a process that no file backs; where the system does not say, its unique set."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_full_info().uss)


def _gateway(cluster: plan.Cluster) -> psutil.Process:
    process = children.find(cluster.folder, plan.GATEWAY)
    if process is None:
        raise readiness.NotReady("the gateway does not run")
    return process


def _restart(cluster: plan.Cluster, *, wipe: bool) -> tuple[float, int]:
    """Stop and start the gateway; seconds until ready, and how often it said that it was not."""
    processes.stop(cluster, plan.GATEWAY)
    if wipe:
        shutil.rmtree(cluster.folder / "gateway-tables")
    began, refused = time.monotonic(), 0
    processes.start(cluster, plan.GATEWAY)
    while True:
        status, _ = processes.get(cluster.inner_port(plan.GATEWAY), "/health/ready")
        if status == 200:
            return time.monotonic() - began, refused
        refused += status == 503
        if time.monotonic() - began > BUILD_WAIT_S:
            raise readiness.NotReady(processes.log_tail(cluster, plan.GATEWAY))
        time.sleep(POLL_S)


def _look_up(generator: Generator, count: int, *, until_found: bool = False) -> Outcome:
    """Look up random members, by requests that are refused right after: nothing is posted.

    until_found: again until the tables know everybody that was asked for.
    """
    step = Step(
        world=WORLD,
        rate_per_s=OVERLOAD_PER_S,
        seconds=0,
        in_flight_max=IN_FLIGHT_MAX,
        seed=SEED,
        count=count,
        look_ups=True,
    )
    deadline = time.monotonic() + BUILD_WAIT_S
    while True:
        with show_bar(f"{count:,} look-ups", count) as tell:
            outcome = generator.run(step, tell)
        if not until_found or not outcome.failed or time.monotonic() > deadline:
            return outcome
