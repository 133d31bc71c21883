"""The programs of a house by name: start, stop, kill, restart, and whether they are ready."""

import http.client
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial

import psutil

from house import children, kafka_server, logs, plan, postgres_server, readiness

START_WAIT_S = 120.0  # much of it only on a machine that others keep busy
STOP_WAIT_S = 15.0
STEP_S = 0.1
ANSWER_S = 2.0
LOG_TAIL_LINES = 20


class State(Enum):
    """What a process of the house does, as a person wants to read it."""

    READY = "ready"
    NOT_READY = "not ready"
    PAUSED = "paused"
    DEAD = "dead"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the house's table."""

    name: str
    state: State
    port: int
    pid: int | None
    memory_bytes: int | None


def start(home: plan.House, name: str) -> None:
    """Start a program unless it runs; does not wait."""
    if children.find(home.folder, name) is None:
        logs.bound(home.folder)
        children.launch(plan.launch_of(home, name))


def stop(home: plan.House, *names: str) -> None:
    """Ask programs to end, all at once, and wait; who does not end in time is killed."""
    found = [(name, children.find(home.folder, name)) for name in names]
    running = [process for _, process in found if process is not None]
    for process in running:
        children.ask(process, signal.SIGTERM)
    children.wait_gone(running, wait_s=STOP_WAIT_S)
    for process in running:
        if children.alive(process):
            children.kill(process)
    for name in names:
        children.forget(home.folder, name)


def running(home: plan.House, name: str) -> psutil.Process:
    """The process of that name. Raises ProcessLookupError where none runs."""
    process = children.find(home.folder, name)
    if process is None:
        raise ProcessLookupError(f"{name} does not run")
    return process


def kill(home: plan.House, name: str) -> None:
    """kill -9 of a program, as a crash would; start brings it back under its name."""
    children.kill(running(home, name))


def pause(home: plan.House, name: str) -> None:
    """SIGSTOP: the program hangs, its connections stay open."""
    children.pause(running(home, name))


def resume(home: plan.House, name: str) -> None:
    """SIGCONT after pause."""
    children.resume(running(home, name))


def restart(home: plan.House, name: str) -> None:
    """Stop a program in good order, start it again and wait until it is ready."""
    stop(home, name)
    start(home, name)
    wait_ready(home, [name])


def wait_started(home: plan.House, names: Sequence[str], *, by: str) -> None:
    """Return once another process has started these. Raises NotReady when it does not."""
    deadline = time.monotonic() + START_WAIT_S
    while missing := [name for name in names if children.find(home.folder, name) is None]:
        if time.monotonic() > deadline or children.find(home.folder, by) is None:
            raise readiness.NotReady(
                f"{by} did not start {', '.join(missing)}\n{log_tail(home, by)}\n"
                f"{last_words(home, missing)}"
            )
        time.sleep(STEP_S)


def wait_ready(
    home: plan.House,
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
            process = children.find(home.folder, name)
            if process is None:
                raise readiness.NotReady(last_words(home, [name]))
            if is_ready(home, name):
                waiting.remove(name)
                if tell is not None:
                    tell(name)
        if waiting and time.monotonic() > deadline:
            raise readiness.NotReady(
                f"not ready in {wait_s:.0f} s: {', '.join(waiting)}\n"
                f"{waiting[0]} says: {_own_words(home, waiting[0])}\n{log_tail(home, waiting[0])}"
            )
        if waiting:
            time.sleep(STEP_S)


def is_ready(home: plan.House, name: str) -> bool:
    """Whether a program says of itself that it is ready."""
    return get(home.inner_port(name), "/health/ready")[0] == http.client.OK


def _own_words(home: plan.House, name: str) -> str:
    """What a program that is not ready says that it lacks."""
    status, body = get(home.inner_port(name), "/health/ready")
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


def look(home: plan.House) -> list[Seen]:
    """The house's table: every process, servers first; all are asked at once."""
    names = (*plan.SERVERS, *plan.PROGRAMS)
    with ThreadPoolExecutor(max_workers=len(names)) as threads:
        return list(threads.map(partial(_look_at, home), names))


def ended(home: plan.House) -> list[str]:
    """Programs that were started, not stopped, and do not run: each ended by itself or was killed.

    A stopped one is forgotten (see stop).
    """
    return [
        name
        for name in plan.PROGRAMS
        if children.is_written_down(home.folder, name) and children.find(home.folder, name) is None
    ]


def last_words(home: plan.House, names: Sequence[str]) -> str:
    """The ends of these programs' logs, to be shown to a person."""
    return "\n".join(f"{name} ended:\n{log_tail(home, name)}" for name in names)


def log_tail(home: plan.House, name: str) -> str:
    """The last lines that a process wrote."""
    path = home.log(name)
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def _look_at(home: plan.House, name: str) -> Seen:
    port = _port(home, name)
    process = children.find(home.folder, name)
    if process is None:
        written = children.is_written_down(home.folder, name)
        return Seen(name, State.DEAD if written else State.STOPPED, port, None, None)
    try:
        with process.oneshot():
            paused = process.status() == psutil.STATUS_STOPPED
            memory_bytes = process.memory_info().rss
    except psutil.NoSuchProcess:
        return Seen(name, State.DEAD, port, None, None)
    working = State.READY if not paused and _ready(home, name) else State.NOT_READY
    return Seen(name, State.PAUSED if paused else working, port, process.pid, memory_bytes)


def _ready(home: plan.House, name: str) -> bool:
    if name == kafka_server.NAME:
        return readiness.kafka_is_ready(home.servers.bootstrap, wait_s=ANSWER_S)
    if name == postgres_server.NAME:
        dsn = postgres_server.superuser_dsn(home.servers.postgres)
        return readiness.postgres_is_ready(dsn, wait_s=ANSWER_S)
    return is_ready(home, name)


def _port(home: plan.House, name: str) -> int:
    if name == kafka_server.NAME:
        return home.servers.kafka.port
    if name == postgres_server.NAME:
        return home.servers.postgres.port
    return home.ports[name]
