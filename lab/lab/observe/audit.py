"""The outside auditor's program run on a cluster: the one that runs, or the one that ran last."""

import argparse
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cluster import paths, plan, postgres_server, servers

REPORT = paths.PROJECT / "var" / "audit" / "report.json"
VERIFIER_KEYS = "verifier-keys.txt"  # the ledger writes it beside its checkpoints
NO_CLUSTER = 2

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is wrong; 1: something is; 2: there is nothing to audit."""
    parser = argparse.ArgumentParser(prog="lab.observe.audit", description=__doc__)
    parser.add_argument("--folder", type=Path, help="the cluster; by default the last one used")
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args(arguments)
    folder = options.folder or last_used()
    if folder is None or not (folder / "cluster.json").exists():
        console.print("there is no cluster to audit: make demo, or make up")
        return NO_CLUSTER
    cluster = plan.cluster_of(folder)
    console.print(f"the cluster in {folder}", highlight=False)
    with standing(cluster):
        status = audit(cluster, options.report)
    console.print(f"  report        {options.report}", highlight=False)
    return status


def audit(cluster: plan.Cluster, report: Path) -> int:
    """Exit status of the verifier over a cluster whose PostgreSQL runs; a process of its own.

    The database is read as the ledger's own role reads it; nothing is written.
    """
    return subprocess.run(command(cluster, report), check=False).returncode


def command(cluster: plan.Cluster, report: Path) -> list[str]:
    """How the verifier is called: address of the ledger's database, what was published of it."""
    called = [sys.executable, "-m", "verifier", "audit", "--report", str(report)]
    called += ["--dsn", cluster.servers.dsn("ledger", "ledger")]
    if cluster.checkpoints.is_dir():
        called += ["--checkpoints", str(cluster.checkpoints)]
    keys = cluster.checkpoints / VERIFIER_KEYS
    if keys.exists():
        called += ["--key", str(keys)]
    return called


def last_used() -> Path | None:
    """CLUSTER where it is set; else the project's cluster that was used last."""
    named = paths.chosen_folder()
    if named != paths.DEFAULT_FOLDER:
        return named
    var = paths.PROJECT / "var"
    folders = [
        note.parent
        for note in (*var.glob("cluster/cluster.json"), *var.glob("*/cluster/cluster.json"))
    ]
    return max(folders, key=_used_at, default=None)


def _used_at(folder: Path) -> tuple[bool, float]:
    """A cluster whose database runs before all others; then the one that wrote a log last."""
    logs = [log.stat().st_mtime for log in (folder / "logs").glob("*")]
    return postgres_server.find(folder) is not None, max(logs, default=0.0)


@contextmanager
def standing(cluster: plan.Cluster) -> Generator[None]:
    """PostgreSQL runs inside, and as before afterwards."""
    ran = postgres_server.find(cluster.folder) is not None
    if not ran:
        servers.start_servers(cluster.folder, kafka=False)
    try:
        yield
    finally:
        if not ran:
            postgres_server.stop(cluster.folder)


if __name__ == "__main__":
    sys.exit(main())
