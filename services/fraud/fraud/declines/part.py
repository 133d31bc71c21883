"""What the road counted and the ledger declined: taken back out of windows and sums."""

from fraud.declines import consumer, jobs
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """Declines."""
    return Part(
        name="declines",
        hears=(consumer.LEDGER_ENTRIES, consumer.FRAUD_TERMINALS),
        jobs=jobs.jobs(opened.database, opened.clock, opened.settings),
    )
