"""Changes of one's own password."""

from identity.password_changes import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """Changes of one's own password."""
    return Part(name="password-changes", routes=(api.router,))
