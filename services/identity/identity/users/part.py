"""Users."""

from identity.users import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """People who may sign in, and what each may do."""
    return Part(name="users", routes=(api.router,))
