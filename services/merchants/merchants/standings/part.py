"""The emergency brake of terminals and merchants."""

from kit.room import Part, Resources
from merchants.standings import api


def part(_: Resources) -> Part:
    """The emergency brake of terminals and merchants."""
    return Part(name="standings", routes=(api.router,))
