"""Callers: keys of terminals and operators, and the quotas of each."""

from gateway.access.usecases import access_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """No routes of its own; other parts use it. Raises ValueError for an operator misspelt."""
    opened.shared(access_of)
    return Part(name="access")
