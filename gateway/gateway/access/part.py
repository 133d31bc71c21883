"""Who calls: keys of terminals and operators, and what each caller may take."""

from gateway.access.usecases import access_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """No door of its own: the others ask it. Raises ValueError for an operator that is misspelt."""
    opened.shared(access_of)
    return Part(name="access")
