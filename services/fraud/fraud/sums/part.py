"""Sums a day of terminals and merchants."""

from fraud.settings import Settings
from fraud.sums import consumer, jobs
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """Sums."""
    settings: Settings = opened.settings
    return Part(
        name="sums",
        hears=(consumer.FRAUD_TERMINALS,),
        jobs=jobs.jobs(opened.database, opened.clock, settings.names_seen_days),
    )
