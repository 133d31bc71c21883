"""The outside auditor's program run on a house: the one that runs, or the one that ran last."""

import argparse
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from house import paths, plan, postgres_server, servers

REPORT = paths.PROJECT / "var" / "audit" / "report.json"
VERIFIER_KEYS = "verifier-keys.txt"  # the ledger writes it beside its checkpoints
NO_HOUSE = 2

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is wrong; 1: something is; 2: there is nothing to audit."""
    parser = argparse.ArgumentParser(prog="house.audit", description=__doc__)
    parser.add_argument("--folder", type=Path, help="the house; by default the last one used")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args(arguments)
    folder = given.folder or last_house()
    if folder is None or not (folder / "house.json").exists():
        console.print("there is no house to audit: make demo, or make up")
        return NO_HOUSE
    home = plan.house(folder)
    console.print(f"the house in {folder}", highlight=False)
    with standing(home):
        status = audit(home, given.report)
    console.print(f"  report        {given.report}", highlight=False)
    return status


def audit(home: plan.House, report: Path) -> int:
    """Exit status of the verifier over a house whose PostgreSQL runs; a process of its own.

    The database is read as the ledger's own role reads it; nothing is written.
    """
    return subprocess.run(command(home, report), check=False).returncode


def command(home: plan.House, report: Path) -> list[str]:
    """How the verifier is called: address of the ledger's database, what was published of it."""
    called = [sys.executable, "-m", "verifier", "audit", "--report", str(report)]
    called += ["--dsn", home.servers.dsn("ledger", "ledger")]
    if home.checkpoints.is_dir():
        called += ["--checkpoints", str(home.checkpoints)]
    keys = home.checkpoints / VERIFIER_KEYS
    if keys.exists():
        called += ["--key", str(keys)]
    return called


def last_house() -> Path | None:
    """HOUSE where it is set; else the project's house that was used last."""
    named = paths.house_folder()
    if named != paths.DEFAULT_HOUSE:
        return named
    var = paths.PROJECT / "var"
    found = [
        note.parent for note in (*var.glob("house/house.json"), *var.glob("*/house/house.json"))
    ]
    return max(found, key=_used_at, default=None)


def _used_at(folder: Path) -> tuple[bool, float]:
    """A house whose database runs before all others; then the one that wrote a log last."""
    logs = [log.stat().st_mtime for log in (folder / "logs").glob("*")]
    return postgres_server.find(folder) is not None, max(logs, default=0.0)


@contextmanager
def standing(home: plan.House) -> Generator[None]:
    """PostgreSQL runs inside, and as before afterwards."""
    ran = postgres_server.find(home.folder) is not None
    if not ran:
        servers.start_servers(home.folder, kafka=False)
    try:
        yield
    finally:
        if not ran:
            postgres_server.stop(home.folder)


if __name__ == "__main__":
    sys.exit(main())
