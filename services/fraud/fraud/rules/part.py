"""Rules: versions that operators publish and screening decides by."""

from fraud.rules import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """Rules."""
    return Part(name="rules", routes=(api.router,))
