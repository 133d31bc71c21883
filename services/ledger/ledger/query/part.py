"""Query: the book as it is and as it was, for operators; one outcome, for the gateway."""

from kit.room import Part, Resources
from ledger.query import api


def part(_: Resources) -> Part:
    """Readings and proofs over HTTP."""
    return Part(name="query", routes=api.ROUTERS)
