"""The gift for a member's first purchase."""

from campaigns.first_purchase import api, consumer
from contracts import topics
from kit.room import Part, Resources
from kit.stream.consumer import Subscription


def part(_: Resources) -> Part:
    """First purchases."""
    entries = Subscription(topic=topics.LEDGER_ENTRIES, handle=consumer.on_ledger_entries)
    return Part(name="first-purchase", routes=(api.router,), hears=(entries,))
