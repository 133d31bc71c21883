"""Keeps a cluster running: what ended by itself is started again, later each time, and told of.

One process a cluster, started by `make up`, ended first by `make down`. What it started is its own
child, so that it can say how it ended; what ran before it is looked after all the same. It does
nothing while a command works on the cluster. It also bounds the logs while they are written.
"""

import argparse
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psutil

from cluster import children, kafka_server, lockfile, logs, paths, plan, postgres_server, processes

NAME: Final = "supervisor"
COMMAND: Final = (sys.executable, "-m", "cluster.supervisor")
LOOK_S: Final = 0.5
LOGS_S: Final = 5.0
WAIT_FIRST_S: Final = 1.0
WAIT_MAX_S: Final = 30.0
CALM_S: Final = 60.0  # alive for so long, and the next end counts as the first again
STOP_WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Care:
    """What is known of one process. restarts: since the cluster was started; how: its last end."""

    restarts: int = 0
    in_a_row: int = 0
    how: str = ""
    ended_at: str = ""


def start(cluster: plan.Cluster, names: Sequence[str], *, begin: Sequence[str]) -> None:
    """Have a supervisor look after these (and what it looked after before), with our settings.

    Whoever ran is replaced, so that what it starts is told what we are told. begin: what it starts
    at once, while we hold the cluster.
    """
    stop(cluster.folder)
    want(cluster.folder, [*expected(cluster.folder), *names])
    children.launch(
        children.Launch(
            folder=cluster.folder,
            name=NAME,
            command=(*COMMAND, "--folder", str(cluster.folder), "--begin", *begin),
            environment=plan.passed_on(),
            log=cluster.log(NAME),
            working_folder=paths.PROJECT,
        )
    )


def stop(folder: Path) -> bool:
    """End a cluster's supervisor, so that nothing is started any more; True when one ran."""
    process = children.find(folder, NAME)
    if process is not None:
        children.stop(process, sign=signal.SIGTERM, wait_s=STOP_WAIT_S)
    children.forget(folder, NAME)
    return process is not None


def forget(folder: Path) -> None:
    """A cluster that was stopped wants nothing, and its counts begin anew."""
    (folder / "expected.json").unlink(missing_ok=True)
    (folder / "restarts.json").unlink(missing_ok=True)


def expected(folder: Path) -> list[str]:
    """The processes that the cluster's supervisor looks after; none where it has none."""
    return list(_read(folder / "expected.json").get("names", ()))


def want(folder: Path, names: Sequence[str]) -> None:
    """Look after these and no others any more."""
    _write(folder / "expected.json", {"names": sorted(set(names))})


def cares(folder: Path) -> dict[str, Care]:
    """What became of each process that ended by itself."""
    return {name: Care(**fields) for name, fields in _read(folder / "restarts.json").items()}


def wait_s(in_a_row: int) -> float:
    """How long to wait before a process that ended so often in a row is started again."""
    return min(WAIT_MAX_S, WAIT_FIRST_S * 2 ** (min(in_a_row, 10) - 1))


class Supervisor:
    """The looking itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cares = cares(folder)
        self._due: dict[str, float] = {}  # when an ended one is started again
        self._since: dict[str, float] = {}  # since when it is seen alive
        self._known: dict[str, psutil.Process] = {}

    def look(self) -> None:
        """Look at every process once; whatever a command works on is left to it."""
        try:
            with lockfile.held(self._folder / "cluster.lock", wait_s=0):
                for name in expected(self._folder):
                    self._look_at(name)
        except lockfile.Locked:
            return

    def _look_at(self, name: str) -> None:
        process = children.find(self._folder, name)
        now = time.monotonic()
        if process is not None:
            self._known[name] = process
            if now - self._since.setdefault(name, now) > CALM_S and name in self._cares:
                self._keep(name, in_a_row=0)
            return
        self._since.pop(name, None)
        if name in self._known or children.is_written_down(self._folder, name):
            if name not in self._due:
                self._tell_end(name, now)
            if now < self._due[name]:
                return
        self.start(name)

    def _tell_end(self, name: str, now: float) -> None:
        gone = self._known.pop(name, None)
        how = children.how_it_ended(gone.pid) if gone is not None else children.UNKNOWN_END
        care = self._cares.get(name, Care())
        pause_s = wait_s(care.in_a_row + 1)
        self._due[name] = now + pause_s
        self._keep(
            name,
            restarts=care.restarts + 1,
            in_a_row=care.in_a_row + 1,
            how=how,
            ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        tell(
            "ERROR",
            f"ALARM: {name} ended: {how}; it is started again in {pause_s:.0f} s",
            process=name,
            pid=gone.pid if gone is not None else None,
            restarts=care.restarts + 1,
        )

    def start(self, name: str) -> None:
        """Start a process now."""
        self._due.pop(name, None)
        cluster = plan.cluster_of(self._folder)
        try:
            if name == kafka_server.NAME:
                cluster.servers.launch_kafka()
            elif name == postgres_server.NAME:
                cluster.servers.launch_postgres()
            else:
                processes.start(cluster, name)
        except (OSError, lockfile.Locked) as trouble:
            self._due[name] = time.monotonic() + WAIT_MAX_S
            tell("ERROR", f"ALARM: {name} cannot be started: {trouble}", process=name)
            return
        started = children.find(self._folder, name)
        if started is not None:
            self._known[name] = started
        tell("INFO", f"{name} is started", process=name, pid=started.pid if started else None)

    def _keep(self, name: str, **changed: Any) -> None:
        care = Care(**(asdict(self._cares.get(name, Care())) | changed))
        if self._cares.get(name) != care:
            self._cares[name] = care
            _write(
                self._folder / "restarts.json",
                {other: asdict(kept) for other, kept in self._cares.items()},
            )


def tell(level: str, message: str, **more: object) -> None:
    """One line of the supervisor's log, as the rooms write theirs."""
    at = datetime.now(UTC).isoformat()
    line = {"at": at, "level": level, "room": NAME, "message": message, **more}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main(arguments: Sequence[str]) -> int:
    """Look after a cluster until asked to end."""
    parser = argparse.ArgumentParser(prog="python -m cluster.supervisor", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--begin", nargs="*", default=[])
    options = parser.parse_args(arguments)
    folder: Path = options.folder.resolve()
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, end)
    supervisor, logs_at = Supervisor(folder), 0.0
    tell("INFO", f"looking after {', '.join(expected(folder))}")
    for name in options.begin:
        _unbroken(lambda one=name: supervisor.start(one))
    while not ended.wait(LOOK_S):
        _unbroken(supervisor.look)
        if time.monotonic() - logs_at > LOGS_S:
            logs_at = time.monotonic()
            _unbroken(lambda: logs.bound(folder))
    tell("INFO", "ended; what runs goes on, and nothing comes back by itself any more")
    return 0


def _unbroken(step: Callable[[], object]) -> None:
    """Do one step; what breaks it is told, and the looking goes on: nobody looks after us."""
    try:
        step()
    except Exception as trouble:  # noqa: BLE001 - a full disk, a file that went away meanwhile
        with contextlib.suppress(OSError):  # there the disk that is full is the log's too
            tell("ERROR", f"ALARM: a look at the cluster broke: {trouble!r}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(content, indent=1) + "\n")
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
