"""Processes that belong to a folder: started apart from us, found again later, ended exactly.

Each carries its folder and name in its environment and is written down with pid and start time,
so that a later command finds its own processes and no others, even when the one that started
them was killed before it could write anything down.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

FOLDER_MARK = "PEYVAND_CHILD_FOLDER"
NAME_MARK = "PEYVAND_CHILD_NAME"
START_TOLERANCE_S = 2.0
KILL_WAIT_S = 10.0
WAIT_STEP_S = 0.02
UNKNOWN_END = "nobody saw how, it was started before"

# kept, so that the processes we started ourselves are reaped and not reported as forgotten
OWNER_ONLY = 0o077  # umask of every process: data and logs are its owner's alone (findings S10)
_spawned: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Account:
    """The user as whom a process runs when it must not run as ours."""

    name: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, for which folder and under which name."""

    folder: Path
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    account: Account | None = None
    keep_files: Sequence[int] = ()
    working_folder: Path = Path("/")
    version: str = ""  # of the code it is started from


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def launch(spec: Launch) -> psutil.Process:
    """Start a process in a session of its own, its output appended to the log."""
    environment = dict(spec.environment)
    environment[FOLDER_MARK] = str(spec.folder)
    environment[NAME_MARK] = spec.name
    spec.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    account = spec.account
    with open(spec.log, "ab", opener=_private) as log:
        spawned = subprocess.Popen(
            list(spec.command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=spec.working_folder,
            start_new_session=True,
            pass_fds=tuple(spec.keep_files),
            umask=OWNER_ONLY,
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
        )
    _spawned.append(spawned)
    process = psutil.Process(spawned.pid)
    _write_down(spec, process)
    return process


def find(folder: Path, name: str) -> psutil.Process | None:
    """The living process of that name in that folder, written down or not."""
    path = _record(folder, name)
    if path.exists():
        process = _recorded(path, folder, name)
        if process is not None:
            return process
    return next(
        (
            candidate
            for candidate, candidate_name in marked(folder)
            if candidate_name == name and _leads(candidate)
        ),
        None,
    )


def marked(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Every living process that carries the folder's mark, with its name."""
    folder_mark = str(folder)
    for process in psutil.process_iter():
        marks = _marks(process)
        if marks is not None and marks[0] == folder_mark and alive(process):
            yield process, marks[1]


def alive(process: psutil.Process) -> bool:
    """Whether the process still runs (a dead one that nobody has reaped does not)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(process: psutil.Process, *, sign: signal.Signals, wait_s: float) -> bool:
    """Ask a process to end and wait; kills it and its children when it does not. True if it did."""
    tree = _tree(process)
    ask(process, sign)
    if wait_gone([process], wait_s=wait_s):
        for child in tree[1:]:
            _send(child, signal.SIGKILL)
        return True
    kill(process)
    return False


def ask(process: psutil.Process, sign: signal.Signals) -> None:
    """Send a signal that a process may act on; wakes a paused one, which hears nothing."""
    _send(process, sign)
    _send(process, signal.SIGCONT)


def kill(process: psutil.Process) -> None:
    """End a process and all its children at once, as a crash would (SIGKILL), and wait."""
    _send(process, signal.SIGSTOP)  # it cannot fork while its children are listed
    tree = _tree(process)
    for member in tree:
        _send(member, signal.SIGKILL)
    wait_gone(tree, wait_s=KILL_WAIT_S)


def pause(process: psutil.Process) -> None:
    """Freeze a process and its children (SIGSTOP)."""
    _send(process, signal.SIGSTOP)
    for member in _tree(process)[1:]:
        _send(member, signal.SIGSTOP)


def resume(process: psutil.Process) -> None:
    """Let a frozen process and its children run again (SIGCONT)."""
    for member in reversed(_tree(process)):
        _send(member, signal.SIGCONT)


def wait_gone(processes: Sequence[psutil.Process], *, wait_s: float) -> bool:
    """Wait until none of the processes lives; False when the time is over first."""
    deadline = time.monotonic() + wait_s
    while any(alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(WAIT_STEP_S)
    _reap({process.pid for process in processes})
    return True


def end_all(folder: Path) -> list[str]:
    """Kill whatever still carries the folder's mark; the names of what was found."""
    names: list[str] = []
    # by name, backwards: the supervisor goes before what it would start again
    for process, name in sorted(marked(folder), key=lambda one: one[1], reverse=True):
        if alive(process):
            names.append(name)
            kill(process)
    forget_all(folder)
    return names


def is_written_down(folder: Path, name: str) -> bool:
    """Whether a process of that name was started and not stopped in good order."""
    return _record(folder, name).exists()


def version_of(folder: Path, name: str) -> str:
    """The version that the process of that name was started from; empty where none is known."""
    try:
        return str(json.loads(_record(folder, name).read_text()).get("version", ""))
    except (FileNotFoundError, ValueError):
        return ""


def how_it_ended(pid: int) -> str:
    """Exit status or signal of a process that we started ourselves, in words."""
    spawned = next((one for one in _spawned if one.pid == pid), None)
    status = None if spawned is None else spawned.poll()
    if spawned is None or status is None:
        return UNKNOWN_END
    _spawned.remove(spawned)
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def forget(folder: Path, name: str) -> None:
    """Remove what was written down about a process that is gone."""
    _record(folder, name).unlink(missing_ok=True)


def forget_all(folder: Path) -> None:
    """Remove what was written down about every process of a folder."""
    for path in (folder / "run").glob("*.json"):
        path.unlink(missing_ok=True)


def plain_environment() -> dict[str, str]:
    """What a server needs of our environment, and nothing of the rest."""
    kept = ("PATH", "HOME", "LANG", "JAVA_HOME", "TMPDIR", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _record(folder: Path, name: str) -> Path:
    return folder / "run" / f"{name}.json"


def _write_down(spec: Launch, process: psutil.Process) -> None:
    path = _record(spec.folder, spec.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        started_at_s = process.create_time()
    except psutil.NoSuchProcess:
        return  # it is gone already: its log says why
    note = {"pid": process.pid, "started_at_s": started_at_s, "version": spec.version}
    path.write_text(json.dumps(note) + "\n")


def _recorded(path: Path, folder: Path, name: str) -> psutil.Process | None:
    try:
        written = json.loads(path.read_text())
        process = psutil.Process(int(written["pid"]))
        age_s = abs(process.create_time() - float(written["started_at_s"]))
    except (psutil.NoSuchProcess, ValueError, KeyError):
        return None
    same = age_s < START_TOLERANCE_S and _marks(process) == (str(folder), name)
    return process if same and alive(process) else None


def _marks(process: psutil.Process) -> tuple[str, str] | None:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return None  # not ours to read, so not ours
    if FOLDER_MARK not in environment:
        return None
    return environment[FOLDER_MARK], environment.get(NAME_MARK, "")


def _leads(process: psutil.Process) -> bool:
    """Whether it is the process that was started, not one of its children."""
    try:
        parent = process.parent()
    except psutil.Error:
        return False
    return parent is None or _marks(parent) != _marks(process)


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def _send(process: psutil.Process, sign: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(sign)


def _reap(pids: set[int]) -> None:
    """Collect those that we started ourselves: only then are all their files closed."""
    for spawned in [one for one in _spawned if one.pid in pids]:
        with contextlib.suppress(subprocess.TimeoutExpired):
            spawned.wait(timeout=KILL_WAIT_S)
            _spawned.remove(spawned)
