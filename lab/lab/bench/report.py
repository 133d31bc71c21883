"""What both benches do with their figures: written down, shown, and said what they are worth."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from rich.console import Console

from cluster import paths

FOLDER: Final = paths.PROJECT / "var" / "bench"
console: Final = Console()


def conditions() -> dict[str, Any]:
    """How busy the machine is before a run (load of the last minute), and its cores."""
    return {"load_before": round(os.getloadavg()[0], 1), "cores": os.cpu_count() or 1}


def write(document: object, name: str) -> None:
    """Keep a report as FOLDER/name, and say where it is."""
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    console.print(f"  figures  {path.relative_to(paths.PROJECT)}", highlight=False)


def notes(
    results: Mapping[str, Any], *, missed: Sequence[str], invalid: Sequence[str] = ()
) -> Iterator[str]:
    """What a reader must know of the figures: a busy machine, what was missed, what counts not."""
    if results["load_before"] > results["cores"] / 2:
        yield (
            f"[yellow]the machine was busy before the run[/] (load {results['load_before']:.1f}):"
            " trust the ratios, not the rates"
        )
    yield from (f"[yellow]below the mark[/]: {miss}" for miss in missed)
    yield from (f"[red]this run does not count[/]: {fault}" for fault in invalid)


def ended(
    bench: Callable[[], int], troubles: tuple[type[Exception], ...], close: Callable[[], None]
) -> int:
    """Run a bench to its end and clean up after it; the exit status."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        return bench()
    except troubles as trouble:
        console.print(f"[red]the bench failed[/]: {trouble}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted: what was started is ended")
        return 130
    finally:
        close()
        console.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]", highlight=False)
