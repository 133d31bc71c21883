"""Titles of merchants, as merchants publishes them."""

from kit.room import Part, Resources
from notify.titles import consumer


def part(_: Resources) -> Part:
    """Titles."""
    return Part(name="titles", hears=(consumer.MERCHANTS,))
