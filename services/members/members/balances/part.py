"""Balances of accounts as of the ledger's newest outcomes."""

from kit.room import Part, Resources
from members.balances import consumer


def part(_: Resources) -> Part:
    """Balances of accounts as of the ledger's newest outcomes."""
    return Part(name="balances", hears=(consumer.OUTCOMES,))
