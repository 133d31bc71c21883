"""Terminals, activations and keys."""

from kit.room import Part, Resources
from merchants.terminals import api


def part(_: Resources) -> Part:
    """Terminals, activations and keys."""
    return Part(name="terminals", routes=(api.router, api.internal))
