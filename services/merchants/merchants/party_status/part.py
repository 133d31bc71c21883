"""Parties that an operator stops on every shard of the ledger, and opens again."""

from kit.room import Part, Resources
from merchants.party_status import api, consumer


def part(_: Resources) -> Part:
    """Parties that an operator stops on every shard of the ledger, and opens again."""
    return Part(name="party-status", routes=(api.router,), hears=(consumer.OUTCOMES,))
