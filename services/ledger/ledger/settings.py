"""Settings of the ledger's processes, and its numbers that are the same in every platform."""

from datetime import timedelta
from typing import Final

from kit.base import settings

PAGE_MAX: Final = 200
SWEEP_EVERY_S: Final = 5.0
SWEEP_LOTS: Final = 500  # of one shard in one run
SWEEP_ANEW_RUNS: Final = 4  # then from the oldest again
TICK_EVERY_S: Final = 5.0  # checks every five seconds, sends once a minute
RANGES_EVERY_S: Final = 3600.0
PUBLISH_EVERY_S: Final = 10.0
CLOCK_AHEAD_MAX: Final = timedelta(minutes=1)  # of a command before its record; not in a sandbox
CLOCK_OFF_S: Final = 0.5  # a clock further off the database's sends no tick


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """Where checkpoints go and what signs them; empty: they are not published.

    origin: the ledger's name in its checkpoints, for ever.
    """

    checkpoint_folder: str = ""
    checkpoint_key_file: str = ""
    checkpoint_origin: str = "peyvand.example/ledger"
