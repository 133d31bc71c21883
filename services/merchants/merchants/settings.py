"""The settings of the merchants process, and the numbers of its rules."""

from typing import Final

from kit.base import settings

PROPAGATION_S: Final = 60  # a new version reaches every gateway and stage before it counts
KEYS_ACTIVE_MAX: Final = 8  # keys of one terminal that have no end yet
KEYS_PUBLISHED_MAX: Final = 64  # those in force and the last ended ones: they travel in one message
KEYS_OVERLAP_MAX_S: Final = 7 * 86_400  # how long older keys may outlast an activation
PAGE_MAX: Final = 200
TOTALS_DAYS_MAX: Final = 366


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """Nothing of its own: every rule's number above is a constant of the platform."""
