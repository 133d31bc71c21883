"""Terminals and merchants that an operator stops, and opens again."""

from kit.room import Part, Resources
from merchants.terminal_status import api


def part(_: Resources) -> Part:
    """Terminals and merchants that an operator stops, and opens again."""
    return Part(name="terminal-status", routes=(api.router,))
