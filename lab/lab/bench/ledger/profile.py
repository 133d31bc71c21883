"""Where the time of a command goes: each statement's time and server CPU, the client by group."""

import cProfile
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit.base.db import Tx
from lab.bench.ledger.ours import Ours
from lab.bench.ledger.place import Place
from lab.bench.ledger.runs import How, Run, measure
from lab.bench.ledger.workloads import Command

_NANO: Final = 1e-9


def _caller() -> Any:
    """The frame that awaits the Tx's method which asks."""
    return sys._getframe(2)  # pyright: ignore[reportPrivateUsage]


@dataclass(slots=True)
class Statement:
    """One statement of the posting transaction. cpu_s: of the server's process."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(slots=True)
class Watch:
    """Statements by the function that made them."""

    backend: int
    seen: dict[str, Statement] = field(default_factory=lambda: defaultdict(Statement))

    def on(self, tx: Tx) -> "WatchedTx":
        """The same transaction, with its statements timed."""
        return WatchedTx(tx, self)

    def cpu_s(self) -> float:
        """What the server's process has spent, to the nanosecond (Linux)."""
        return int(Path(f"/proc/{self.backend}/schedstat").read_text().split()[0]) * _NANO


class WatchedTx:
    """Stands before a Tx and times each statement."""

    __slots__ = ("_tx", "_watch")

    def __init__(self, tx: Tx, watch: Watch) -> None:
        self._tx = tx
        self._watch = watch

    @property
    def messages(self) -> list[Any]:
        """As of the Tx."""
        return self._tx.messages

    def take_messages(self) -> list[Any]:
        """As of the Tx."""
        return self._tx.take_messages()

    async def fetch(self, sql: str, *args: Any) -> Any:
        """As of the Tx."""
        return await self._timed(_caller(), self._tx.fetch, sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        """As of the Tx."""
        return await self._timed(_caller(), self._tx.fetchrow, sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """As of the Tx."""
        return await self._timed(_caller(), self._tx.fetchval, sql, *args)

    async def execute(self, sql: str, *args: Any) -> Any:
        """As of the Tx."""
        return await self._timed(_caller(), self._tx.execute, sql, *args)

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Any]) -> None:
        """As of the Tx."""
        name = f"copy {table}"
        await self._timed(name, self._tx.copy, table, columns, records)

    async def _timed(self, caller: Any, call: Any, *args: Any) -> Any:
        name = caller
        if not isinstance(caller, str):
            module = caller.f_globals["__name__"].rpartition(".")[2]
            name = f"{module}.{caller.f_code.co_name}"
        cpu, started = self._watch.cpu_s(), time.perf_counter()
        try:
            return await call(*args)
        finally:
            statement = self._watch.seen[name]
            statement.wall_s += time.perf_counter() - started
            statement.cpu_s += self._watch.cpu_s() - cpu
            statement.calls += 1


class Steps:
    """Begin and commit of each transaction, as statements."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._step = ""
        self._since = (0.0, 0.0)

    def tell(self, step: str) -> None:
        """A step begins, the one before it ends."""
        now = (time.perf_counter(), self._watch.cpu_s())
        if self._step in ("begin", "commit"):
            statement = self._watch.seen[self._step]
            statement.calls += 1
            statement.wall_s += now[0] - self._since[0]
            statement.cpu_s += now[1] - self._since[1]
        self._step, self._since = step, now


@dataclass(frozen=True, slots=True)
class Profile:
    """plain: unwatched; watched: with statements timed; calls: the client under cProfile."""

    plain: Run
    watched: Run
    statements: dict[str, Statement]
    profiled: Run
    calls: cProfile.Profile


async def take(
    place: Place,
    ours: Ours,
    parts: Sequence[Iterator[list[Command]]],
    batch: int,
    *,
    seconds: float,
) -> Profile:
    """Three runs one after another on one database: plain, statements timed, cProfile.

    parts: the commands of each. seconds: of each at most.
    """
    how = How(batch=batch, seconds=seconds)
    plain = await measure(place, ours, parts[0], how)
    watch = Watch(ours.backend)
    ours.watch, ours.tell = watch.on, Steps(watch).tell
    watched = await measure(place, ours, parts[1], how)
    ours.watch, ours.tell = lambda tx: tx, lambda step: None
    calls = cProfile.Profile(time.process_time)  # CPU: others may keep the cores busy
    ours.tell = lambda step: calls.disable() if step == "end" else None
    begin = ours.post

    async def posted(events: Any) -> None:
        calls.enable()
        await begin(events)

    seen = _Seen(ours, posted)
    profiled = await measure(place, seen, parts[2], how)
    ours.tell = lambda step: None
    return Profile(plain, watched, dict(watch.seen), profiled, calls)


class _Seen:
    """The ledger under cProfile while a batch is posted, and only then."""

    def __init__(self, ours: Ours, post: Any) -> None:
        self.name, self.backend = ours.name, ours.backend
        self.prepare, self.post = ours.prepare, post


# ------------------------------------------------------------------------------- the client's side

LOG: Final = "log: leaves, tree, chunks"
# of a file's path -> group; the first that fits
GROUPS: Final = (
    ("ledger/log/", LOG),
    ("posting/decide/", "decide"),
    ("ledger/book/", "book"),
    ("posting/domain/", "book"),
    ("posting/read/", "read"),
    ("posting/write/", "write"),
    ("posting/usecases", "usecases"),
    ("posting/store/", "store: columns of statements"),
    ("ledger/tables/", "store: columns of statements"),
    ("contracts/", "contracts: encode, decode"),
    ("kit/kit/stream/outbox.py", "kit: outbox and numbers"),
    ("kit/kit/stream/streams.py", "kit: offsets and streams"),
    ("kit/kit/base/telemetry.py", "kit: telemetry"),
    ("kit/kit/", "kit: database"),
    ("lab/lab/bench/", "bench"),
    ("asyncpg", "asyncpg"),
    ("asyncio", "event loop"),
)


def groups(calls: cProfile.Profile) -> dict[str, float]:
    """Seconds of the client's own work by group; a built-in's are its callers'."""
    stats: Any = pstats.Stats(calls)
    by_group: dict[str, float] = defaultdict(float)
    for (path, _, _), (_, _, own, _, callers) in stats.stats.items():
        if path != "~" and not path.startswith("<"):
            by_group[_group(path)] += own
            continue
        attributed = sum(row[2] for row in callers.values())
        for (caller, _, _), row in callers.items():
            by_group[_group(caller)] += row[2]
        by_group["event loop"] += max(0.0, own - attributed)
    return dict(by_group)


def _group(path: str) -> str:
    for part, name in GROUPS:
        if part in path:
            return name
    return "library"


# ------------------------------------------------------------------------------------------ report


def as_rows(taken: Profile) -> dict[str, Any]:
    """The profile in microseconds a command."""
    plain, watched = taken.plain, taken.watched
    micro = 1e6 / max(1, watched.commands)
    batches = max(1, len(watched.took_s))
    own = groups(taken.calls)
    # cProfile weighs on what has many calls: its seconds are scaled to the unwatched client's
    scale = plain.client_cpu_s / max(1e-9, sum(own.values())) * 1e6 / max(1, plain.commands)
    return {
        "batch": plain.batch,
        "per_s": round(plain.per_s),
        "us": round(1e6 / plain.per_s, 1),
        "client_us": round(plain.client_cpu_s / plain.commands * 1e6, 1),
        "backend_us": round(plain.backend_cpu_s / plain.commands * 1e6, 1),
        "server_us": round(plain.server_cpu_s / plain.commands * 1e6, 1),
        "statements": [
            {
                "statement": name,
                "calls_a_batch": round(one.calls / batches, 2),
                "us": round(one.wall_s * micro, 2),
                "backend_us": round(one.cpu_s * micro, 2),
            }
            for name, one in sorted(taken.statements.items(), key=lambda row: -row[1].wall_s)
        ],
        "outside_statements_us": round(
            (sum(watched.took_s) - sum(one.wall_s for one in taken.statements.values())) * micro, 2
        ),
        "client": [
            {"group": name, "us": round(seconds * scale, 2)}
            for name, seconds in sorted(own.items(), key=lambda row: -row[1])
        ],
        "functions": _functions(taken.calls, scale, taken.profiled.commands),
    }


def _functions(calls: cProfile.Profile, scale: float, commands: int) -> list[dict[str, Any]]:
    stats: Any = pstats.Stats(calls)
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])[:30]
    return [
        {
            "function": f"{'/'.join(Path(path).parts[-2:])}:{line} {name}",
            "calls": round(row[1] / commands, 3),
            "us": round(row[2] * scale, 2),
        }
        for (path, line, name), row in rows
    ]
