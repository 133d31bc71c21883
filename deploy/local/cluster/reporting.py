"""What a command shows while it works on a cluster: its steps, and where to look afterwards."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from cluster import paths, plan

console = Console()


@contextmanager
def show_step(text: str) -> Generator[Callable[[str], None]]:
    """Show a step while it runs, and what it took once it is done."""
    label = [text]
    began = time.monotonic()
    with console.status(f"{text} ...") as spinner:

        def tell(changed: str) -> None:
            label[0] = changed
            spinner.update(f"{changed} ...")

        yield tell
    console.print(f"[green]✓[/green] {label[0]} [dim]{time.monotonic() - began:.1f} s[/dim]")


def print_addresses(cluster: plan.Cluster) -> None:
    console.print(f"  public API    {cluster.url(plan.GATEWAY)}/docs", highlight=False)
    console.print(
        f"  metrics       http://127.0.0.1:{cluster.inner_port(plan.GATEWAY)}/metrics",
        highlight=False,
    )
    console.print(f"  sent messages {cluster.url(plan.SIMULATOR)}/", highlight=False)
    console.print(f"  operators     {short(cluster.folder / 'credentials.json')}", highlight=False)


def print_invitation(cluster: plan.Cluster, login: str, token: str) -> None:
    """Show, once, how the first operator sets a password."""
    console.print(f"the first operator is {login}; the invitation, shown this once:")
    console.print(f"  {token}", highlight=False, soft_wrap=True)
    console.print("set a password with it, and sign in:")
    command = f"python -m peyvand.sign_in --url {cluster.url(plan.GATEWAY)} --accept"
    console.print(f"  .venv/bin/{command}", highlight=False, soft_wrap=True)


def short(folder: Path) -> str:
    """A path as a reader at the project's root writes it."""
    inside = folder.is_relative_to(paths.PROJECT)
    return str(folder.relative_to(paths.PROJECT)) if inside else str(folder)


def leave(number: int, _: FrameType | None) -> None:
    """A request to end is an interruption like Ctrl-C: what was started is ended."""
    sys.exit(128 + number)


def existing(folder: Path) -> plan.Cluster:
    """The cluster of a folder. Raises ValueError where nothing was ever laid out."""
    if not (folder / "cluster.json").exists():
        raise ValueError(f"there is no cluster in {short(folder)}: make up")
    return plan.cluster_of(folder)
