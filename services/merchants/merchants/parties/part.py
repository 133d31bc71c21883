"""Parties, their merchants and branches."""

from kit.room import Part, Resources
from merchants.parties import api


def part(_: Resources) -> Part:
    """Parties, their merchants and branches."""
    return Part(name="parties", routes=(api.router,))
