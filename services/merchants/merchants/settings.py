"""What the merchants process is told."""

from typing import Final

from kit import settings

PROPAGATION_S: Final = 60  # a new version reaches every gateway and stage before it counts
KEYS_ACTIVE_MAX: Final = 8  # keys of one terminal that are not revoked
KEYS_MAX: Final = 200  # all keys of one terminal: they travel in one message
PAGE_MAX: Final = 200
TALLY_DAYS_MAX: Final = 366
HEARTBEAT_EVERY_S: Final = 5.0


class Settings(settings.Room, frozen=True, kw_only=True):
    """Nothing of its own: every rule's number above is a constant of the house."""
