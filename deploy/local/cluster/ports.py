"""Free ports of 127.0.0.1, chosen once for a folder and remembered in it."""

import json
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

import psutil

# below the range from which systems take the ports of outgoing connections, so that
# a remembered port is not lost to somebody's client while the cluster is down
LOWEST = 20_000
HIGHEST = 29_999
TRIES_MAX = 2_000


class NoFreePort(Exception):
    """No port of the range could be bound."""


def remembered(folder: Path) -> dict[str, int]:
    """The ports that a folder has chosen so far, by name."""
    path = folder / "ports.json"
    return json.loads(path.read_text()) if path.exists() else {}


def choose(folder: Path, names: Sequence[str]) -> dict[str, int]:
    """The ports of the named listeners: those remembered, and new free ones, now remembered."""
    known = remembered(folder)
    missing = [name for name in names if name not in known]
    for name in missing:
        known[name] = _free(set(known.values()))
    if missing:
        _write(folder, known)
    return {name: known[name] for name in names}


def renew(folder: Path, names: Sequence[str]) -> dict[str, int]:
    """As choose, but a remembered port that somebody else has taken meanwhile is replaced."""
    known = remembered(folder)
    taken = [name for name in names if name in known and not is_free(known[name])]
    for name in taken:
        del known[name]
    if taken:
        _write(folder, known)
    return choose(folder, names)


def is_free(port: int) -> bool:
    """Whether a listener could be opened on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, in words, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="inet"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
            ):
                if connection.pid is None:
                    break
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass  # another user's: its name is not ours to know
    return "another program"


def _free(avoid: set[int]) -> int:
    for _ in range(TRIES_MAX):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        if port not in avoid and is_free(port):
            return port
    raise NoFreePort(f"no free port of 127.0.0.1 between {LOWEST} and {HIGHEST}")


def _write(folder: Path, known: dict[str, int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "ports.json.new"
    fresh.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    fresh.replace(folder / "ports.json")
