"""The command line of the local cluster, which `make` calls."""

import argparse
import json
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cluster import (
    fetch,
    first_operator,
    lifecycle,
    lockfile,
    logs,
    paths,
    plan,
    postgres_server,
    processes,
    readiness,
    reporting,
    status,
    supervisor,
)
from cluster.reporting import console

LOG_LINES = 40
TROUBLES = (readiness.NotReady, fetch.BadServers, lockfile.Locked, OSError, ValueError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # servers come and go here
    signal.signal(signal.SIGTERM, reporting.leave)
    signal.signal(signal.SIGHUP, reporting.leave)
    options = _parser().parse_args(arguments)
    console.stderr = options.json  # the output is the one JSON document's alone
    folder = Path(options.folder).resolve() if options.folder else paths.chosen_folder()
    try:
        return COMMANDS[options.command](folder, options)
    except TROUBLES as trouble:
        console.print("[red]failed[/red]:", end=" ")
        console.print(str(trouble), markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted: what was started has been ended")
        return 130


def up(folder: Path, options: argparse.Namespace) -> int:
    """Bring the cluster up, saying each step, then show its table; it keeps itself running."""
    began = time.monotonic()
    console.print(f"cluster in {reporting.short(folder)}")
    cluster = lifecycle.up(
        folder,
        sandbox=True if options.sandbox else None,
        only=options.only,
        supervised=True,
        step=reporting.show_step,
    )
    if options.json:
        _print_json(
            {"up": True, "seconds": time.monotonic() - began, "api": cluster.url("gateway")}
        )
        return 0
    console.print(status.process_table(processes.look(cluster), supervisor.cares(folder)))
    console.print(f"up in {time.monotonic() - began:.1f} s; look at it:")
    reporting.print_addresses(cluster)
    if options.only is None and (token := first_operator.invite(cluster)) is not None:
        reporting.print_invitation(cluster, first_operator.LOGIN, token)
    return 0


def show_status(folder: Path, options: argparse.Namespace) -> int:
    """Health, restarts, lag and rates, and what to do; 1 unless all of it is ready."""
    cluster = reporting.existing(folder)
    snapshot = status.find(cluster)
    if options.json:
        _print_json(status.as_json(snapshot))
        return 0 if snapshot.well else 1
    console.print(status.process_table(snapshot.seen, snapshot.cares))
    if snapshot.lags:
        console.print(status.lag_table(snapshot.lags))
    if snapshot.rates:
        console.print(status.rate_table(snapshot.rates))
    reporting.print_addresses(cluster)
    for sentence in status.advice(snapshot):
        console.print(f"[red]![/red] {sentence}", highlight=False)
    return 0 if snapshot.well else 1


def env(folder: Path, options: argparse.Namespace) -> int:
    """Print, for a shell to read, where the gateway listens and the operator's key."""
    cluster = reporting.existing(folder)
    variables = _access(cluster)
    if options.json:
        _print_json(variables)
        return 0
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def run(folder: Path, options: argparse.Namespace) -> int:
    """Bring the cluster up where it is not, and become a command with its address and key."""
    console.stderr = True  # the output is the command's alone
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise ValueError("which command?")
    cluster = _running(folder)
    os.execvpe(words[0], words, os.environ | _access(cluster))  # noqa: S606


def _running(folder: Path) -> plan.Cluster:
    if (folder / "cluster.json").exists():
        cluster = plan.cluster_of(folder)
        if cluster.sandbox:
            raise ValueError(f"{folder} holds a sandbox cluster, whose time is its driver's")
        if all(seen.state is processes.State.READY for seen in processes.look(cluster)):
            return cluster
    console.print("the platform is not up: it is started, and stays up (make down stops it)")
    return lifecycle.up(folder, sandbox=False, supervised=True, step=reporting.show_step)


def _access(cluster: plan.Cluster) -> dict[str, str]:
    return {
        "PEYVAND_URL": cluster.url(plan.GATEWAY),
        "PEYVAND_KEY": cluster.credentials.operator_key("operator"),
    }


def show_logs(folder: Path, options: argparse.Namespace) -> int:
    """Show the end of the logs, and follow them on a terminal; --grep: all lines with a text."""
    cluster = reporting.existing(folder)
    if options.grep or options.json:
        return _show_lines(cluster, options)
    names = [options.room] if options.room else [*plan.SERVERS, *plan.PROGRAMS, supervisor.NAME]
    files = [str(cluster.log(name)) for name in names if cluster.log(name).exists()]
    if not files:
        console.print(f"no log of {', '.join(names)} in {reporting.short(folder)}")
        return 1
    follow = ["-F"] if sys.stdout.isatty() else []
    os.execvp("tail", ["tail", "-n", str(LOG_LINES), *follow, *files])  # noqa: S606


def _show_lines(cluster: plan.Cluster, options: argparse.Namespace) -> int:
    lines = [
        (name, line)
        for name, line in logs.search(cluster.folder, options.grep or "")
        if options.room in (None, name)
    ]
    if options.json:
        _print_json([{"process": name, "line": line} for name, line in lines])
    else:
        for name, line in lines:
            print(f"{name}: {line}")
    return 0 if lines else 1


def migrate(folder: Path, options: argparse.Namespace) -> int:
    """Bring the databases of all rooms, or one, up to date."""
    cluster = reporting.existing(folder)
    rooms = (options.room,) if options.room else plan.WITH_DATABASE
    if postgres_server.find(folder) is None:
        console.print("PostgreSQL does not run: make up")
        return 1
    cluster.servers.create_databases(*rooms)
    done = lifecycle.migrate_rooms(cluster, rooms)
    if options.json:
        _print_json(done)
        return 0
    for room, count in done.items():
        console.print(f"{room}: {count} new migrations")
    return 0


def rebuild_tables(folder: Path, options: argparse.Namespace) -> int:
    """Empty a room's local tables and fill them from their topics, while the cluster runs."""
    cluster = reporting.existing(folder)
    lifecycle.rebuild_tables(cluster, options.room)
    if options.json:
        _print_json({"rebuilt": options.room})
        return 0
    console.print(f"the local tables of {options.room} are rebuilt")
    return 0


def down(folder: Path, options: argparse.Namespace) -> int:
    """Stop the cluster, its supervisor first."""
    stopped = lifecycle.down(folder, step=reporting.show_step)
    if options.json:
        _print_json({"stopped": stopped})
        return 0
    console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def clean(folder: Path, options: argparse.Namespace) -> int:
    """Remove the cluster of --folder; without it, every cluster of the project, $CLUSTER's too."""
    lifecycle.clean(folder)
    if options.json:
        cleaned = [folder] if options.folder else [folder, *lifecycle.clean_project()]
        _print_json({"cleaned": [str(one) for one in cleaned]})
        return 0
    if options.folder:
        console.print(f"{reporting.short(folder)} is gone")
        return 0
    lifecycle.clean_project()
    console.print("local data is gone")
    return 0


def setup(_: Path, options: argparse.Namespace) -> int:
    """Fetch the servers and prepare their start."""
    lifecycle.prepare(reporting.show_step)
    if options.json:
        _print_json({"ready": True})
    return 0


def _print_json(content: Any) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1, default=str))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    parser.add_argument(
        "--folder", help="the cluster's folder (default: $CLUSTER, else var/cluster)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=(command.__doc__ or "").strip())
        one.add_argument("--json", action="store_true", help="one JSON document instead of text")
        if command is up:
            one.add_argument("--sandbox", action="store_true", help="its time is its driver's")
            one.add_argument("--only", nargs="*", choices=plan.PROGRAMS, help="these programs")
        if command is show_logs:
            known = (*plan.SERVERS, *plan.PROGRAMS, supervisor.NAME)
            one.add_argument("room", nargs="?", choices=known)
            one.add_argument("--grep", metavar="TEXT", help="every line with this text, whole logs")
        if command is run:
            one.add_argument("words", nargs=argparse.REMAINDER, help="the command and its words")
        if command is rebuild_tables:
            one.add_argument("room", choices=plan.WITH_DATABASE)
        if command is migrate:
            one.add_argument("room", nargs="?", choices=plan.WITH_DATABASE)
    return parser


COMMANDS: dict[str, Callable[[Path, argparse.Namespace], int]] = {
    "setup": setup,
    "up": up,
    "status": show_status,
    "env": env,
    "run": run,
    "logs": show_logs,
    "migrate": migrate,
    "rebuild-tables": rebuild_tables,
    "down": down,
    "clean": clean,
}

if __name__ == "__main__":
    sys.exit(main())
