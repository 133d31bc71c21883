"""The programs of a cluster by name: start, stop, kill, restart, and whether they are ready."""

import http.client
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial

import psutil

from cluster import children, kafka_server, logs, plan, postgres_server, readiness

START_WAIT_S = 120.0  # much of it only on a machine that others keep busy
STOP_WAIT_S = 15.0
STEP_S = 0.1
ANSWER_S = 2.0
LOG_TAIL_LINES = 20


class State(Enum):
    """What a process of the cluster does, as a person wants to read it."""

    READY = "ready"
    NOT_READY = "not ready"
    PAUSED = "paused"
    DEAD = "dead"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the cluster's table."""

    name: str
    state: State
    port: int
    pid: int | None
    memory_bytes: int | None


def start(cluster: plan.Cluster, name: str) -> None:
    """Start a program unless it runs; does not wait."""
    if children.find(cluster.folder, name) is None:
        logs.bound(cluster.folder)
        children.launch(plan.launch_of(cluster, name))


def stop(cluster: plan.Cluster, *names: str) -> None:
    """Ask programs to end, all at once, and wait; who does not end in time is killed."""
    candidates = [(name, children.find(cluster.folder, name)) for name in names]
    running = [process for _, process in candidates if process is not None]
    for process in running:
        children.ask(process, signal.SIGTERM)
    children.wait_gone(running, wait_s=STOP_WAIT_S)
    for process in running:
        if children.alive(process):
            children.kill(process)
    for name in names:
        children.forget(cluster.folder, name)


def running(cluster: plan.Cluster, name: str) -> psutil.Process:
    """The process of that name. Raises ProcessLookupError where none runs."""
    process = children.find(cluster.folder, name)
    if process is None:
        raise ProcessLookupError(f"{name} does not run")
    return process


def kill(cluster: plan.Cluster, name: str) -> None:
    """kill -9 of a program, as a crash would; start brings it back under its name."""
    children.kill(running(cluster, name))


def pause(cluster: plan.Cluster, name: str) -> None:
    """SIGSTOP: the program hangs, its connections stay open."""
    children.pause(running(cluster, name))


def resume(cluster: plan.Cluster, name: str) -> None:
    """SIGCONT after pause."""
    children.resume(running(cluster, name))


def restart(cluster: plan.Cluster, name: str) -> None:
    """Stop a program in good order, start it again and wait until it is ready."""
    stop(cluster, name)
    start(cluster, name)
    wait_ready(cluster, [name])


def wait_started(cluster: plan.Cluster, names: Sequence[str], *, by: str) -> None:
    """Return once another process has started these. Raises NotReady when it does not."""
    deadline = time.monotonic() + START_WAIT_S
    while missing := [name for name in names if children.find(cluster.folder, name) is None]:
        if time.monotonic() > deadline or children.find(cluster.folder, by) is None:
            raise readiness.NotReady(
                f"{by} did not start {', '.join(missing)}\n{log_tail(cluster, by)}\n"
                f"{last_words(cluster, missing)}"
            )
        time.sleep(STEP_S)


def wait_ready(
    cluster: plan.Cluster,
    names: Sequence[str],
    *,
    wait_s: float = START_WAIT_S,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Return once all the named programs are ready.

    tell hears the name of each as it becomes so. Raises readiness.NotReady, with the end of the
    log, when one dies or the time is over.
    """
    waiting = list(names)
    deadline = time.monotonic() + wait_s
    while waiting:
        for name in list(waiting):
            process = children.find(cluster.folder, name)
            if process is None:
                raise readiness.NotReady(last_words(cluster, [name]))
            if is_ready(cluster, name):
                waiting.remove(name)
                if tell is not None:
                    tell(name)
        if waiting and time.monotonic() > deadline:
            raise readiness.NotReady(
                f"not ready in {wait_s:.0f} s: {', '.join(waiting)}\n"
                f"{waiting[0]} says: {_own_words(cluster, waiting[0])}\n"
                f"{log_tail(cluster, waiting[0])}"
            )
        if waiting:
            time.sleep(STEP_S)


def is_ready(cluster: plan.Cluster, name: str) -> bool:
    """Whether a program says of itself that it is ready."""
    return get(cluster.inner_port(name), "/health/ready")[0] == http.client.OK


def _own_words(cluster: plan.Cluster, name: str) -> str:
    """What a program that is not ready says that it lacks."""
    status, body = get(cluster.inner_port(name), "/health/ready")
    return body.decode(errors="replace")[:500] if status else "nothing"


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET to a program of this machine; status 0 when none answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def look(cluster: plan.Cluster) -> list[Seen]:
    """The cluster's table: every process, servers first; all are asked at once."""
    names = (*plan.SERVERS, *plan.PROGRAMS)
    with ThreadPoolExecutor(max_workers=len(names)) as threads:
        return list(threads.map(partial(_look_at, cluster), names))


def ended(cluster: plan.Cluster) -> list[str]:
    """Programs that were started, not stopped, and do not run: each ended by itself or was killed.

    A stopped one is forgotten (see stop).
    """
    return [
        name
        for name in plan.PROGRAMS
        if children.is_written_down(cluster.folder, name)
        and children.find(cluster.folder, name) is None
    ]


def last_words(cluster: plan.Cluster, names: Sequence[str]) -> str:
    """The ends of these programs' logs, to be shown to a person."""
    return "\n".join(f"{name} ended:\n{log_tail(cluster, name)}" for name in names)


def log_tail(cluster: plan.Cluster, name: str) -> str:
    """The last lines that a process wrote."""
    path = cluster.log(name)
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def _look_at(cluster: plan.Cluster, name: str) -> Seen:
    port = _port(cluster, name)
    process = children.find(cluster.folder, name)
    if process is None:
        written = children.is_written_down(cluster.folder, name)
        return Seen(name, State.DEAD if written else State.STOPPED, port, None, None)
    try:
        with process.oneshot():
            paused = process.status() == psutil.STATUS_STOPPED
            memory_bytes = process.memory_info().rss
    except psutil.NoSuchProcess:
        return Seen(name, State.DEAD, port, None, None)
    working = State.READY if not paused and _ready(cluster, name) else State.NOT_READY
    return Seen(name, State.PAUSED if paused else working, port, process.pid, memory_bytes)


def _ready(cluster: plan.Cluster, name: str) -> bool:
    if name == kafka_server.NAME:
        return readiness.kafka_is_ready(cluster.servers.bootstrap, wait_s=ANSWER_S)
    if name == postgres_server.NAME:
        dsn = postgres_server.superuser_dsn(cluster.servers.postgres)
        return readiness.postgres_is_ready(dsn, wait_s=ANSWER_S)
    return is_ready(cluster, name)


def _port(cluster: plan.Cluster, name: str) -> int:
    if name == kafka_server.NAME:
        return cluster.servers.kafka.port
    if name == postgres_server.NAME:
        return cluster.servers.postgres.port
    return cluster.ports[name]
