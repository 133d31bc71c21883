"""`python -m lab.bench.road.bare NAME`: one process of the bare road, until SIGTERM."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop

from lab.bench.road.bare import gateway, stages, words


def main() -> None:
    """Run the named process."""
    logging.basicConfig(level=logging.WARNING)
    name = sys.argv[1]
    uvloop.run(_until_asked(_serve(name, words.load(name))))


def _serve(name: str, settings: words.Settings) -> Coroutine[Any, Any, None]:
    match name:
        case words.GATEWAY:
            return gateway.run(settings)
        case words.SCREEN:
            return stages.pass_on(settings, words.SUBMITTED.name, words.SCREENED.name)
        case words.AWARD:
            return stages.pass_on(settings, words.SCREENED.name, words.COMMANDS.name)
        case words.POST:
            return stages.post(settings)
        case _:
            raise ValueError(f"{name}: one of {', '.join(words.PROCESSES)}")


async def _until_asked(serving: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(serving)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main()
