"""Accounts that an operator stops, and opens again."""

from kit.room import Part, Resources
from members.account_status import api, consumer


def part(_: Resources) -> Part:
    """Accounts that an operator stops, and opens again."""
    return Part(name="account-status", routes=(api.router,), hears=(consumer.OUTCOMES,))
