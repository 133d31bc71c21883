"""Corrections by hand."""

from kit.room import Part, Resources
from members.adjustments import api, consumer


def part(_: Resources) -> Part:
    """What two people have the ledger add to an account, or take from it."""
    return Part(name="adjustments", routes=(api.router,), hears=(consumer.OUTCOMES,))
