"""What the campaigns process is told, and the numbers that are constants of the house."""

from typing import Final

from kit import settings

PAGE_MAX: Final = 200
DECISIONS_KEPT_DAYS: Final = 400  # architecture 2: a name's first output may be pruned then
DECISIONS_PRUNED_MAX: Final = 20_000  # rows a run
PRUNE_EVERY_S: Final = 60.0
ROAD_GROUP: Final = "campaigns-road"
OUTCOMES_GROUP: Final = "campaigns-outcomes"
FACTS_GROUP: Final = "campaigns-facts"


class Settings(settings.Room, frozen=True, kw_only=True):
    """Nothing of its own: rules and programmes are data."""
