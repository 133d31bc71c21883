"""What accounts are worth, as the ledger told last."""

from kit.room import Part, Resources
from members.balances import consumer


def part(_: Resources) -> Part:
    """What accounts are worth, as the ledger told last."""
    return Part(name="balances", hears=(consumer.OUTCOMES,))
