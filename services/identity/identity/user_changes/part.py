"""Changes of what users may do, and whether."""

from identity.user_changes import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """Users that an operator stops, opens, and gives other grants."""
    return Part(name="user-changes", routes=(api.router,))
