"""Cards, QR codes, mobiles and references of members."""

from kit.room import Part, Resources
from members.identifiers import api


def part(_: Resources) -> Part:
    """Cards, QR codes, mobiles and references of members."""
    return Part(name="identifiers", routes=(api.router, api.internal))
