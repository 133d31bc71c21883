"""Invitations."""

from identity.invitations import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """One-time tokens by which people set their password."""
    return Part(name="invitations", routes=(api.router,))
