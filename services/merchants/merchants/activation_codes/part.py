"""Activation codes of terminals."""

from kit.room import Part, Resources
from merchants.activation_codes import api


def part(_: Resources) -> Part:
    """Activation codes."""
    return Part(name="activation-codes", routes=(api.router,))
