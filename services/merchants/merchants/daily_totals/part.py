"""Sales, refunds and points of each merchant, by Tehran day."""

from kit.room import Part, Resources
from merchants.daily_totals import api, consumer


def part(_: Resources) -> Part:
    """Sales, refunds and points of each merchant, by Tehran day."""
    return Part(name="daily-totals", routes=(api.router,), hears=(consumer.OUTCOMES,))
