"""Settlement: closed windows are paid, approved by two people."""

from kit.room import Part, Resources
from merchants.settlement import consumer
from merchants.settlement.api import accounts, ageing, bank, settlements


def part(_: Resources) -> Part:
    """Settlement."""
    return Part(
        name="settlement",
        routes=(settlements.router, bank.router, accounts.router, ageing.router),
        hears=(consumer.OUTCOMES,),
    )
