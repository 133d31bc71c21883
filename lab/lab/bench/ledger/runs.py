"""One run of one side: time a batch, CPU of client and server."""

import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from lab.bench.ledger.place import Place
from lab.bench.ledger.workloads import Command, slices
from lab.bench.meter import Server, quantile

SLICE: Final = 10_000  # commands prepared at a time, between two halts of the clock
SMALL: Final = 10  # batches below it take so long that a slice is shorter
MILLION: Final = 1_000_000


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
            "p50_ms": round(quantile(sorted(self.took_s), 0.5) * 1e3, 2),
            "p99_ms": round(quantile(sorted(self.took_s), 0.99) * 1e3, 2),
            "generator_us": round(self.prepare_s * million, 1),
            "client_cpu_s_per_million": round(self.client_cpu_s * million, 1),
            "backend_cpu_s_per_million": round(self.backend_cpu_s * million, 1),
            "server_cpu_s_per_million": round(self.server_cpu_s * million, 1),
        }


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
    server = Server.of(place.postmaster, side.backend)
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
