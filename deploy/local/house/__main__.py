"""The command line of the local house: up, status, env, logs, migrate, down, clean, setup."""

import argparse
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

from rich.console import Console

from house import (
    fetch,
    lifecycle,
    lockfile,
    paths,
    plan,
    postgres_server,
    processes,
    readiness,
    status,
)
from house.processes import State

LOG_LINES = 40
TROUBLES = (readiness.NotReady, fetch.BadServers, lockfile.Locked, OSError, ValueError)

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # servers come and go here
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    given = _parser().parse_args(arguments)
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
    """Bring the house up, saying each step, then show its table."""
    began = time.monotonic()
    console.print(f"house in {_short(folder)}")
    home = lifecycle.up(
        folder, sandbox=True if given.sandbox else None, only=given.only, step=show_step
    )
    console.print(status.process_table(processes.look(home)))
    console.print(f"up in {time.monotonic() - began:.1f} s; look at it:")
    print_addresses(home)
    return 0


def show_status(folder: Path, _: argparse.Namespace) -> int:
    """Health, lag and rates; 1 when something that should run does not."""
    home = _existing(folder)
    seen = processes.look(home)
    console.print(status.process_table(seen))
    states = {one.name: one.state for one in seen}
    if states["kafka"] is State.READY:
        console.print(status.lag_table(status.lags(home)))
    running = [name for name in plan.PROGRAMS if states[name] is State.READY]
    if running:
        console.print(status.rate_table(status.rates(home, running)))
    print_addresses(home)
    return 0 if all(state in (State.READY, State.STOPPED) for state in states.values()) else 1


def env(folder: Path, _: argparse.Namespace) -> int:
    """Print, for a shell to read, where the gateway listens and the operator's key."""
    home = _existing(folder)
    told = {
        "PEYVAND_URL": home.url(plan.GATEWAY),
        "PEYVAND_KEY": home.credentials.operator_key("operator"),
    }
    for name, value in told.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def logs(folder: Path, given: argparse.Namespace) -> int:
    """Show the end of the logs, and follow them on a terminal."""
    home = _existing(folder)
    names = [given.room] if given.room else [*plan.SERVERS, *plan.PROGRAMS]
    files = [str(home.log(name)) for name in names if home.log(name).exists()]
    if not files:
        console.print(f"no log of {', '.join(names)} in {_short(folder)}")
        return 1
    follow = ["-F"] if sys.stdout.isatty() else []
    os.execvp("tail", ["tail", "-n", str(LOG_LINES), *follow, *files])  # noqa: S606


def migrate(folder: Path, given: argparse.Namespace) -> int:
    """Bring the databases of all rooms, or one, up to date."""
    home = _existing(folder)
    rooms = (given.room,) if given.room else plan.WITH_DATABASE
    if postgres_server.find(folder) is None:
        console.print("PostgreSQL does not run: make up")
        return 1
    home.servers.create_databases(*rooms)
    for room, count in lifecycle.migrate_rooms(home, rooms).items():
        console.print(f"{room}: {count} new migrations")
    return 0


def down(folder: Path, _: argparse.Namespace) -> int:
    """Stop the house."""
    stopped = lifecycle.down(folder, step=show_step)
    console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def clean(folder: Path, given: argparse.Namespace) -> int:
    """Remove the house of --folder; without it, every house of the project, $HOUSE's too."""
    lifecycle.clean(folder)
    if given.folder:
        console.print(f"{_short(folder)} is gone")
        return 0
    lifecycle.clean_project()
    console.print("local data is gone")
    return 0


def setup(_: Path, __: argparse.Namespace) -> int:
    """Fetch the servers and prepare their start."""
    lifecycle.prepare(show_step)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m house", description=__doc__)
    parser.add_argument("--folder", help="the house's folder (default: $HOUSE, else var/house)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=(command.__doc__ or "").strip())
        if command is up:
            one.add_argument("--sandbox", action="store_true", help="its time is its driver's")
            one.add_argument("--only", nargs="*", choices=plan.PROGRAMS, help="these programs")
        if command is logs:
            one.add_argument("room", nargs="?", choices=(*plan.SERVERS, *plan.PROGRAMS))
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
    "logs": logs,
    "migrate": migrate,
    "down": down,
    "clean": clean,
}

if __name__ == "__main__":
    sys.exit(main())
