"""Programmes of parties and terms of the network, as merchants publishes them."""

from campaigns import settings
from campaigns.programmes import consumer, store
from contracts import topics
from kit.room import Part, Resources
from kit.stream.consumer import Subscription


def part(_: Resources) -> Part:
    """The local tables of programmes and terms."""
    return Part(
        name="programmes",
        group=settings.FACTS,
        hears=(
            Subscription(
                topic=topics.MERCHANTS_PROGRAMMES,
                handle=consumer.on_merchants_programmes,
                tables=(store.PROGRAMMES_TABLE,),
            ),
            Subscription(
                topic=topics.MERCHANTS_TERMS,
                handle=consumer.on_merchants_terms,
                tables=(store.TERMS_TABLE,),
            ),
        ),
    )
