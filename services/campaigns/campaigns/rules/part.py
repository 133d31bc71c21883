"""Rules of the network and of parties: published, kept for the road."""

from campaigns import settings
from campaigns.rules import api, consumer, store
from contracts import topics
from kit.room import Part, Resources
from kit.stream.consumer import Subscription


def part(_: Resources) -> Part:
    """Rules."""
    rules = Subscription(
        topic=topics.CAMPAIGNS_RULES,
        handle=consumer.on_campaigns_rules,
        tables=(store.LIVE_RULES_TABLE,),
    )
    return Part(name="rules", group=settings.FACTS, routes=(api.router,), hears=(rules,))
