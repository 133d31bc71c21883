"""The emergency brake of accounts."""

from kit.room import Part, Resources
from members.standings import api, consumer


def part(_: Resources) -> Part:
    """The emergency brake of accounts."""
    return Part(name="standings", routes=(api.router,), hears=(consumer.OUTCOMES,))
