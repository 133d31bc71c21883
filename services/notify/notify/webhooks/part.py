"""Events for merchants' programs, and their deliveries."""

from kit.room import Part, Resources
from notify.webhooks import api, consumer


def part(_: Resources) -> Part:
    """Webhooks."""
    return Part(name="webhooks", routes=(api.router,), hears=(consumer.ENTRIES, consumer.DISPUTES))
