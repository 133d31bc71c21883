"""Programmes of parties and the terms of the network."""

from kit.room import Part, Resources
from merchants.programmes import api


def part(_: Resources) -> Part:
    """Programmes of parties and the terms of the network."""
    return Part(name="programmes", routes=(api.router,))
