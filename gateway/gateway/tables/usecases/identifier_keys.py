"""Keys of identifiers' digests, as the settings name them."""

import logging

from contracts import keys
from contracts.members import OF_IDENTIFIERS
from gateway.settings import Settings
from kit.room import Resources

log = logging.getLogger(__name__)


def identifier_keys(settings: Settings) -> keys.Ring:
    """The ring of keys in the settings. Raises ValueError."""
    return keys.ring(settings.identifier_keys, OF_IDENTIFIERS, setting="PEYVAND_IDENTIFIER_KEYS")


def identifier_keys_of(opened: Resources) -> keys.Ring:
    """The ring of this process; `opened.shared(identifier_keys_of)` makes it once."""
    ring = identifier_keys(opened.settings)
    log.info("keys of identifiers: %s", keys.names(ring))
    return ring
