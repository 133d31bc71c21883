"""The emergency brake of parties, on every shard of the ledger."""

from kit.room import Part, Resources
from merchants.party_standings import api, consumer


def part(_: Resources) -> Part:
    """The emergency brake of parties, on every shard of the ledger."""
    return Part(name="party-standings", routes=(api.router,), hears=(consumer.OUTCOMES,))
