"""The command line of the local house, which `make` calls."""

import argparse
import asyncio
import json
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from house import (
    fetch,
    find,
    lifecycle,
    lockfile,
    logs,
    paths,
    plan,
    postgres_server,
    processes,
    readiness,
    status,
    supervisor,
)

LOG_LINES = 40
TROUBLES = (readiness.NotReady, fetch.BadServers, lockfile.Locked, OSError, ValueError)

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # servers come and go here
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    given = _parser().parse_args(arguments)
    console.stderr = given.json  # the output is the one JSON document's alone
    folder = Path(given.folder).resolve() if given.folder else paths.house_folder()
    try:
        return COMMANDS[given.command](folder, given)
    except TROUBLES as trouble:
        console.print("[red]failed[/red]:", end=" ")
        console.print(str(trouble), markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted: what was started has been ended")
        return 130


def up(folder: Path, given: argparse.Namespace) -> int:
    """Bring the house up, saying each step, then show its table; it keeps itself running."""
    began = time.monotonic()
    console.print(f"house in {_short(folder)}")
    home = lifecycle.up(
        folder,
        sandbox=True if given.sandbox else None,
        only=given.only,
        supervised=True,
        step=show_step,
    )
    if given.json:
        _print_json({"up": True, "seconds": time.monotonic() - began, "api": home.url("gateway")})
        return 0
    console.print(status.process_table(processes.look(home), supervisor.cares(folder)))
    console.print(f"up in {time.monotonic() - began:.1f} s; look at it:")
    print_addresses(home)
    return 0


def show_status(folder: Path, given: argparse.Namespace) -> int:
    """Health, restarts, lag and rates, and what to do; 1 unless all of it is ready."""
    home = _existing(folder)
    found = status.find(home)
    if given.json:
        _print_json(status.as_json(found))
        return 0 if found.well else 1
    console.print(status.process_table(found.seen, found.cares))
    if found.lags:
        console.print(status.lag_table(found.lags))
    if found.rates:
        console.print(status.rate_table(found.rates))
    print_addresses(home)
    for sentence in status.advice(found):
        console.print(f"[red]![/red] {sentence}", highlight=False)
    return 0 if found.well else 1


def env(folder: Path, given: argparse.Namespace) -> int:
    """Print, for a shell to read, where the gateway listens and the operator's key."""
    home = _existing(folder)
    told = {
        "PEYVAND_URL": home.url(plan.GATEWAY),
        "PEYVAND_KEY": home.credentials.operator_key("operator"),
    }
    if given.json:
        _print_json(told)
        return 0
    for name, value in told.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def show_logs(folder: Path, given: argparse.Namespace) -> int:
    """Show the end of the logs, and follow them on a terminal; --grep: all lines with a text."""
    home = _existing(folder)
    if given.grep or given.json:
        return _show_lines(home, given)
    names = [given.room] if given.room else [*plan.SERVERS, *plan.PROGRAMS, supervisor.NAME]
    files = [str(home.log(name)) for name in names if home.log(name).exists()]
    if not files:
        console.print(f"no log of {', '.join(names)} in {_short(folder)}")
        return 1
    follow = ["-F"] if sys.stdout.isatty() else []
    os.execvp("tail", ["tail", "-n", str(LOG_LINES), *follow, *files])  # noqa: S606


def _show_lines(home: plan.House, given: argparse.Namespace) -> int:
    lines = [
        (name, line)
        for name, line in logs.search(home.folder, given.grep or "")
        if given.room in (None, name)
    ]
    if given.json:
        _print_json([{"process": name, "line": line} for name, line in lines])
    else:
        for name, line in lines:
            print(f"{name}: {line}")
    return 0 if lines else 1


def show_found(folder: Path, given: argparse.Namespace) -> int:
    """One transaction by its id or a till's name (3003.1.2): answer, booking, lines of logs."""
    home = _existing(folder)
    found = asyncio.run(find.find(home, given.name))
    if given.json:
        _print_json(found)
    else:
        for one in found["transactions"]:
            console.print_json(data=one, default=str)
        for line in found["logs"]:
            print(line)
        if found["unreachable"]:
            console.print(f"the gateway does not answer: {found['unreachable']}", markup=False)
        elif not found["transactions"]:
            console.print(f"no room has booked {given.name}", markup=False)
    return 0 if found["transactions"] else 1


def migrate(folder: Path, given: argparse.Namespace) -> int:
    """Bring the databases of all rooms, or one, up to date."""
    home = _existing(folder)
    rooms = (given.room,) if given.room else plan.WITH_DATABASE
    if postgres_server.find(folder) is None:
        console.print("PostgreSQL does not run: make up")
        return 1
    home.servers.create_databases(*rooms)
    done = lifecycle.migrate_rooms(home, rooms)
    if given.json:
        _print_json(done)
        return 0
    for room, count in done.items():
        console.print(f"{room}: {count} new migrations")
    return 0


def down(folder: Path, given: argparse.Namespace) -> int:
    """Stop the house, its supervisor first."""
    stopped = lifecycle.down(folder, step=show_step)
    if given.json:
        _print_json({"stopped": stopped})
        return 0
    console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def clean(folder: Path, given: argparse.Namespace) -> int:
    """Remove the house of --folder; without it, every house of the project, $HOUSE's too."""
    lifecycle.clean(folder)
    if given.json:
        cleaned = [folder] if given.folder else [folder, *lifecycle.clean_project()]
        _print_json({"cleaned": [str(one) for one in cleaned]})
        return 0
    if given.folder:
        console.print(f"{_short(folder)} is gone")
        return 0
    lifecycle.clean_project()
    console.print("local data is gone")
    return 0


def setup(_: Path, given: argparse.Namespace) -> int:
    """Fetch the servers and prepare their start."""
    lifecycle.prepare(show_step)
    if given.json:
        _print_json({"ready": True})
    return 0


def _print_json(content: Any) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1, default=str))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m house", description=__doc__)
    parser.add_argument("--folder", help="the house's folder (default: $HOUSE, else var/house)")
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
        if command is show_found:
            one.add_argument("name", help="3003.1.2, or an id")
        if command is migrate:
            one.add_argument("room", nargs="?", choices=plan.WITH_DATABASE)
    return parser


@contextmanager
def show_step(text: str) -> Generator[Callable[[str], None]]:
    """Show a step while it runs, and what it took once it is done."""
    said = [text]
    began = time.monotonic()
    with console.status(f"{text} ...") as shown:

        def tell(changed: str) -> None:
            said[0] = changed
            shown.update(f"{changed} ...")

        yield tell
    console.print(f"[green]✓[/green] {said[0]} [dim]{time.monotonic() - began:.1f} s[/dim]")


def _existing(folder: Path) -> plan.House:
    if not (folder / "house.json").exists():
        raise ValueError(f"there is no house in {_short(folder)}: make up")
    return plan.house(folder)


def print_addresses(home: plan.House) -> None:
    console.print(f"  public API    {home.url(plan.GATEWAY)}/docs", highlight=False)
    console.print(
        f"  metrics       http://127.0.0.1:{home.inner_port(plan.GATEWAY)}/metrics", highlight=False
    )
    console.print(f"  sent messages {home.url(plan.SIMULATOR)}/", highlight=False)
    console.print(f"  operators     {_short(home.folder / 'credentials.json')}", highlight=False)


def _short(folder: Path) -> str:
    inside = folder.is_relative_to(paths.PROJECT)
    return str(folder.relative_to(paths.PROJECT)) if inside else str(folder)


def leave(number: int, _: FrameType | None) -> None:
    """A request to end is an interruption like Ctrl-C: what was started is ended."""
    sys.exit(128 + number)


COMMANDS: dict[str, Callable[[Path, argparse.Namespace], int]] = {
    "setup": setup,
    "up": up,
    "status": show_status,
    "env": env,
    "logs": show_logs,
    "find": show_found,
    "migrate": migrate,
    "down": down,
    "clean": clean,
}

if __name__ == "__main__":
    sys.exit(main())
