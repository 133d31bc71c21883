"""Whether the broker and the database of a process answer now, for its readiness."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

EVERY_S: Final = 0.5
ANSWER_S: Final = 1.0
STALE_S: Final = 2.0  # with a query under way, a dead server shows within three seconds


@dataclass(slots=True)
class Probe:
    """Asks one server again and again. ask: raises, or does not return, when it is away."""

    ask: Callable[[], Awaitable[None]]
    answered_at: float = field(default_factory=time.monotonic)

    @property
    def alive(self) -> bool:
        """Whether it answered a moment ago."""
        return time.monotonic() - self.answered_at < STALE_S

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            with contextlib.suppress(Exception):  # whoever uses the server logs its failure
                async with asyncio.timeout(ANSWER_S):
                    await self.ask()
                self.answered_at = time.monotonic()
            await asyncio.sleep(EVERY_S)
