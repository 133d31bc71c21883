"""Second factors."""

from identity.second_factors import api
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """One-time codes of an authenticator, and recovery codes."""
    return Part(name="second-factors", routes=(api.router,))
