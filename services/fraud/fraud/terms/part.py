"""Settlement prices of the network, as merchants publishes them."""

from fraud.terms import consumer
from kit.room import Part, Resources


def part(_: Resources) -> Part:
    """The local table of terms."""
    return Part(name="terms", hears=(consumer.TERMS,))
