"""Where members are reached, as members publishes it."""

from kit.room import Part, Resources
from notify.contacts import consumer, usecases


def part(opened: Resources) -> Part:
    """Contacts. Raises ValueError for keys that cannot be read."""
    opened.shared(usecases.key_ring)
    return Part(name="contacts", hears=(consumer.CONTACTS,))
