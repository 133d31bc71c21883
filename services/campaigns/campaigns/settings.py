"""Settings of campaigns, and the numbers that are constants of the platform."""

from typing import Final

from kit.base import settings

PAGE_MAX: Final = 200
DECISIONS_KEPT_DAYS: Final = 400  # architecture 2: a name's first output may be pruned then
DECISIONS_PRUNED_MAX: Final = 20_000  # rows a run
PRUNE_EVERY_S: Final = 60.0
ROAD_CONSUMER: Final = "campaigns-road/awards"  # in dead letters
FACTS: Final = "facts"  # a group of their own: the road waits for them, and no longer than 2 s


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """Nothing of its own: rules and programmes are data."""
