"""What is measured, for both benches: time, CPU of processes, and the middle of many values.

PostgreSQL's CPU is told by the database it works for, or as one backend and all others.
"""

import math
import re
import statistics
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import psutil

from cluster import children, kafka_server, plan, postgres_server

KAFKA: Final = kafka_server.NAME
POSTGRES: Final = postgres_server.NAME
_BACKEND: Final = re.compile(r"^postgres: [a-z_]+ (?P<database>[a-z]+) (\[local\]|[0-9.:a-f]+\()")
T = TypeVar("T")


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle; 0 of none."""
    return statistics.median(values) if values else 0.0


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that share of the values do not exceed; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


async def timed(awaitable: Awaitable[T]) -> tuple[T, float]:
    """What comes of a piece of work, and its seconds."""
    started = time.perf_counter()
    result = await awaitable
    return result, time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds so far, by process; of PostgreSQL also by database ("" its own work)."""

    by_process: Mapping[str, float]
    by_database: Mapping[str, float] = field(default_factory=dict[str, float])


def spent(cluster: plan.Cluster, names: Sequence[str]) -> Spent:
    """What the named processes of a cluster, and both servers, have spent."""
    processes = {name: children.find(cluster.folder, name) for name in (KAFKA, *names)}
    by_process = {
        name: _seconds(process) for name, process in processes.items() if process is not None
    }
    server = children.find(cluster.folder, POSTGRES)
    by_database: dict[str, float] = {}
    if server is not None:
        by_database = _backends(server)
        by_process[POSTGRES] = sum(by_database.values())
    return Spent(by_process, by_database)


def between(before: Spent, after: Spent) -> Spent:
    """What was spent between two looks; a process that was not there before counts from 0."""
    return Spent(
        _less(after.by_process, before.by_process), _less(after.by_database, before.by_database)
    )


def database_of(title: str) -> str:
    """The database a PostgreSQL process works for, by its title; "" for the server's own work."""
    match = _BACKEND.match(title)
    return match["database"] if match is not None else ""


def _less(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: max(0.0, value - before.get(name, 0.0)) for name, value in after.items()}


def _backends(server: psutil.Process) -> dict[str, float]:
    """Seconds by database. Sessions that ended since are in the server's own."""
    try:
        times = server.cpu_times()
        own = times.user + times.system + times.children_user + times.children_system
        sessions = server.children(recursive=True)
    except psutil.NoSuchProcess:
        return {}
    seconds: dict[str, float] = {"": float(own)}
    for session in sessions:
        try:
            database = database_of(" ".join(session.cmdline()))
        except psutil.NoSuchProcess:
            continue
        seconds[database] = seconds.get(database, 0.0) + _seconds(session)
    return seconds


@dataclass(frozen=True, slots=True)
class Server:
    """The server's processes: the one that works for us, and all others."""

    backend: psutil.Process
    others: Sequence[psutil.Process]

    @classmethod
    def of(cls, postmaster: psutil.Process, backend: int) -> "Server":
        """As they are now."""
        started = postmaster.children(recursive=True)
        return cls(psutil.Process(backend), [c for c in started if c.pid != backend])

    def spent(self) -> tuple[float, float]:
        """CPU seconds so far of our backend, and of the others that still live."""
        return _seconds(self.backend), sum(_seconds(process) for process in self.others)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
