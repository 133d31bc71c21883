"""What a run took: time a batch, CPU of client and server, bytes of tables and indexes."""

import gc
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec
import psutil

from .place import Place
from .workloads import Command, slices

SLICE: Final = 10_000  # commands prepared at a time, between two halts of the clock
SMALL: Final = 10  # batches below it take so long that a slice is shorter
MILLION: Final = 1_000_000
T = TypeVar("T")


class Side(Protocol):
    """What is measured: the ledger or the yardstick."""

    name: str
    backend: int

    def prepare(self, commands: Sequence[Any]) -> Any:
        """A batch, made before the clock starts."""
        ...

    async def post(self, batch: Any) -> None:
        """Post it."""
        ...


@dataclass(slots=True)
class Run:
    """One run of one side. took_s: of each batch. cpu_s: by who spent it while the clock ran."""

    side: str
    batch: int
    drawn: int = 0  # commands posted in all, those of the warm-up too
    commands: int = 0
    took_s: list[float] = field(default_factory=list[float])
    prepare_s: float = 0.0
    client_cpu_s: float = 0.0
    backend_cpu_s: float = 0.0
    server_cpu_s: float = 0.0  # of all the server's other processes

    @property
    def per_s(self) -> float:
        """Commands a second of posting."""
        return self.commands / sum(self.took_s)

    def as_row(self) -> dict[str, Any]:
        """For the report."""
        million = MILLION / max(1, self.commands)
        return {
            "side": self.side,
            "batch": self.batch,
            "commands": self.commands,
            "per_s": round(self.per_s),
            "p50_ms": round(percentile(self.took_s, 50) * 1e3, 2),
            "p99_ms": round(percentile(self.took_s, 99) * 1e3, 2),
            "generator_us": round(self.prepare_s * million, 1),
            "client_cpu_s_per_million": round(self.client_cpu_s * million, 1),
            "backend_cpu_s_per_million": round(self.backend_cpu_s * million, 1),
            "server_cpu_s_per_million": round(self.server_cpu_s * million, 1),
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """The middle value; 0 of none."""
    return statistics.median(values) if values else 0.0


def source(path: Path, batch: int, *, length: int = SLICE) -> Iterator[list[Command]]:
    """Slices of a command file for measure; several measures may draw on one."""
    return slices(path, length if batch >= SMALL else min(length, SLICE // 10))


async def nothing(commands: Sequence[Command]) -> None:
    """Between slices nothing happens."""


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is measured: batch size, commands before the clock starts, seconds at most."""

    batch: int
    warm_up: int = 0
    seconds: float = 0.0  # 0: to the end of the commands
    after_slice: Callable[[Sequence[Command]], Awaitable[None]] = nothing


async def measure(place: Place, side: Side, drawn: Iterator[list[Command]], how: How) -> Run:
    """Post slices of commands in batches.

    A slice is read and prepared while the clock stands: the generator's cost is kept apart. What
    is prepared is frozen, so that the collector does not look through it.
    """
    batch = how.batch
    run = Run(side.name, batch)
    server = Server.of(place, side.backend)
    for commands in drawn:
        started = time.perf_counter()
        prepared = [side.prepare(commands[n : n + batch]) for n in range(0, len(commands), batch)]
        prepare_s = time.perf_counter() - started
        gc.collect()
        gc.freeze()
        warm = run.drawn >= how.warm_up
        run.drawn += len(commands)
        before, cpu = server.spent(), time.process_time()
        took = [await _timed(side, one) for one in prepared]
        after, cpu = server.spent(), time.process_time() - cpu
        await how.after_slice(commands)
        if not warm:
            continue
        run.commands += len(commands)
        run.took_s += took
        run.prepare_s += prepare_s
        run.client_cpu_s += cpu
        run.backend_cpu_s += after[0] - before[0]
        run.server_cpu_s += after[1] - before[1]
        if how.seconds and sum(run.took_s) > how.seconds:
            break
    return run


async def _timed(side: Side, batch: Any) -> float:
    started = time.perf_counter()
    await side.post(batch)
    return time.perf_counter() - started


async def timed(work: Awaitable[T]) -> tuple[T, float]:
    """What comes of a piece of work, and its seconds."""
    started = time.perf_counter()
    done = await work
    return done, time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Server:
    """The server's processes: the one that works for us, and all others."""

    backend: psutil.Process
    others: Sequence[psutil.Process]

    @classmethod
    def of(cls, place: Place, backend: int) -> "Server":
        """As they are now."""
        postmaster = place.postmaster
        children = postmaster.children(recursive=True)
        return cls(psutil.Process(backend), [c for c in children if c.pid != backend])

    def spent(self) -> tuple[float, float]:
        """CPU seconds so far of our backend, and of the others that still live."""
        return _seconds(self.backend), sum(_seconds(process) for process in self.others)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


class Bytes(msgspec.Struct, frozen=True):
    """Bytes of tables (with TOAST) and of indexes; partitions count as their parent."""

    tables: dict[str, int]
    indexes: dict[str, int]

    @property
    def total(self) -> int:
        """All together."""
        return sum(self.tables.values()) + sum(self.indexes.values())


async def bytes_of(place: Place, database: str, *, checkpoint: bool = False) -> Bytes:
    """What is in a database."""
    async with place.superuser(database) as connection:
        if checkpoint:
            await connection.execute("checkpoint")
        tables = await connection.fetch(_TABLES)
        indexes = await connection.fetch(_INDEXES)
    return Bytes(
        {row["name"]: int(row["bytes"]) for row in tables},
        {row["name"]: int(row["bytes"]) for row in indexes},
    )


def grown(before: Bytes, after: Bytes, commands: int) -> dict[str, Any]:
    """Bytes a command, in all and by table and index, what grew most first.

    Outbox rows are gone within milliseconds and their space is used again after the next vacuum:
    what their file had grown to is told apart.
    """
    tables = {n: (size - before.tables.get(n, 0)) / commands for n, size in after.tables.items()}
    indexes = {n: (size - before.indexes.get(n, 0)) / commands for n, size in after.indexes.items()}
    lasting = {n: size for n, size in tables.items() if not n.startswith(_PASSING)}
    on_them: dict[str, float] = defaultdict(float)
    for name, size in indexes.items():
        if not name.startswith(_PASSING):
            on_them[_named(name)] += size
    passing = sum(tables.values()) + sum(indexes.values())
    total = sum(lasting.values()) + sum(on_them.values())
    return {
        "per_command": round(total),
        "tables": _largest(lasting),
        "indexes": _largest(on_them),
        "outbox_until_vacuum": round(passing - total),
    }


def _largest(sizes: dict[str, float]) -> dict[str, float]:
    rows = sorted(sizes.items(), key=lambda row: -row[1])
    return {name: round(size, 1) for name, size in rows if round(size, 1)}


def _named(index: str) -> str:
    """An index without the numbers of its partition: shard and range."""
    return re.sub(r"_\d+_\d+_", "_", index)


_PASSING: Final = "outbox_"


_TABLES: Final = """
select coalesce(p.relname, c.relname) as name, sum(pg_table_size(c.oid))::bigint as bytes
from pg_class c left join pg_inherits i on i.inhrelid = c.oid
    left join pg_class p on p.oid = i.inhparent
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
group by 1
"""
_INDEXES: Final = """
select coalesce(p.relname, x.relname) as name, sum(pg_relation_size(x.oid))::bigint as bytes
from pg_index n join pg_class x on x.oid = n.indexrelid
    left join pg_inherits i on i.inhrelid = x.oid left join pg_class p on p.oid = i.inhparent
where x.relkind = 'i' and x.relnamespace = 'public'::regnamespace
group by 1
"""
